//! `[iam]`: how credentials are checked, passwords computed, failures slowed.

use std::num::NonZeroU32;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::StatusCode;

use crate::accounts;
use crate::iam::Config;
use crate::iam::Minting;
use crate::iam::PasswordConfig;
use crate::iam::ThrottleConfig;
use crate::oauth;

use super::Fault;
use super::raw::Given;
use super::section::Section;
use super::setting::Setting;
use super::setting::quoted;
use super::setting::text;

/// Reads `[iam]`.
pub(super) fn iam(section: &mut Section<'_, '_>) -> Config {
    let default = Config::default();
    Config {
        cache_ttl: section.duration(
            "cache_ttl",
            default.cache_ttl,
            SECOND..=MAX_CACHE_TTL,
            "How long a principal is used before the store is asked again; revocation does not wait for it.",
        ),
        cache_entries: section.count(
            "cache_entries",
            default.cache_entries,
            ENTRIES,
            "Cached principals, about 500 bytes each.",
        ),
        negative_ttl: section.duration(
            "negative_ttl",
            default.negative_ttl,
            SECOND..=MINUTE,
            "How long an unknown token is refused without asking the store.",
        ),
        negative_entries: section.count(
            "negative_entries",
            default.negative_entries,
            ENTRIES,
            "Cached refusals.",
        ),
        poll_interval: section.duration(
            "poll_interval",
            default.poll_interval,
            Duration::from_millis(10)..=Duration::from_millis(500),
            "How often the store's revocation log is read. A revoked token's streams end within a second.",
        ),
        outage_grace: section.duration(
            "outage_grace",
            default.outage_grace,
            Duration::ZERO..=MAX_OUTAGE,
            "How long cached principals hold while the store is unreachable; then all streams end.",
        ),
        retention: section.duration(
            "retention",
            default.retention,
            DAY..=MAX_RETENTION,
            "How long revoked and expired tokens are kept and listed; then they are purged.",
        ),
        session_lifetime: section.duration(
            "session_lifetime",
            default.session_lifetime,
            MINUTE..=MAX_SESSION,
            "How long the bearer token of a login holds.",
        ),
        audit_retention: section.duration(
            "audit_retention",
            default.audit_retention,
            DAY..=MAX_RETENTION,
            "How long audit events are kept.",
        ),
        minting: minting(section, default.minting),
        password: password(section, &default.password),
        throttle: throttle(section, &default.throttle),
    }
}

fn minting(section: &mut Section<'_, '_>, default: Minting) -> Minting {
    section.get(
        "pat_minting",
        default,
        "Whether a Personal Access Token may issue tokens: `on`; `off`; `child`: they end with it at the latest, and are revoked along with it.",
    )
}

/// Reads what the token endpoint gives.
pub(super) fn oauth(section: &mut Section<'_, '_>) -> oauth::Config {
    oauth::Config {
        password_grant: section.get(
            "password_grant",
            oauth::Config::default().password_grant,
            "Whether people get a bearer token for their password at `/oauth/v2/token`.",
        ),
        audience: section
            .optional::<String>(
                "token_audience",
                "Whom introspection's answers name in `aud`: all who take this gateway's tokens, by one name.",
            )
            .map(Into::into),
    }
}

/// Reads `[compat]`.
pub(super) fn compat(section: &mut Section<'_, '_>) -> accounts::Config {
    let default = accounts::Config::default();
    let status = section.get::<u64>(
        "expired_pat_status",
        u64::from(default.expired_pat_status.as_u16()),
        "How the account API answers an expired token: 403, as the vendor documents, or 401, as RFC 6750 has it.",
    );
    let expired_pat_status = match status {
        401 => StatusCode::UNAUTHORIZED,
        403 => StatusCode::FORBIDDEN,
        _ => {
            section.mistake("expired_pat_status", Fault::Expected("401 or 403"));
            default.expired_pat_status
        }
    };
    accounts::Config { expired_pat_status }
}

fn password(section: &mut Section<'_, '_>, default: &PasswordConfig) -> PasswordConfig {
    let parallel = section.optional::<u64>(
        "password_parallel",
        "Argon2id computations at once; half as many as there are processors when left out.",
    );
    let above_zero = parallel.and_then(|count| NonZeroUsize::new(usize::try_from(count).ok()?));
    if parallel.is_some() && above_zero.is_none() {
        section.mistake(
            "password_parallel",
            Fault::Expected("a whole number above zero"),
        );
    }
    PasswordConfig {
        parallel: above_zero.unwrap_or(default.parallel),
        queue_timeout: section.duration(
            "password_queue_timeout",
            default.queue_timeout,
            Duration::ZERO..=MINUTE,
            "How long a login waits for its turn before it is refused.",
        ),
        success_ttl: section.duration(
            "password_success_ttl",
            default.success_ttl,
            Duration::ZERO..=Duration::from_mins(10),
            "How long a password that was right is taken without computing again.",
        ),
        ..default.clone()
    }
}

fn throttle(section: &mut Section<'_, '_>, default: &ThrottleConfig) -> ThrottleConfig {
    ThrottleConfig {
        failure_per_minute: non_zero(section.count(
            "failure_per_minute",
            default.failure_per_minute.get(),
            RATE,
            "Failed logins per minute and source address, in the long run.",
        )),
        failure_burst: section.count(
            "failure_burst",
            default.failure_burst,
            RATE,
            "Failed logins per source address at once.",
        ),
        inactive_per_second: non_zero(section.count(
            "inactive_per_second",
            default.inactive_per_second.get(),
            RATE,
            "Uses per second of a known token that is expired, revoked or disabled.",
        )),
        inactive_burst: section.count(
            "inactive_burst",
            default.inactive_burst,
            RATE,
            "The same at once.",
        ),
        lockout_failures: section.count(
            "lockout_failures",
            default.lockout_failures,
            RATE,
            "Wrong passwords per user and source network within `lockout` that lock the pair out.",
        ),
        lockout: section.duration(
            "lockout",
            default.lockout,
            SECOND..=Duration::from_hours(24),
            "How long failures are remembered, and how long a lock-out lasts.",
        ),
        writes_per_second: non_zero(section.count(
            "writes_per_second",
            default.writes_per_second.get(),
            RATE,
            "Changes of accounts and tokens per second and caller.",
        )),
        pats_per_minute: non_zero(section.count(
            "pats_per_minute",
            default.pats_per_minute.get(),
            RATE,
            "New Personal Access Tokens per minute and tenant.",
        )),
    }
}

impl Setting for Minting {
    const KIND: &'static str = "on, child or off";

    fn read(given: &Given) -> Result<Self, Fault> {
        match text(given) {
            Some("child") => Ok(Self::Child),
            Some("off") => Ok(Self::Off),
            Some("on") => Ok(Self::On),
            _ => Err(Fault::Expected("\"on\", \"child\" or \"off\"")),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Child => "child",
            Self::Off => "off",
            Self::On => "on",
        })
    }
}

/// The range begins at one.
fn non_zero(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// Ten years, the longest that laws ask for.
const MAX_RETENTION: Duration = Duration::from_hours(3_650 * 24);

/// A net below revocation must be tight enough to be one (iam R1).
const MAX_CACHE_TTL: Duration = Duration::from_mins(5);

/// Longer would be access without control (iam R6).
const MAX_OUTAGE: Duration = Duration::from_mins(5);

/// Who needs longer needs a Personal Access Token.
const MAX_SESSION: Duration = Duration::from_hours(30 * 24);

const ENTRIES: RangeInclusive<u64> = 1..=100_000_000;
const RATE: RangeInclusive<u64> = 1..=1_000_000;
