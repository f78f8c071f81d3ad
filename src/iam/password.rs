//! Hashing of passwords: Argon2id, few at a time (iam T7).

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use argon2::Algorithm;
use argon2::Argon2;
use argon2::Params;
use argon2::PasswordHash as Phc;
use argon2::PasswordHasher as _;
use argon2::PasswordVerifier as _;
use argon2::Version;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

use crate::secret::Secret;

use super::AuthError;
use super::PasswordConfig;
use super::background::in_background;
use super::port::PasswordHash;

/// Computes Argon2id on threads of the lowest priority, as many at once as there are permits. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords(Arc<Inner>);

struct Inner {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    queue_timeout: Duration,
    /// Verified in place of the hash that an unknown user does not have, so that both take as long.
    dummy: PasswordHash,
}

/// The right to compute one hash.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

/// The parameters are not Argon2's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("argon2 parameters are out of range")]
pub struct BadParameters;

impl Passwords {
    pub(crate) fn new(config: &PasswordConfig) -> Result<Self, BadParameters> {
        let params = Params::new(config.memory_kib, config.passes, config.lanes, None)
            .map_err(|_| BadParameters)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dummy: Phc = argon2.hash_password(b"").map_err(|_| BadParameters)?;
        Ok(Self(Arc::new(Inner {
            argon2,
            permits: Arc::new(Semaphore::new(NonZeroUsize::get(config.parallel))),
            queue_timeout: config.queue_timeout,
            dummy: PasswordHash(dummy.to_string()),
        })))
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: Secret) -> Result<PasswordHash, AuthError> {
        let turn = self.turn().await?;
        Ok(self.hash_in(turn, password).await?.0)
    }

    /// The same for one who has a turn already, and keeps it.
    pub(crate) async fn hash_in(
        &self,
        turn: Turn,
        password: Secret,
    ) -> Result<(PasswordHash, Turn), AuthError> {
        let compute = move |inner: &Inner| {
            let hash: Phc = inner
                .argon2
                .hash_password(password.expose().as_bytes())
                .map_err(|_| AuthError::Internal)?;
            Ok(PasswordHash(hash.to_string()))
        };
        let (hash, turn) = self.compute(turn, compute).await?;
        Ok((hash?, turn))
    }

    /// Whether a hash was made with weaker parameters than are in use now.
    pub(crate) fn is_outdated(&self, hash: &PasswordHash) -> bool {
        let stored = Phc::new(&hash.0)
            .ok()
            .and_then(|phc| Params::try_from(&phc).ok());
        let now = self.0.argon2.params();
        stored
            .is_some_and(|stored| stored.m_cost() < now.m_cost() || stored.t_cost() < now.t_cost())
    }

    /// Whether a hash that somebody else has made can be verified here, with what memory there is.
    pub(crate) fn understands(hash: &PasswordHash) -> bool {
        Phc::new(&hash.0).is_ok_and(|phc| {
            phc.algorithm == Algorithm::Argon2id.ident()
                && phc.hash.is_some()
                && Params::try_from(&phc).is_ok_and(|params| params.m_cost() <= MOST_MEMORY_KIB)
        })
    }

    /// Waits for a turn to compute: as many go at once as there are cores for it.
    pub(crate) async fn turn(&self) -> Result<Turn, AuthError> {
        let turn = Arc::clone(&self.0.permits).acquire_owned();
        tokio::time::timeout(self.0.queue_timeout, turn)
            .await
            .map_err(|_| AuthError::Unavailable)?
            .map(Turn)
            .map_err(|_| AuthError::Internal)
    }

    /// Whether the password belongs to the hash. Without a hash: no, after the same time. Gives the turn back, to be
    /// held until the outcome counts: whoever is next must see it.
    pub(crate) async fn verify(
        &self,
        turn: Turn,
        password: Secret,
        hash: Option<PasswordHash>,
    ) -> Result<(bool, Turn), AuthError> {
        let verify = move |inner: &Inner| {
            let stored = hash.as_ref().unwrap_or(&inner.dummy);
            let Ok(parsed) = Phc::new(&stored.0) else {
                return false;
            };
            let fits = inner
                .argon2
                .verify_password(password.expose().as_bytes(), &parsed)
                .is_ok();
            fits && hash.is_some()
        };
        self.compute(turn, verify).await
    }

    async fn compute<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<(T, Turn), AuthError> {
        let inner = Arc::clone(&self.0);
        // The turn goes along: a caller who gives up does not make room before the work is done.
        let work = move || (work(&inner), turn);
        in_background(work).await.ok_or(AuthError::Internal)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

/// One gibibyte, in KiB: more is a slip of the pen.
const MOST_MEMORY_KIB: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn password_fits_its_own_hash_and_no_other() {
        let passwords = Passwords::new(&PasswordConfig::insecure()).unwrap();
        let hash = passwords.hash(Secret::new("correct")).await.unwrap();
        assert!(
            hash.0.starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{}",
            hash.0
        );
        assert_eq!(format!("{hash:?}"), "<redacted>");
        let verify = async |text: &str, hash| {
            let turn = passwords.turn().await?;
            let verified = passwords.verify(turn, Secret::new(text), hash).await;
            verified.map(|(fits, _)| fits)
        };
        assert_eq!(verify("correct", Some(hash.clone())).await, Ok(true));
        assert_eq!(verify("wrong", Some(hash)).await, Ok(false));
        assert_eq!(verify("", None).await, Ok(false));
        assert_eq!(
            verify("correct", Some(PasswordHash("nonsense".to_owned()))).await,
            Ok(false)
        );
    }

    #[tokio::test]
    async fn login_that_waits_too_long_for_its_turn_is_unavailable() {
        let config = PasswordConfig {
            parallel: NonZeroUsize::MIN,
            queue_timeout: Duration::from_millis(1),
            ..PasswordConfig::insecure()
        };
        let passwords = Passwords::new(&config).unwrap();
        let held = passwords.turn().await.unwrap();
        assert_eq!(passwords.turn().await.err(), Some(AuthError::Unavailable));
        drop(held);
        assert!(passwords.turn().await.is_ok());
    }
}
