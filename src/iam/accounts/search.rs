//! Looking for accounts.

use crate::iam::AccountQuery;
use crate::iam::AccountSummary;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::model::TenantId;

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
}
