//! Tenants and accounts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Log;
use crate::audit::Origin;
use crate::audit::Subject;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Minting;
use crate::iam::Pepper;
use crate::iam::Principal;
use crate::iam::Registry;
use crate::iam::Roles;
use crate::iam::State;
use crate::iam::TenantRecord;
use crate::iam::Time;
use crate::iam::password::Passwords;
use crate::iam::port::Applied;
use crate::iam::port::Handle;
use crate::iam::port::Mutation;
use crate::iam::port::Page;
use crate::iam::port::PasswordHash;
use crate::iam::port::Records;
use crate::iam::port::RecordsError;
use crate::iam::throttle::Throttle;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::request::check_password;
use super::request::check_tenant;
use super::request::invalid;

/// Tenants, people, service accounts and their tokens. Cheap to clone.
///
/// A caller can never create, change or issue a token for an account whose roles exceed its own (design 4). Ids of
/// other tenants are simply not there (iam X4). Two writers of one account: the second is refused with
/// [`RecordsError::Changed`] and tries again.
#[derive(Clone)]
pub struct Accounts {
    pub(in crate::iam) records: Arc<dyn Records>,
    pub(in crate::iam) log: Arc<dyn Log>,
    pub(in crate::iam) pepper: Pepper,
    pub(in crate::iam) time: Time,
    pub(in crate::iam) session_lifetime: Duration,
    pub(in crate::iam) minting: Minting,
    pub(in crate::iam) passwords: Passwords,
    pub(in crate::iam) registry: Registry,
    pub(in crate::iam) throttle: Arc<Throttle>,
}

impl Accounts {
    /// Creates a tenant.
    pub async fn create_tenant(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<TenantRecord, AccountsError> {
        caller.may_manage_tenants()?;
        let tenant = TenantRecord {
            id: check_tenant(id)?,
            state: State::Active,
            max_pat_lifetime: None,
            tokens_not_before: None,
            max_pats: None,
            max_account_pats: None,
            created: self.time.now(),
        };
        let event = self.event(
            caller,
            Kind::TenantCreated,
            &tenant.id,
            tenant_subject(&tenant.id),
        );
        self.apply(Mutation::CreateTenant(tenant.clone()), event)
            .await?;
        Ok(tenant)
    }

    /// All tenants that the caller may manage.
    pub async fn tenants(&self, caller: &Caller) -> Result<Vec<TenantRecord>, AccountsError> {
        let mut tenants = self.records.tenants().await?;
        tenants.retain(|tenant| caller.may_manage(&tenant.id).is_ok());
        Ok(tenants)
    }

    /// Disables a tenant, which ends all its streams, or enables it again.
    pub async fn set_tenant_state(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        state: State,
    ) -> Result<(), AccountsError> {
        caller.may_manage_tenants()?;
        let kind = match state {
            State::Active => Kind::TenantEnabled,
            State::Disabled => Kind::TenantDisabled,
        };
        let event = self.event(caller, kind, tenant, tenant_subject(tenant));
        self.apply(Mutation::SetTenantState(tenant.clone(), state), event)
            .await
    }

    /// One account.
    pub async fn account(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<AccountRecord, AccountsError> {
        if caller.id() != Some(id) {
            caller.may_manage(tenant)?;
        }
        self.existing(tenant, id).await
    }

    /// The account of that user name, case aside.
    pub async fn account_named(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        username: &str,
    ) -> Result<AccountRecord, AccountsError> {
        caller.may_manage(tenant)?;
        let found = self.records.account_named(tenant, username).await?;
        Ok(found.ok_or(RecordsError::NotFound("account"))?)
    }

    /// The tenant's accounts by user name.
    pub async fn accounts(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        page: &Page,
    ) -> Result<Vec<AccountRecord>, AccountsError> {
        caller.may_manage(tenant)?;
        Ok(self.records.accounts(tenant, page).await?)
    }

    /// Gives an account other roles, in effect at once. Open streams that they no longer allow end.
    pub async fn set_roles(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
        roles: Roles,
    ) -> Result<(), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if roles.is_empty() {
            return invalid("roles", "are empty");
        }
        caller.may_grant(roles)?;
        self.change_roles(caller, &account, roles).await
    }

    /// Gives a person another password. Streams that were opened with the old one end.
    pub async fn set_password(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
        password: Secret,
    ) -> Result<(), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if account.kind == AccountKind::Machine {
            return invalid("account", "is a service account, which has no password");
        }
        check_password(&password)?;
        let hash = self.hash(password).await?;
        let event = self.account_event(caller, Kind::PasswordChanged, &account);
        self.apply(Mutation::SetPassword(handle(&account), hash.into()), event)
            .await
    }

    /// Gives whoever has just shown its password another, which lasts. Streams that were opened with the old one end.
    pub async fn change_own_password(
        &self,
        holder: &Arc<Principal>,
        password: Secret,
        origin: Origin,
    ) -> Result<(), AccountsError> {
        check_password(&password)?;
        let account = self.existing(&holder.tenant, holder.account).await?;
        let hash = self.hash(password).await?;
        let caller = Caller::principal(holder, origin);
        let event = self.account_event(&caller, Kind::PasswordChanged, &account);
        self.apply(Mutation::SetPassword(handle(&account), hash.into()), event)
            .await
    }

    /// Forgets wrong passwords of a person, on every gateway of this store, so that it may try again (iam L3).
    pub async fn lift_lockout(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<(), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        let event = self.account_event(caller, Kind::LockoutLifted, &account);
        self.apply(Mutation::LiftLockout(handle(&account)), event)
            .await
    }

    /// Disables an account, which ends its streams and refuses its tokens, or enables it again.
    pub async fn set_state(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
        state: State,
    ) -> Result<(), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        let kind = match state {
            State::Active => Kind::AccountEnabled,
            State::Disabled => Kind::AccountDisabled,
        };
        let event = self.account_event(caller, kind, &account);
        self.apply(Mutation::SetState(handle(&account), state), event)
            .await
    }

    /// Deletes an account for good, and all its tokens with it. Returns what it was, and how many tokens went.
    pub async fn delete(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<(AccountRecord, u64), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        let event = self.account_event(caller, Kind::AccountDeleted, &account);
        let applied = self.make(Mutation::DeleteAccount(handle(&account)), event);
        Ok((account, applied.await?.revoked_pats))
    }

    /// Writes a change, and makes this process obey it before the caller hears that it is done (iam R3, R4).
    pub(super) async fn apply(
        &self,
        mutation: Mutation,
        event: Event,
    ) -> Result<(), AccountsError> {
        self.make(mutation, event).await.map(drop)
    }

    /// The same, and says what it came to.
    pub(super) async fn make(
        &self,
        mutation: Mutation,
        event: Event,
    ) -> Result<Applied, AccountsError> {
        let applied = self.records.apply(&mutation, event.at, &event).await?;
        self.registry.apply(&applied.revocations);
        Ok(applied)
    }

    pub(super) async fn existing(
        &self,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<AccountRecord, AccountsError> {
        let found = self.records.account(tenant, id).await?;
        Ok(found.ok_or(RecordsError::NotFound("account"))?)
    }

    /// What time it is for expiries.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    pub(super) async fn existing_tenant(
        &self,
        id: &TenantId,
    ) -> Result<TenantRecord, AccountsError> {
        let found = self.records.tenant(id).await?;
        Ok(found.ok_or(RecordsError::NotFound("tenant"))?)
    }

    pub(super) fn account_event(
        &self,
        caller: &Caller,
        kind: Kind,
        account: &AccountRecord,
    ) -> Event {
        let subject = Subject {
            kind: "account",
            id: account.id.to_string(),
            name: Some(account.username.clone()),
        };
        self.event(caller, kind, &account.tenant, subject)
    }

    pub(super) fn event(
        &self,
        caller: &Caller,
        kind: Kind,
        tenant: &TenantId,
        subject: Subject,
    ) -> Event {
        Event {
            origin: caller.origin.clone(),
            tenant: Some(tenant.clone()),
            subject: Some(subject),
            ..Event::new(self.time.now(), kind, caller.as_audit())
        }
    }

    pub(super) async fn changeable(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<AccountRecord, AccountsError> {
        caller.may_manage(tenant)?;
        let account = self.existing(tenant, id).await?;
        caller.may_grant(account.held())?;
        Ok(account)
    }

    pub(super) async fn hash(&self, password: Secret) -> Result<PasswordHash, AccountsError> {
        self.passwords
            .hash(password)
            .await
            .map_err(AccountsError::Password)
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}

pub(super) fn handle(account: &AccountRecord) -> Handle {
    Handle {
        tenant: account.tenant.clone(),
        id: account.id,
        version: account.version,
    }
}

pub(super) fn tenant_subject(id: &TenantId) -> Subject {
    Subject {
        kind: "tenant",
        id: id.to_string(),
        name: None,
    }
}
