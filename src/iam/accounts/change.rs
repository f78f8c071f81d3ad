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
        let mut event = self.account_event(caller, Kind::RolesChanged, &account);
        event.detail = Some(format!("from {} to none", account.roles));
        let mutation = Mutation::SetRoles(handle(&account), Roles::default());
        self.apply(mutation, event).await
    }
}
