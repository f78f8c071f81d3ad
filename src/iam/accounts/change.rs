//! Changing an account in ways that only some faces offer.

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Roles;
use crate::iam::port::Mutation;
use crate::model::TenantId;

use super::request::check_names;
use super::service::handle;

impl Accounts {
    /// Gives an account another name or description; what is `None` stays. Returns what it is then.
    pub async fn rename(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
        name: Option<String>,
        description: Option<String>,
    ) -> Result<AccountRecord, AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if name.is_none() && description.is_none() {
            return Ok(account);
        }
        let name = name.unwrap_or_else(|| account.name.clone());
        let description = description.unwrap_or_else(|| account.description.clone());
        let (name, description) = check_names(name, description)?;
        let event = self.account_event(caller, Kind::AccountUpdated, &account);
        let updated = event.at;
        let mutation = Mutation::SetNames {
            account: handle(&account),
            name: name.clone(),
            description: description.clone(),
        };
        self.apply(mutation, event).await?;
        Ok(AccountRecord {
            name,
            description,
            updated,
            version: account.version + 1,
            ..account
        })
    }

    /// Leaves an account without any role: it stays, but may do nothing. Its open streams end.
    pub async fn withdraw_roles(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<(), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        self.change_roles(caller, &account, Roles::default()).await
    }

    /// Gives an account other roles, which stay suspended where the old ones are.
    pub async fn replace_roles(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
        roles: Roles,
    ) -> Result<(), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        caller.may_grant(roles)?;
        if account.suspended.is_empty() {
            self.change_roles(caller, &account, roles).await
        } else {
            self.suspend(caller, &account, roles).await
        }
    }

    /// Takes the account's roles from it until [`Self::resume_roles`]. Its open streams end. Returns whether there were
    /// any to take.
    pub async fn suspend_roles(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<bool, AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if account.roles.is_empty() {
            return Ok(false);
        }
        self.suspend(caller, &account, account.held()).await?;
        Ok(true)
    }

    /// Gives an account back the roles that were suspended, which must not exceed the caller's own. Returns whether there
    /// were any.
    pub async fn resume_roles(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<bool, AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if account.suspended.is_empty() {
            return Ok(false);
        }
        self.change_roles(caller, &account, account.held()).await?;
        Ok(true)
    }

    pub(super) async fn change_roles(
        &self,
        caller: &Caller,
        account: &AccountRecord,
        roles: Roles,
    ) -> Result<(), AccountsError> {
        let mut event = self.account_event(caller, Kind::RolesChanged, account);
        event.detail = Some(format!("from {} to {}", before(account), listed(roles)));
        self.apply(Mutation::SetRoles(handle(account), roles), event)
            .await
    }

    async fn suspend(
        &self,
        caller: &Caller,
        account: &AccountRecord,
        roles: Roles,
    ) -> Result<(), AccountsError> {
        let mut event = self.account_event(caller, Kind::RolesChanged, account);
        event.detail = Some(format!("from {} to {roles} (suspended)", before(account)));
        self.apply(Mutation::SuspendRoles(handle(account), roles), event)
            .await
    }
}

fn before(account: &AccountRecord) -> String {
    if account.suspended.is_empty() {
        listed(account.roles)
    } else {
        format!("{} (suspended)", account.held())
    }
}

fn listed(roles: Roles) -> String {
    if roles.is_empty() {
        "none".to_owned()
    } else {
        roles.to_string()
    }
}
