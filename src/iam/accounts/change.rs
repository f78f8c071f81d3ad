//! Changing an account in ways that only some faces offer.

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Roles;
use crate::iam::port::Mutation;
use crate::model::TenantId;

use super::service::handle;

impl Accounts {
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
