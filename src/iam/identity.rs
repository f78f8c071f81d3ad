//! The room put together.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use hmac::Hmac;
use hmac::KeyInit as _;
use sha2::Sha256;
use tokio::sync::Mutex;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::audit::Log;
use crate::audit::Trail;
use crate::clock::Clock;
use crate::model::Class;

use super::Accounts;
use super::Authenticator;
use super::Config;
use super::Notice;
use super::Pepper;
use super::Registry;
use super::RevokedCertificates;
use super::Time;
use super::admission::TenantNames;
use super::authenticator::Inner;
use super::cache::Cache;
use super::chores::Chores;
use super::lockout::Lockout;
use super::meters::Meters;
use super::password::BadParameters;
use super::password::Passwords;
use super::port::Records;
use super::port::RecordsError;
use super::recent::Recent;
use super::tail::Tail;
use super::throttle::Throttle;
use super::uses::Uses;

/// Authenticator, registry and accounts over one store, wired so that what one changes the others obey at once.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Credential to principal.
    pub authenticator: Authenticator,
    /// Open RPCs.
    pub registry: Registry,
    /// Tenants, accounts, tokens.
    pub accounts: Accounts,
    /// Revoked certificates of our own authority.
    pub revoked: RevokedCertificates,
    pub(super) tail: Tail,
    pub(super) chores: Chores,
}

/// The room cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Argon2 takes no such parameters.
    #[error("argon2 parameters are out of range")]
    Argon2,
    /// The operating system gives no random numbers.
    #[error("no random numbers from the operating system")]
    NoRandomness,
    /// The store does not answer.
    #[error("store does not answer")]
    Records(#[source] RecordsError),
}

impl IdentityError {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        match self {
            Self::Argon2 | Self::NoRandomness => Class::Internal,
            Self::Records(error) => error.class(),
        }
    }
}

impl From<BadParameters> for IdentityError {
    fn from(_: BadParameters) -> Self {
        Self::Argon2
    }
}

impl Identity {
    /// Opens the room on `records` and `log`, which may be the same store.
    #[expect(clippy::too_many_lines, reason = "one line for each part of the room")]
    pub async fn open(
        records: Arc<dyn Records>,
        log: Arc<dyn Log>,
        pepper: Pepper,
        config: Config,
        clock: Clock,
    ) -> Result<Self, IdentityError> {
        let (time, start) = read_marks(&*records, &clock).await?;
        let meters = Arc::new(Meters::new());
        let recent = Arc::new(Recent::new(start));
        let passwords = Passwords::new(&config.password)?;
        let trail = Trail::new(TRAIL_EVENTS);
        let (marks, counters) = (Arc::clone(&recent), Arc::clone(&meters));
        let registry = Registry::new(marks, time.clone(), counters, trail.clone());
        let throttle = Arc::new(Throttle::new(&config.throttle, &clock));
        let authenticator = Authenticator(Arc::new(Inner {
            records: Arc::clone(&records),
            pepper: pepper.clone(),
            passwords: passwords.clone(),
            time: time.clone(),
            recent,
            registry: registry.clone(),
            trail: trail.clone(),
            meters: Arc::clone(&meters),
            throttle: Arc::clone(&throttle),
            lockout: Lockout::new(&config.throttle),
            uses: Uses::default(),
            positive: Cache::new(config.cache_entries),
            negative: Cache::new(config.negative_entries),
            certificates: Cache::new(config.cache_entries),
            logins: Cache::new(LOGINS),
            tenant_names: TenantNames::default(),
            foreign: OnceLock::new(),
            boot_key: random_key()?,
            lanes: std::array::from_fn(|_| Mutex::new(())),
            slow_lane: Mutex::new(()),
            config: config.clone(),
        }));
        Ok(Self {
            chores: Chores::new(Arc::clone(&records), time.clone(), config.retention),
            accounts: Accounts {
                records: Arc::clone(&records),
                log: Arc::clone(&log),
                pepper,
                time: time.clone(),
                session_lifetime: config.session_lifetime,
                minting: config.minting,
                passwords,
                registry: registry.clone(),
                throttle,
            },
            tail: Tail {
                records,
                log,
                trail,
                authenticator: authenticator.clone(),
                registry: registry.clone(),
                time,
                meters,
                poll_interval: config.poll_interval,
                outage_grace: config.outage_grace.min(LONGEST_GRACE),
                audit_retention: config.audit_retention,
                start,
            },
            authenticator,
            revoked: registry.revoked().clone(),
            registry,
        })
    }

    /// Secrets for a purpose, the same on every node of a store, the one in force first.
    pub fn secrets(&self, purpose: &str) -> Vec<Zeroizing<[u8; 32]>> {
        self.accounts.pepper.secrets(purpose)
    }

    /// Hears of tokens that end, from now on. Who reads too slowly misses the oldest.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.chores.notices()
    }

    /// Follows the revocation log, ends what expires, warns of what will, purges what was, and stores audit events, until
    /// `stop`. A gateway runs this as
    /// long as it serves; a command that only manages accounts need not.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = self.tail.follow() => {}
            () = self.tail.expire() => {}
            () = self.authenticator.follow_issuer() => {}
            () = self.chores.run() => {}
            () = self.tail.keep_up(stop) => {}
        }
        self.flush().await;
    }

    /// Stores what has gathered and would be lost with the process: audit events, and uses of tokens.
    pub async fn flush(&self) {
        self.tail.finish().await;
    }
}

/// The time, not before any that was ever noted, and the newest entry of the revocation log.
async fn read_marks(records: &dyn Records, clock: &Clock) -> Result<(Time, u64), IdentityError> {
    let mark = records.raise_time_mark(clock.now()).await;
    let start = records.newest_revocation().await;
    let time = Time::new(clock.clone(), mark.map_err(IdentityError::Records)?);
    Ok((time, start.map_err(IdentityError::Records)?))
}

/// A key that nobody knows and that ends with the process.
fn random_key() -> Result<Hmac<Sha256>, IdentityError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *key).map_err(|_| IdentityError::NoRandomness)?;
    Hmac::new_from_slice(&*key).map_err(|_| IdentityError::NoRandomness)
}

/// Audit events that wait to be stored: two seconds of the worst flood that the throttle lets through.
const TRAIL_EVENTS: usize = 10_000;

/// Passwords known to be right.
const LOGINS: usize = 10_000;

/// The longest outage through which anybody stays (iam R6).
const LONGEST_GRACE: Duration = Duration::from_mins(5);
