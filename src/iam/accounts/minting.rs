//! Tokens that are issued by tokens (iam 1, row 14).

use crate::iam::Accounts;
use crate::iam::AccountsError;
use crate::iam::Actor;
use crate::iam::Caller;
use crate::iam::Denied;
use crate::iam::Minting;
use crate::iam::PatRecord;
use crate::iam::TokenKind;

impl Accounts {
    /// Refuses a token that would give out what ends by itself only: a client secret.
    pub(super) async fn check_secret(&self, caller: &Caller) -> Result<(), AccountsError> {
        match self.parent(caller, None).await? {
            Some(_) => Err(Denied::MintingOff.into()),
            None => Ok(()),
        }
    }

    /// The token that a new one must not outlive, if any. A token that replaces itself leaves the new one to its own parent.
    pub(super) async fn parent(
        &self,
        caller: &Caller,
        replaced: Option<&PatRecord>,
    ) -> Result<Option<PatRecord>, AccountsError> {
        let Actor::Principal(principal) = &caller.actor else {
            return Ok(None);
        };
        if self.minting == Minting::On {
            return Ok(None);
        }
        let Some(token) = principal.token else {
            // A token has had the certificate signed, and what it may not do the certificate may not either.
            return match principal.certificate {
                Some(_) => Err(Denied::MintingOff.into()),
                None => Ok(None),
            };
        };
        let found = self.records.pat(&principal.tenant, token).await?;
        let Some(own) = found.filter(|pat| pat.kind == TokenKind::Pat) else {
            return Ok(None);
        };
        if self.minting == Minting::Off {
            return Err(Denied::MintingOff.into());
        }
        match replaced.filter(|replaced| replaced.id == own.id) {
            None => Ok(Some(own)),
            Some(PatRecord { parent: None, .. }) => Ok(None),
            Some(PatRecord {
                parent: Some(parent),
                ..
            }) => Ok(self.records.pat(&principal.tenant, *parent).await?),
        }
    }
}
