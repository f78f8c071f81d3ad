//! Revoking a token by showing it: whoever holds it may, the finder of a leak first of all (iam 1, row 26).

use std::net::IpAddr;
use std::sync::Arc;

use crate::audit;
use crate::audit::Kind;
use crate::audit::Origin;
use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::AuthError;
use crate::iam::Authenticator;
use crate::iam::Caller;
use crate::iam::PatFacts;
use crate::iam::Principal;
use crate::iam::TokenKind;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::model::Class;
use crate::secret::Secret;

use super::service::handle;

impl Accounts {
    /// Revokes the token that is shown, of either kind, active or not. One that there is not, or not any more, is none
    /// of the caller's business: that is no error (RFC 7009 2.2), but it is charged to its source like any guess.
    ///
    /// # Errors
    ///
    /// [`AuthError::Throttled`] for a source beyond its budget, [`AuthError::Unavailable`] while the store cannot be
    /// asked.
    pub async fn revoke_shown(
        &self,
        authenticator: &Authenticator,
        token: &Secret,
        by: Option<&Arc<Principal>>,
        origin: Origin,
        from: IpAddr,
    ) -> Result<(), AuthError> {
        let found = match authenticator.facts(token, from).await {
            Ok(facts) => facts,
            Err(error) if error.class() == Class::Unauthenticated => return Ok(()),
            Err(error) => return Err(error),
        };
        for _attempt in 0..ATTEMPTS {
            match self.revoke_found(&found, by, &origin).await {
                Err(AccountsError::Records(RecordsError::Changed)) => {}
                // Its account, or the token itself, is gone already.
                Ok(()) | Err(AccountsError::Records(RecordsError::NotFound(_))) => return Ok(()),
                Err(_) => break,
            }
        }
        Err(AuthError::Unavailable)
    }

    async fn revoke_found(
        &self,
        found: &PatFacts,
        by: Option<&Arc<Principal>>,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let pat = &found.pat;
        if pat.revoked.is_some() {
            return Ok(());
        }
        let account = self.existing(&pat.tenant, pat.account).await?;
        let kind = match pat.kind {
            TokenKind::Pat => Kind::PatRevoked,
            TokenKind::Session => Kind::SessionEnded,
            TokenKind::Secret => Kind::SecretRemoved,
        };
        let mut caller = Caller::operator();
        caller.origin = origin.clone();
        let mut event = self.pat_event(&caller, kind, pat);
        event.reason = Some("shown");
        event.actor = match by {
            Some(principal) => principal.as_audit(),
            // Whoever shows a token acts as its account.
            None => audit::Actor::Account {
                id: pat.account.to_string(),
                tenant: pat.tenant.clone(),
                token: Some(pat.id.to_string()),
                certificate: None,
            },
        };
        let mutation = match pat.kind {
            // What was opened with it goes too.
            TokenKind::Secret => Mutation::SetSecret(handle(&account), None),
            TokenKind::Pat | TokenKind::Session => Mutation::RevokePats {
                account: handle(&account),
                which: Which::One(pat.id),
            },
        };
        self.apply(mutation, event).await
    }
}

/// Another writer of the account comes in between seldom, and hardly ever twice.
const ATTEMPTS: usize = 5;
