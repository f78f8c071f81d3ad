//! Service accounts that show a client secret (RFC 6749 2.3.1).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secret;

use super::AuthError;
use super::Authenticator;
use super::Principal;
use super::Source;
use super::authenticator::Inner;
use super::cache::CacheKey;
use super::login::is_name_of;
use super::pat::PatText;

/// A service account that has shown its client secret.
#[derive(Clone, Debug)]
pub struct Client {
    /// Who.
    pub principal: Arc<Principal>,
    /// The account's version at which the secret was its own: what is opened by it must be opened on the same.
    pub(super) version: u64,
}

impl Authenticator {
    /// Tells which service account shows `secret`, presented from `from`. Its user name or id must go with it.
    ///
    /// Failures are charged to their source, and a source beyond its budget is held off, as with logins. A service
    /// account is never locked out (iam L1, L3).
    ///
    /// # Errors
    ///
    /// [`AuthError`] says why not.
    pub async fn authenticate_client<'o>(
        &self,
        client_id: &str,
        secret: &Secret,
        from: impl Into<Source<'o>>,
    ) -> Result<Client, AuthError> {
        let from = from.into();
        if self.0.registry.is_shut().is_some() {
            return Err(AuthError::Unavailable);
        }
        if let Some(retry_after) = self.0.throttle.held_off(from.address) {
            return Err(AuthError::Throttled { retry_after });
        }
        let client = Box::pin(self.0.client(client_id, secret, from.address)).await;
        client.map_err(|error| self.0.refuse(error, from))
    }
}

impl Inner {
    /// Reads the store each time: who has a secret shows it once per session, so there is nothing to cache.
    async fn client(
        &self,
        client_id: &str,
        secret: &Secret,
        from: IpAddr,
    ) -> Result<Client, AuthError> {
        let text = PatText::parse_secret(secret.expose()).map_err(|_| AuthError::Garbled)?;
        let key = CacheKey::new(*self.pepper.digest(text).as_bytes());
        let _lane = self.enter_lane(key, from).await?;
        let found = tokio::time::timeout(READ_TIMEOUT, self.find(text)).await;
        let facts = match found {
            Err(_) | Ok(Err(_)) => return Err(AuthError::Unavailable),
            Ok(Ok(facts)) => facts.ok_or(AuthError::Unknown)?,
        };
        let version = facts.account.version;
        let entry = self.judge(facts, self.time.now())?;
        let principal = Arc::clone(&entry.principal);
        if client_id != principal.account.to_string() && !is_name_of(client_id, &principal) {
            return Err(AuthError::UsernameMismatch);
        }
        if !principal.may_come_from(from) {
            return Err(AuthError::AddressNotAllowed {
                token: principal.token,
            });
        }
        Ok(Client { principal, version })
    }
}

/// A read that takes longer counts as failed.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
