//! Reading the audit trail (iam A6).

use crate::audit::EventQuery;
use crate::audit::Link;
use crate::audit::LogError;
use crate::audit::Verified;
use crate::audit::VerifyError;
use crate::audit::verify_all;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Action;
use crate::iam::Caller;
use crate::iam::port::Fault;
use crate::iam::port::RecordsError;

impl Accounts {
    /// The events that `query` asks for: of a tenant, for who administers it, or of all, for who administers all.
    pub async fn events(
        &self,
        caller: &Caller,
        query: &EventQuery,
    ) -> Result<Vec<Link>, AccountsError> {
        match &query.tenant {
            Some(tenant) => {
                caller.may(Action::ReadAudit, tenant)?;
                self.existing_tenant(tenant).await?;
            }
            None => caller.may_manage_tenants()?,
        }
        Ok(self.log.find(query).await?)
    }

    /// Checks the whole chain of events. Reads all of it, so it is for the operator, who may read it anyway.
    pub async fn verify_events(&self) -> Result<Verified, VerifyError> {
        verify_all(&*self.log).await
    }
}

impl From<LogError> for AccountsError {
    fn from(_: LogError) -> Self {
        RecordsError::Unavailable(Fault::Other).into()
    }
}
