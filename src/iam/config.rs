//! The room's settings.

use std::num::NonZeroU32;
use std::num::NonZeroUsize;
use std::time::Duration;

/// How credentials are checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long a principal is used before the store is asked again. A net below revocation, not its means (iam R1).
    pub cache_ttl: Duration,
    /// How many principals are cached. One takes about 500 bytes.
    pub cache_entries: usize,
    /// How long an unknown or inactive token is refused without asking the store (iam R2).
    pub negative_ttl: Duration,
    /// How many refused tokens are cached, apart from the good ones (iam R2).
    pub negative_entries: usize,
    /// How often the store's revocation log is read.
    pub poll_interval: Duration,
    /// How long cached principals hold while the store is unreachable; then all streams end (iam R6). At most 300 s.
    pub outage_grace: Duration,
    /// How long tokens that are revoked or expired are kept, and shown to who asks for them.
    pub retention: Duration,
    /// How long the bearer token of a login holds.
    pub session_lifetime: Duration,
    /// How long audit events are kept. Older ones are removed, after which the chain begins behind them (iam A6).
    pub audit_retention: Duration,
    /// Whether a Personal Access Token may issue tokens.
    pub minting: Minting,
    /// Password logins.
    pub password: PasswordConfig,
    /// What failures cost.
    pub throttle: ThrottleConfig,
}

/// Whether who comes by a Personal Access Token may issue tokens (iam 1, row 14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Minting {
    /// It may: they end no later than its own, and are revoked along with it.
    Child,
    /// It may not.
    Off,
    /// It may, as the vendor's examples do.
    #[default]
    On,
}

/// Password logins (iam T7).
#[derive(Clone, Debug)]
pub struct PasswordConfig {
    /// Argon2id memory in KiB.
    pub memory_kib: u32,
    /// Argon2id passes.
    pub passes: u32,
    /// Argon2id lanes.
    pub lanes: u32,
    /// How many computations run at once.
    pub parallel: NonZeroUsize,
    /// How long a login waits for its turn before it is refused.
    pub queue_timeout: Duration,
    /// How long a password that was right is taken without computing again.
    pub success_ttl: Duration,
}

/// What failures cost (iam L1-L3).
#[derive(Clone, Debug)]
pub struct ThrottleConfig {
    /// Failures per minute and source address, in the long run.
    pub failure_per_minute: NonZeroU32,
    /// Failures per source address at once.
    pub failure_burst: u32,
    /// Uses per second of a known token that is expired, revoked or disabled.
    pub inactive_per_second: NonZeroU32,
    /// The same at once.
    pub inactive_burst: u32,
    /// Wrong passwords per user and source network within [`ThrottleConfig::lockout`] that lock the pair out.
    pub lockout_failures: u32,
    /// How long failures are remembered, and how long a lock-out lasts.
    pub lockout: Duration,
    /// Changes over HTTP per second and account.
    pub writes_per_second: NonZeroU32,
    /// New Personal Access Tokens per minute and tenant.
    pub pats_per_minute: NonZeroU32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cache_ttl: Duration::from_secs(30),
            cache_entries: 1_000_000,
            negative_ttl: Duration::from_secs(10),
            negative_entries: 100_000,
            poll_interval: Duration::from_millis(250),
            outage_grace: Duration::from_mins(1),
            retention: Duration::from_hours(90 * 24),
            session_lifetime: Duration::from_hours(12),
            // What auditors commonly ask for.
            audit_retention: Duration::from_hours(365 * 24),
            minting: Minting::default(),
            password: PasswordConfig::default(),
            throttle: ThrottleConfig::default(),
        }
    }
}

/// OWASP's minimum for Argon2id, on half of the cores: logins never take the processor away from all streams.
impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
            parallel: std::thread::available_parallelism()
                .ok()
                .and_then(|cores| NonZeroUsize::new(cores.get() / 2))
                .unwrap_or(NonZeroUsize::MIN),
            queue_timeout: Duration::from_secs(5),
            success_ttl: Duration::from_mins(1),
        }
    }
}

impl PasswordConfig {
    /// As cheap as Argon2id gets. For tests alone.
    pub fn insecure() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
            ..Self::default()
        }
    }
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self {
            failure_per_minute: NonZeroU32::MIN.saturating_add(19),
            failure_burst: 40,
            inactive_per_second: NonZeroU32::MIN,
            inactive_burst: 5,
            lockout_failures: 5,
            lockout: Duration::from_mins(15),
            writes_per_second: NonZeroU32::MIN.saturating_add(9),
            pats_per_minute: NonZeroU32::MIN.saturating_add(59),
        }
    }
}
