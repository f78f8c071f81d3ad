//! Credential to principal: cached, throttled, and never later than the revocation log allows.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hmac::Hmac;
use sha2::Sha256;
use tokio::sync::Mutex;

use crate::audit::Trail;
use crate::model::Class;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::AuthError;
use super::Config;
use super::Credential;
use super::LockedOut;
use super::PatFacts;
use super::Pepper;
use super::Principal;
use super::Registry;
use super::Source;
use super::Time;
use super::admission::TenantNames;
use super::cache::Cache;
use super::cache::CacheKey;
use super::foreign::Foreign;
use super::lockout::Lockout;
use super::meters::Meters;
use super::password::Passwords;
use super::pat::PatText;
use super::port::Records;
use super::recent::Recent;
use super::throttle::Throttle;
use super::uses::Uses;

/// Tells who a credential belongs to. Cheap to clone.
///
/// A token that is cached costs a digest and a map look-up. One that is not costs one read of the store; reads for
/// one token are never made twice at once, and at most `LANES` are made at once in all.
#[derive(Clone)]
pub struct Authenticator(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) records: Arc<dyn Records>,
    pub(super) pepper: Pepper,
    pub(super) passwords: Passwords,
    pub(super) time: Time,
    pub(super) recent: Arc<Recent>,
    pub(super) registry: Registry,
    pub(super) trail: Trail,
    pub(super) meters: Arc<Meters>,
    pub(super) throttle: Arc<Throttle>,
    pub(super) lockout: Lockout,
    pub(super) uses: Uses,
    /// Tokens that count.
    pub(super) positive: Cache<Arc<Entry>>,
    /// Tokens that do not. Apart, so that a flood of them cannot push out the others (iam R2).
    pub(super) negative: Cache<Refusal>,
    /// Certificates that count, by their fingerprint.
    pub(super) certificates: Cache<Arc<Entry>>,
    /// Passwords that were right, by a digest under [`Inner::boot_key`].
    pub(super) logins: Cache<Arc<Entry>>,
    pub(super) tenant_names: TenantNames,
    /// Another issuer whose tokens are taken.
    pub(super) foreign: OnceLock<Foreign>,
    /// Random, of this process alone.
    pub(super) boot_key: Hmac<Sha256>,
    /// Reads of the store: one at once in each lane, and a token always takes the same.
    pub(super) lanes: [Mutex<()>; LANES],
    /// The lane of sources that are beyond their budget of failures.
    pub(super) slow_lane: Mutex<()>,
}

/// A cached principal.
pub(super) struct Entry {
    pub(super) principal: Arc<Principal>,
    pub(super) fetched: Timestamp,
    fresh_until: Timestamp,
    /// The generation of [`Recent`] at which nothing concerned the principal.
    compared: AtomicU64,
    /// When its use was last noted, in nanoseconds since the epoch.
    noted: AtomicI64,
    /// From where that was, folded into a number.
    noted_from: AtomicU64,
}

/// A cached refusal. Any entry of the revocation log voids it, for the token may have been issued or given back.
#[derive(Clone, Copy)]
pub(super) struct Refusal {
    pub(super) error: AuthError,
    pub(super) until: Timestamp,
    pub(super) generation: u64,
}

/// What the caches know.
pub(super) enum Cached {
    Absent,
    Good(Arc<Entry>),
    Refused(AuthError),
}

impl Authenticator {
    /// Tells who `credential`, presented from `from`, belongs to.
    ///
    /// A failure is charged to its source, or to the token where that is known; a success never costs anything,
    /// whatever the source's other clients do (iam L1, L2).
    ///
    /// # Errors
    ///
    /// [`AuthError`] says why not. While the store cannot be asked that is [`AuthError::Unavailable`], never that
    /// the credential is bad.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped look-up leaves nothing behind.
    pub async fn authenticate<'o>(
        &self,
        credential: Credential,
        from: impl Into<Source<'o>>,
    ) -> Result<Arc<Principal>, AuthError> {
        let source = from.into();
        let from = source.address;
        if self.0.registry.is_shut().is_some() {
            return Err(AuthError::Unavailable);
        }
        let outcome = match &credential {
            Credential::Bearer(token) => self.0.token(token.expose(), source).await,
            Credential::Certificate(certificate) => self.0.certificate(certificate, from).await,
            Credential::Password { username, password } => {
                self.0.password(username, password, source).await
            }
        };
        let admitted = outcome.and_then(|principal| {
            if principal.may_come_from(from) {
                Ok(principal)
            } else {
                Err(AuthError::AddressNotAllowed {
                    token: principal.token,
                })
            }
        });
        admitted.map_err(|error| self.0.refuse(error, source))
    }

    /// Tells who holds a password, for them to set another: also one that is good for nothing else (iam 3.7). A failure
    /// costs what it costs elsewhere.
    ///
    /// # Errors
    ///
    /// [`AuthError`] as [`Authenticator::authenticate`] has it.
    pub async fn authenticate_holder<'o>(
        &self,
        username: &str,
        password: &Secret,
        from: impl Into<Source<'o>>,
    ) -> Result<Arc<Principal>, AuthError> {
        let source = from.into();
        if self.0.registry.is_shut().is_some() {
            return Err(AuthError::Unavailable);
        }
        let holder = self.0.holder(username, password, source.address).await;
        let admitted = holder.and_then(|principal| {
            if principal.may_come_from(source.address) {
                Ok(Arc::new(principal))
            } else {
                Err(AuthError::AddressNotAllowed { token: None })
            }
        });
        admitted.map_err(|error| self.0.refuse(error, source))
    }

    /// Tells who a token belongs to on behalf of somebody who was asked to accept it (RFC 7662). `None` for whatever is
    /// not active. Charges nobody, and is no use of the token. Tokens of another issuer are its own to tell of: two gateways
    /// that ask each other would never come to an end.
    ///
    /// # Errors
    ///
    /// [`AuthError::Throttled`] when the asker's own failures hold it off, [`AuthError::Unavailable`] while the store
    /// cannot be asked.
    pub async fn introspect(
        &self,
        token: &Secret,
        from: IpAddr,
    ) -> Result<Option<Arc<Principal>>, AuthError> {
        if self.0.registry.is_shut().is_some() {
            return Err(AuthError::Unavailable);
        }
        match self.0.find_token(token.expose(), from).await {
            Ok((entry, _)) => Ok(Some(Arc::clone(&entry.principal))),
            Err(error) if error.class() == Class::Unauthenticated => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All that is known of a token that was shown, active or not. A guess is charged to its source.
    pub(super) async fn facts(&self, token: &Secret, from: IpAddr) -> Result<PatFacts, AuthError> {
        let found = self.0.facts(token.expose(), from).await;
        found.map_err(|error| self.0.refuse(error, from.into()))
    }

    /// Counts a change over HTTP by `principal` (iam L5).
    ///
    /// # Errors
    ///
    /// [`AuthError::Throttled`] when it makes too many.
    pub fn charge_write(&self, principal: &Principal) -> Result<(), AuthError> {
        let wait = self.0.throttle.charge_write(principal.account).wait();
        wait.map_or(Ok(()), |retry_after| {
            Err(AuthError::Throttled { retry_after })
        })
    }

    /// Who of a tenant is locked out of this gateway after wrong passwords, from which network.
    pub fn locked(&self, tenant: &TenantId) -> Vec<LockedOut> {
        self.0.lockout.locked(tenant, self.0.time.now())
    }

    /// How many principals are cached.
    pub fn cached(&self) -> usize {
        self.0.positive.len()
    }

    /// Notes that the tokens of open streams are in use.
    pub(super) fn note_streams(&self, registry: &Registry) {
        for (token, used) in registry.uses() {
            self.0.uses.note(token, used);
        }
    }

    /// Lets go of what is no longer needed.
    pub(super) fn sweep(&self) {
        self.0.positive.age();
        self.0.negative.age();
        self.0.logins.age();
        self.0.certificates.age();
        self.0.throttle.sweep();
        self.0.lockout.sweep(self.0.time.now());
    }
}

impl Inner {
    pub(super) async fn token(
        &self,
        text: &str,
        from: Source<'_>,
    ) -> Result<Arc<Principal>, AuthError> {
        if let Some(foreign) = self.issuer_of(text) {
            let entry = Box::pin(self.find_foreign(foreign, text, from.address)).await?;
            return Ok(Arc::clone(&entry.principal));
        }
        let (entry, now) = self.find_token(text, from.address).await?;
        self.note_use(&entry, now, from);
        Ok(Arc::clone(&entry.principal))
    }

    async fn find_token(
        &self,
        text: &str,
        from: IpAddr,
    ) -> Result<(Arc<Entry>, Timestamp), AuthError> {
        let pat = PatText::parse(text).map_err(|_| AuthError::Garbled)?;
        let key = CacheKey::new(*self.pepper.digest(pat).as_bytes());
        let now = self.time.now();
        let entry = match self.cached(&key, now) {
            Cached::Good(entry) => {
                self.meters.hits.increment(1);
                entry
            }
            Cached::Refused(error) => {
                self.meters.negatives.increment(1);
                return Err(error);
            }
            Cached::Absent => Box::pin(self.look_up(pat, key, from)).await?,
        };
        Ok((entry, now))
    }

    pub(super) fn cached(&self, key: &CacheKey, now: Timestamp) -> Cached {
        if let Some(entry) = self.positive.get(key)
            && entry.is_untouched(&self.recent)
        {
            if let Some(token) = entry.principal.token
                && entry.principal.expires.is_over(now)
            {
                self.time.note_expiry(now);
                return Cached::Refused(AuthError::PatExpired { token });
            }
            if now < entry.fresh_until {
                return Cached::Good(entry);
            }
        }
        match self.negative.get(key) {
            Some(refusal)
                if now < refusal.until && refusal.generation == self.recent.generation() =>
            {
                Cached::Refused(refusal.error)
            }
            _ => Cached::Absent,
        }
    }

    fn note_use(&self, entry: &Entry, now: Timestamp, from: Source<'_>) {
        let Some(token) = entry.principal.token else {
            return;
        };
        let noted = entry.noted.load(Ordering::Relaxed);
        let is_due = now.since(Timestamp::from_nanos(noted)) >= USE_GRAIN;
        let place = folded(from.address);
        let is_moved = entry.noted_from.load(Ordering::Relaxed) != place;
        if is_moved {
            entry.noted_from.store(place, Ordering::Relaxed);
        }
        if (is_due || is_moved)
            && entry
                .noted
                .compare_exchange(noted, now.nanos(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.uses.note(token, from.used(now));
        }
    }
}

/// Two addresses that differ have, as good as always, two numbers.
fn folded(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()) | 1 << 32,
        IpAddr::V6(v6) => {
            let bits = v6.to_bits().to_le_bytes();
            bits.chunks_exact(8).fold(0, |sum, half| {
                half.iter()
                    .fold(sum, |sum: u64, byte| sum.rotate_left(8) ^ u64::from(*byte))
            })
        }
    }
}

impl Entry {
    pub(super) fn new(principal: Principal, fetched: Timestamp, ttl: Duration) -> Arc<Self> {
        Arc::new(Self {
            principal: Arc::new(principal),
            fetched,
            fresh_until: fetched.saturating_add(ttl),
            compared: AtomicU64::new(0),
            noted: AtomicI64::new(0),
            noted_from: AtomicU64::new(0),
        })
    }

    /// Whether no newer entry of the revocation log concerns it. One comparison, until the log grows.
    pub(super) fn is_untouched(&self, recent: &Recent) -> bool {
        let generation = recent.generation();
        if self.compared.load(Ordering::Relaxed) == generation {
            return true;
        }
        let untouched = recent.is_untouched(&self.principal);
        if untouched {
            self.compared.store(generation, Ordering::Relaxed);
        }
        untouched
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until && !self.principal.expires.is_over(now)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authenticator({} cached)", self.cached())
    }
}

/// Reads of the store at once: more than any store serves in parallel, fewer than would exhaust one.
pub(super) const LANES: usize = 64;

/// A token's last use is noted once in so long (iam A4).
const USE_GRAIN: Duration = Duration::from_mins(1);
