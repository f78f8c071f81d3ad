//! Bounds on the tokens of tenants and accounts.

use std::time::Duration;

use ipnet::IpNet;

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::AccountPolicy;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Limit;
use crate::iam::TenantPolicy;
use crate::iam::TenantRecord;
use crate::iam::port::Mutation;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::request::check_networks;
use super::request::invalid;
use super::service::handle;
use super::service::tenant_subject;

impl Accounts {
    /// A tenant with its policy, for those who may set it.
    pub async fn tenant_policy(
        &self,
        caller: &Caller,
        tenant: &TenantId,
    ) -> Result<TenantRecord, AccountsError> {
        caller.may_set_policy(tenant)?;
        self.existing_tenant(tenant).await
    }

    /// Changes a tenant's policy. It holds for tokens that exist too: those beyond it end at once, with their streams.
    /// Returns the tenant as it is then.
    pub async fn set_tenant_policy(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        policy: TenantPolicy,
    ) -> Result<TenantRecord, AccountsError> {
        let before = self.tenant_policy(caller, tenant).await?;
        if policy == TenantPolicy::default() {
            return Ok(before);
        }
        if matches!(policy.max_pat_lifetime, Limit::Set(most) if most < SHORTEST) {
            return invalid("maximum lifetime", "is shorter than a minute");
        }
        self.check_not_before(before.tokens_not_before, policy.tokens_not_before)?;
        let subject = tenant_subject(tenant);
        let mut event = self.event(caller, Kind::TenantPolicyChanged, tenant, subject);
        event.detail = Some(described(&policy));
        self.apply(Mutation::SetTenantPolicy(tenant.clone(), policy), event)
            .await?;
        self.existing_tenant(tenant).await
    }

    /// Changes an account's policy, which holds for open streams too. Returns the account as it is then.
    pub async fn set_account_policy(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
        mut policy: AccountPolicy,
    ) -> Result<AccountRecord, AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if policy == AccountPolicy::default() {
            return Ok(account);
        }
        if let Some(networks) = &mut policy.networks {
            check_networks(networks)?;
        }
        self.check_not_before(account.tokens_not_before, policy.tokens_not_before)?;
        let mut event = self.account_event(caller, Kind::AccountPolicyChanged, &account);
        let networks = policy.networks.as_deref().map(listed);
        let parts = [
            policy
                .tokens_not_before
                .map(|at| format!("tokens not before {at}")),
            networks.map(|networks| format!("networks {networks}")),
        ];
        event.detail = Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
        self.apply(Mutation::SetAccountPolicy(handle(&account), policy), event)
            .await?;
        // The caller may have taken its own rights away.
        self.existing(tenant, id).await
    }

    /// What was void stays void, and what is to come is not: a token is never issued dead.
    fn check_not_before(
        &self,
        known: Option<Timestamp>,
        asked: Option<Timestamp>,
    ) -> Result<(), AccountsError> {
        let Some(asked) = asked else { return Ok(()) };
        if asked > self.time.now() {
            return invalid("tokens not before", "is in the future");
        }
        // Faces show whole seconds: what one has shown, it may say again.
        if known.is_some_and(|known| asked.secs() < known.secs()) {
            return invalid("tokens not before", "is earlier than it was");
        }
        Ok(())
    }
}

fn described(policy: &TenantPolicy) -> String {
    fn part<T>(word: &str, limit: Limit<T>, text: impl Fn(T) -> String) -> Option<String> {
        match limit {
            Limit::Kept => None,
            Limit::Lifted => Some(format!("{word} none")),
            Limit::Set(limit) => Some(format!("{word} {}", text(limit))),
        }
    }
    let seconds = |lifetime: Duration| format!("{}s", lifetime.as_secs());
    let number = |number: u32| number.to_string();
    let parts = [
        part("maximum lifetime", policy.max_pat_lifetime, seconds),
        policy
            .tokens_not_before
            .map(|at| format!("tokens not before {at}")),
        part("tokens", policy.max_pats, number),
        part("tokens per account", policy.max_account_pats, number),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn listed(networks: &[IpNet]) -> String {
    if networks.is_empty() {
        return "any".to_owned();
    }
    let texts: Vec<String> = networks.iter().map(ToString::to_string).collect();
    texts.join(" ")
}

/// Below it, no token could be put to use.
const SHORTEST: Duration = Duration::from_mins(1);
