//! Client secrets of service accounts (RFC 6749 2.3.1).

use crate::audit::Kind;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Issued;
use crate::iam::NewPat;
use crate::iam::TokenKind;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::model::Expiry;
use crate::model::TenantId;

use super::request::invalid;
use super::service::handle;
use super::tokens::Draft;

impl Accounts {
    /// Gives a service account a new client secret. The old one ends at once, and the sessions that were opened with it.
    /// Returns the account as it is then.
    pub async fn set_secret(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<(AccountRecord, Issued), AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if account.kind == AccountKind::Person {
            return invalid("account", "is a person, who has a password");
        }
        self.check_secret(caller).await?;
        // It holds as long as the account does, and the tenant's longest lifetime allows (iam T8).
        let new = NewPat::until(Expiry::NEVER);
        let Draft { issued, digest } = self.draft_of(TokenKind::Secret, caller, &account, new)?;
        let mut event = self.account_event(caller, Kind::SecretSet, &account);
        event.detail = Some(format!("secret {}", issued.record.id));
        let updated = event.at;
        let secret = Some((issued.record.clone(), digest));
        self.apply(Mutation::SetSecret(handle(&account), secret), event)
            .await?;
        let account = AccountRecord {
            has_secret: true,
            updated,
            version: account.version + 1,
            ..account
        };
        Ok((account, issued))
    }

    /// Takes a service account's client secret away, and ends the sessions that were opened with it. Returns the account
    /// as it is then.
    pub async fn remove_secret(
        &self,
        caller: &Caller,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<AccountRecord, AccountsError> {
        let account = self.changeable(caller, tenant, id).await?;
        if !account.has_secret {
            return Err(RecordsError::NotFound("secret").into());
        }
        let event = self.account_event(caller, Kind::SecretRemoved, &account);
        let updated = event.at;
        self.apply(Mutation::SetSecret(handle(&account), None), event)
            .await?;
        Ok(AccountRecord {
            has_secret: false,
            updated,
            version: account.version + 1,
            ..account
        })
    }
}
