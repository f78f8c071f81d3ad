//! Looking for accounts, and changing what people call them.

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::AccountQuery;
use crate::iam::AccountRecord;
use crate::iam::AccountSummary;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::port::Mutation;
use crate::model::TenantId;

use super::request::check_names;
use super::service::handle;

impl Accounts {
    /// The tenant's accounts that `query` asks for, and how many there are on all its pages.
    pub async fn search(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<(Vec<AccountSummary>, u64), AccountsError> {
        caller.may_manage(tenant)?;
        self.existing_tenant(tenant).await?;
        let now = self.time.now();
        Ok(self.records.search(tenant, query, now).await?)
    }

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
}
