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
        if self.minting == Minting::On {
            return Ok(None);
        }
        let inherited = self.inherited(replaced).await?;
        let Some(own) = self.token_of(caller).await? else {
            return Ok(inherited);
        };
        if self.minting == Minting::Off {
            return Err(Denied::MintingOff.into());
        }
        if replaced.is_some_and(|replaced| replaced.id == own.id) {
            return Ok(inherited);
        }
        // Who replaces the child of another token takes it over, but makes it no longer.
        let longest = inherited.map_or(own.expires, |parent| parent.expires);
        Ok(Some(PatRecord {
            expires: own.expires.min(longest),
            ..own
        }))
    }

    /// The Personal Access Token that the caller has come by. Who shows a certificate is refused: a token has had it
    /// signed, and what that may not do the certificate may not either.
    async fn token_of(&self, caller: &Caller) -> Result<Option<PatRecord>, AccountsError> {
        let Actor::Principal(principal) = &caller.actor else {
            return Ok(None);
        };
        let Some(token) = principal.token else {
            return match principal.certificate {
                Some(_) => Err(Denied::MintingOff.into()),
                None => Ok(None),
            };
        };
        let found = self.records.pat(&principal.tenant, token).await?;
        Ok(found.filter(|pat| pat.kind == TokenKind::Pat))
    }

    /// The parent of a token, which is that of whatever replaces it, whoever does that.
    async fn inherited(
        &self,
        replaced: Option<&PatRecord>,
    ) -> Result<Option<PatRecord>, AccountsError> {
        match replaced {
            Some(PatRecord {
                tenant,
                parent: Some(parent),
                ..
            }) => Ok(self.records.pat(tenant, *parent).await?),
            _ => Ok(None),
        }
    }
}
