//! How often certificates may be asked for: per account, and by all together (restconf-pki 3.2.17).

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Clock;
use crate::model::Timestamp;

use super::Config;

/// Leaky buckets, one per account and one for all.
#[derive(Debug)]
pub(super) struct Throttle {
    clock: Clock,
    caller: Pace,
    all: Pace,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// Until when the requests so far are paid for.
    all: Timestamp,
    callers: HashMap<i64, Timestamp>,
}

/// What one request costs, and how much debt is let run up.
#[derive(Clone, Copy, Debug)]
struct Pace {
    cost: Duration,
    credit: Duration,
}

impl Throttle {
    pub(super) fn new(config: &Config, clock: &Clock) -> Self {
        let pace = |period: Duration, count: u32, burst: u32| {
            let cost = period / count.max(1);
            Pace {
                cost,
                credit: cost * burst.max(1),
            }
        };
        Self {
            clock: clock.clone(),
            caller: pace(
                Duration::from_mins(1),
                config.caller_per_minute,
                config.caller_burst,
            ),
            // A second's worth may come at once.
            all: pace(Duration::from_secs(1), config.per_second, config.per_second),
            buckets: Mutex::default(),
        }
    }

    /// Charges a request; an error says when to come back.
    pub(super) fn charge(&self, caller: i64) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut buckets = self.buckets.lock();
        if buckets.callers.len() >= MAX_CALLERS {
            buckets.callers.retain(|_, paid| *paid > now);
            if buckets.callers.len() >= MAX_CALLERS {
                return Err(FULL_RETRY);
            }
        }
        let own = buckets.callers.get(&caller).copied().unwrap_or(now);
        let own = self.caller.charge(own, now)?;
        buckets.all = self.all.charge(buckets.all, now)?;
        buckets.callers.insert(caller, own);
        Ok(())
    }
}

impl Pace {
    fn charge(self, paid: Timestamp, now: Timestamp) -> Result<Timestamp, Duration> {
        let paid = paid.max(now).saturating_add(self.cost);
        // A clock that was set back must not hold anybody off for longer than the debt can be.
        let debt = paid.since(now).min(self.credit + self.cost);
        match debt.checked_sub(self.credit).filter(|over| !over.is_zero()) {
            Some(over) => Err(over),
            None => Ok(paid),
        }
    }
}

/// Accounts counted at once: about 3 MiB.
const MAX_CALLERS: usize = 100_000;

/// When to come back where there was no room to count.
const FULL_RETRY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_have_a_burst_and_a_rate_and_share_the_key() {
        let clock = Clock::fixed(Timestamp::from_secs(100));
        let config = Config {
            caller_per_minute: 60,
            caller_burst: 3,
            per_second: 5,
            ..Config::default()
        };
        let throttle = Throttle::new(&config, &clock);
        assert!((0..3).all(|_| throttle.charge(1).is_ok()));
        assert_eq!(throttle.charge(1), Err(Duration::from_secs(1)));
        assert!((0..2).all(|_| throttle.charge(2).is_ok()));
        let held = throttle.charge(3).unwrap_err();
        assert_eq!(held, Duration::from_millis(200), "the key's own rate");
        clock.advance(Duration::from_secs(1));
        assert!(throttle.charge(1).is_ok());
        assert!(throttle.charge(1).is_err());
        clock.set(Timestamp::from_secs(50));
        clock.advance(Duration::from_mins(1));
        assert!(throttle.charge(1).is_ok());
    }
}
