//! Logging in and out.

use std::sync::Arc;

use crate::audit::Kind;
use crate::audit::Origin;
use crate::iam::AccountRecord;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Client;
use crate::iam::Issued;
use crate::iam::NewPat;
use crate::iam::PatId;
use crate::iam::Principal;
use crate::iam::Scope;
use crate::iam::TokenKind;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::iam::record::latest;

use super::service::handle;
use super::tokens::Draft;

impl Accounts {
    /// Issues a short-lived bearer token, narrowed to `scopes`, to somebody who has just shown a password.
    pub async fn open_session(
        &self,
        principal: &Arc<Principal>,
        scopes: Vec<Scope>,
        origin: Origin,
    ) -> Result<Issued, AccountsError> {
        let account = self.existing(&principal.tenant, principal.account).await?;
        self.open(principal, account, scopes, origin).await
    }

    /// The same to a service account that has just shown its client secret. Refused with [`RecordsError::Changed`] when
    /// the account was changed meanwhile: the secret may be another now.
    pub async fn open_client_session(
        &self,
        client: &Client,
        scopes: Vec<Scope>,
        origin: Origin,
    ) -> Result<Issued, AccountsError> {
        let principal = &client.principal;
        let account = self.existing(&principal.tenant, principal.account).await?;
        if account.version != client.version {
            return Err(RecordsError::Changed.into());
        }
        self.open(principal, account, scopes, origin).await
    }

    async fn open(
        &self,
        principal: &Arc<Principal>,
        account: AccountRecord,
        scopes: Vec<Scope>,
        origin: Origin,
    ) -> Result<Issued, AccountsError> {
        let caller = Caller::principal(principal, origin);
        let tenant = self.existing_tenant(&account.tenant).await?;
        let now = self.time.now();
        let lifetime = tenant
            .max_pat_lifetime
            .map_or(self.session_lifetime, |most| {
                most.min(self.session_lifetime)
            });
        let new = NewPat {
            scopes,
            ..NewPat::until(latest(now, lifetime).min(principal.expires))
        };
        let Draft { issued, digest } = self.draft_of(TokenKind::Session, &caller, &account, new)?;
        let event = self.pat_event(&caller, Kind::SessionOpened, &issued.record);
        let mutation = Mutation::CreatePat {
            pat: issued.record.clone(),
            digest,
            version: account.version,
        };
        self.apply(mutation, event).await?;
        Ok(issued)
    }

    /// Revokes the session by which the caller has come, which ends its streams.
    pub async fn end_session(
        &self,
        principal: &Arc<Principal>,
        session: PatId,
        origin: Origin,
    ) -> Result<(), AccountsError> {
        if principal.token != Some(session) {
            return Err(RecordsError::NotFound("session").into());
        }
        let caller = Caller::principal(principal, origin);
        let account = self.existing(&principal.tenant, principal.account).await?;
        let event = self.account_event(&caller, Kind::SessionEnded, &account);
        let mutation = Mutation::RevokePats {
            account: handle(&account),
            which: Which::One(session),
        };
        self.apply(mutation, event).await
    }
}
