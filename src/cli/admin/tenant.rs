//! `admin tenant`.

use serde_json::Value;
use serde_json::json;

use crate::iam::Limit;
use crate::iam::State;
use crate::iam::TenantPolicy;
use crate::iam::TenantRecord;
use crate::model::TenantId;

use super::account::read_not_before;
use super::args::Tenant;
use super::error::AdminError;
use super::pat::parse_ttl;
use super::run::Desk;

/// Does what the verb says.
pub(super) async fn run(desk: &Desk, verb: Tenant) -> Result<Value, AdminError> {
    let Desk {
        accounts, caller, ..
    } = desk;
    match verb {
        Tenant::Create { name } => Ok(view(&accounts.create_tenant(caller, &name).await?)),
        Tenant::Disable { name } => set_state(desk, &name, State::Disabled).await,
        Tenant::Enable { name } => set_state(desk, &name, State::Active).await,
        Tenant::Policy {
            name,
            max_lifetime,
            tokens_not_before,
            max_pats,
            max_pats_per_account,
        } => {
            let policy = TenantPolicy {
                max_pat_lifetime: limit(max_lifetime.as_deref(), parse_ttl)
                    .ok_or(AdminError::Duration("max-lifetime"))?,
                tokens_not_before: read_not_before(desk, tokens_not_before.as_deref())?,
                max_pats: limit(max_pats.as_deref(), number)
                    .ok_or(AdminError::Limit("max-pats"))?,
                max_account_pats: limit(max_pats_per_account.as_deref(), number)
                    .ok_or(AdminError::Limit("max-pats-per-account"))?,
            };
            let tenant = TenantId::new(name);
            let changed = accounts.set_tenant_policy(caller, &tenant, policy).await?;
            Ok(policy_view(&changed))
        }
        Tenant::List => Ok(accounts.tenants(caller).await?.iter().map(view).collect()),
    }
}

async fn set_state(desk: &Desk, name: &str, state: State) -> Result<Value, AdminError> {
    let tenant = TenantId::new(name);
    desk.accounts
        .set_tenant_state(&desk.caller, &tenant, state)
        .await?;
    Ok(json!({ "tenant": name, "state": state.as_str() }))
}

/// A limit that may be left out, or "none"; `None` when it is neither that nor a limit.
fn limit<T>(text: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Option<Limit<T>> {
    match text {
        None => Some(Limit::Kept),
        Some("none") => Some(Limit::Lifted),
        Some(text) => read(text).map(Limit::Set),
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn policy_view(tenant: &TenantRecord) -> Value {
    let lifetime = tenant
        .max_pat_lifetime
        .map(|most| format!("{}s", most.as_secs()));
    json!({
        "tenant": tenant.id.as_str(),
        "max_lifetime": lifetime,
        "tokens_not_before": tenant.tokens_not_before.map(|at| at.to_string()),
        "max_pats": tenant.max_pats,
        "max_pats_per_account": tenant.max_account_pats,
    })
}

fn view(tenant: &TenantRecord) -> Value {
    json!({
        "tenant": tenant.id.as_str(),
        "state": tenant.state.as_str(),
        "created": tenant.created.to_string(),
    })
}
