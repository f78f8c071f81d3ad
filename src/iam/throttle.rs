//! What failures cost. Successes cost nothing (iam L1, L2).

use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dashmap::DashMap;
use governor::Quota;
use governor::RateLimiter;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use parking_lot::Mutex;

use crate::clock::Clock;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::AccountId;
use super::PatId;
use super::ThrottleConfig;

/// Counts failures per source address and per inactive token.
#[derive(Debug)]
pub(crate) struct Throttle {
    sources: Buckets<IpAddr>,
    inactive: Buckets<Known>,
    telling: Buckets<Known>,
    denied: Buckets<AccountId>,
    visits: Buckets<(AccountId, TenantId)>,
    writes: Buckets<AccountId>,
    pats: Buckets<TenantId>,
}

/// A credential that is known, but inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Known {
    /// A certificate of our own authority.
    Certificate(Serial),
    /// A token.
    Pat(PatId),
}

/// A failure's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// Within the budget.
    Free,
    /// Beyond it since just now: worth one line in the audit trail.
    JustSpent(Duration),
    /// Beyond it.
    Spent(Duration),
}

impl Price {
    /// How long to wait; `None` within the budget.
    pub(crate) const fn wait(self) -> Option<Duration> {
        match self {
            Self::Free => None,
            Self::JustSpent(wait) | Self::Spent(wait) => Some(wait),
        }
    }
}

impl Throttle {
    pub(crate) fn new(config: &ThrottleConfig, clock: &Clock) -> Self {
        let per_minute = Quota::per_minute(config.failure_per_minute);
        let per_second = Quota::per_second(config.inactive_per_second);
        let burst = |most: u32| NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN);
        Self {
            sources: Buckets::new(per_minute.allow_burst(burst(config.failure_burst)), clock),
            inactive: Buckets::new(per_second.allow_burst(burst(config.inactive_burst)), clock),
            telling: Buckets::new(Quota::per_minute(NonZeroU32::MIN), clock),
            visits: Buckets::new(Quota::per_minute(NonZeroU32::MIN), clock),
            writes: Buckets::new(Quota::per_second(config.writes_per_second), clock),
            pats: Buckets::new(Quota::per_minute(config.pats_per_minute), clock),
            denied: Buckets::new(
                Quota::per_second(NonZeroU32::MIN).allow_burst(burst(DENIALS)),
                clock,
            ),
        }
    }

    /// Charges a change over HTTP to who makes it (iam L5).
    pub(crate) fn charge_write(&self, account: AccountId) -> Price {
        self.writes.charge(account)
    }

    /// Charges a new token to its tenant (iam L5).
    pub(crate) fn charge_pat(&self, tenant: TenantId) -> Price {
        self.pats.charge(tenant)
    }

    /// Charges a failure to its source.
    pub(crate) fn charge_source(&self, from: IpAddr) -> Price {
        self.sources.charge(network_of(from))
    }

    /// Charges the use of a known but inactive credential to that credential: a fleet of forgotten clients that retry for
    /// ever is no attack, and must not cost its neighbours behind the same address (iam L2).
    pub(crate) fn charge_inactive(&self, known: Known) -> Price {
        self.inactive.charge(known)
    }

    /// Whether the audit trail should hear of an inactive credential: once a minute (iam L2).
    pub(crate) fn is_worth_telling(&self, known: Known) -> bool {
        self.telling.charge(known) == Price::Free
    }

    /// Whether the audit trail should hear that an account wanted what it may not: ten times, and then once a second.
    pub(crate) fn is_worth_telling_of(&self, account: AccountId) -> bool {
        self.denied.charge(account) == Price::Free
    }

    /// Whether the audit trail should hear that an account acts in another tenant: once a minute.
    pub(crate) fn is_worth_telling_visit(&self, account: AccountId, tenant: &TenantId) -> bool {
        self.visits.charge((account, tenant.clone())) == Price::Free
    }

    /// How long a source is beyond its budget; `None` while it is within.
    pub(crate) fn held_off(&self, from: IpAddr) -> Option<Duration> {
        self.sources.held_off(&network_of(from))
    }

    /// Forgets what no longer matters.
    pub(crate) fn sweep(&self) {
        self.sources.sweep();
        self.inactive.sweep();
        self.telling.sweep();
        self.writes.sweep();
        self.pats.sweep();
        self.denied.sweep();
        self.visits.sweep();
    }
}

/// One leaky bucket per key.
struct Buckets<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, Elapsed, NoOpMiddleware<Nanos>>,
    /// Until when a key is beyond its budget, in the terms of [`Elapsed`].
    spent: DashMap<K, u64>,
    /// When a sweep for want of room may happen next.
    sweep_due: AtomicU64,
    elapsed: Elapsed,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(quota: Quota, clock: &Clock) -> Self {
        let elapsed = Elapsed::new(clock);
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, elapsed.clone()),
            spent: DashMap::new(),
            sweep_due: AtomicU64::new(0),
            elapsed,
        }
    }

    fn charge(&self, key: K) -> Price {
        if self.limiter.len() >= MAX_BUCKETS {
            self.sweep_once_a_second();
            if self.limiter.len() >= MAX_BUCKETS {
                return Price::Spent(FULL_RETRY);
            }
        }
        match self.limiter.check_key(&key) {
            Ok(()) => {
                self.spent.remove(&key);
                Price::Free
            }
            Err(not_until) => {
                let now = self.elapsed.nanos();
                let wait = not_until.wait_time_from(Nanos::new(now));
                let until = now.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
                match self.spent.insert(key, until) {
                    Some(_) => Price::Spent(wait),
                    None => Price::JustSpent(wait),
                }
            }
        }
    }

    fn held_off(&self, key: &K) -> Option<Duration> {
        let until = *self.spent.get(key)?;
        let left = until
            .checked_sub(self.elapsed.nanos())
            .filter(|left| *left > 0)?;
        Some(Duration::from_nanos(left))
    }

    /// Looking at all buckets for each of a flood of failures would be what the flood wants.
    fn sweep_once_a_second(&self) {
        let now = self.elapsed.nanos();
        let due = self.sweep_due.load(Ordering::Relaxed);
        let next = now.saturating_add(SWEEP_INTERVAL_NANOS);
        let is_mine = || {
            self.sweep_due
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        if now >= due && is_mine() {
            self.sweep();
        }
    }

    fn sweep(&self) {
        self.limiter.retain_recent();
        let now = self.elapsed.nanos();
        self.spent.retain(|_, until| *until > now);
    }
}

impl<K: Hash + Eq + Clone> fmt::Debug for Buckets<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buckets({})", self.limiter.len())
    }
}

/// Time that passed by the wall clock, steps back left out: a budget must fill again whatever is done to the clock.
#[derive(Clone, Debug)]
struct Elapsed {
    clock: Clock,
    last: Arc<Mutex<(Timestamp, u64)>>,
}

impl Elapsed {
    fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            last: Arc::new(Mutex::new((clock.now(), 0))),
        }
    }

    fn nanos(&self) -> u64 {
        let mut last = self.last.lock();
        let now = self.clock.now();
        let step = u64::try_from(now.since(last.0).as_nanos()).unwrap_or(u64::MAX);
        *last = (now, last.1.saturating_add(step));
        last.1
    }
}

impl governor::clock::Clock for Elapsed {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.nanos())
    }
}

/// The address whose failures count together: an IPv6 host has its whole /64.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & NETWORK_MASK_V6)),
        IpAddr::V4(v4) => IpAddr::V4(v4),
    }
}

const NETWORK_MASK_V6: u128 = !0 << 64;

/// How many keys are counted at once: about 10 MiB. Beyond it, failures of further keys are held off untold.
const MAX_BUCKETS: usize = 100_000;

/// Denials of one account that are told of at once.
const DENIALS: u32 = 10;

/// Buckets are looked through for want of room once in so long.
const SWEEP_INTERVAL_NANOS: u64 = 1_000_000_000;

/// When to come back where there was no room to count.
const FULL_RETRY: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(clock: &Clock) -> Throttle {
        Throttle::new(&ThrottleConfig::default(), clock)
    }

    #[test]
    fn source_has_a_burst_of_40_failures_and_then_20_a_minute() {
        let clock = Clock::fixed(Timestamp::from_secs(1));
        let throttle = throttle(&clock);
        let from = IpAddr::from([192, 0, 2, 1]);
        assert!((0..40).all(|_| throttle.charge_source(from) == Price::Free));
        assert!(throttle.held_off(from).is_none());
        assert!(matches!(throttle.charge_source(from), Price::JustSpent(_)));
        assert!(matches!(throttle.charge_source(from), Price::Spent(_)));
        assert_eq!(throttle.charge_source([192, 0, 2, 2].into()), Price::Free);

        clock.set(Timestamp::EPOCH);
        clock.advance(Duration::from_mins(1));
        let free = (0..100)
            .filter(|_| throttle.charge_source(from) == Price::Free)
            .count();
        assert!((19..=21).contains(&free), "{free}");
    }

    #[test]
    fn network_of_an_ipv6_address_is_its_64() {
        let one: IpAddr = "2001:db8:1:2:3::4".parse().unwrap();
        let other: IpAddr = "2001:db8:1:2::".parse().unwrap();
        assert_eq!(network_of(one), other);
        assert_eq!(
            network_of("::ffff:192.0.2.1".parse().unwrap()),
            IpAddr::from([192, 0, 2, 1])
        );
    }
}
