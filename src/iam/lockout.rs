//! Locks out a user from a network after wrong passwords (iam L3). Tokens are never locked: they cannot be guessed,
//! and a lock would let anybody shut a service account out.

use std::net::IpAddr;
use std::time::Duration;

use dashmap::DashMap;
use dashmap::Entry;

use crate::model::Timestamp;

use super::ThrottleConfig;
use super::throttle::network_of;

/// Wrong passwords per user name and source network.
#[derive(Debug)]
pub(crate) struct Lockout {
    failures: DashMap<(String, IpAddr), Failures>,
    most: u32,
    period: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    since: Timestamp,
}

impl Lockout {
    pub(crate) fn new(config: &ThrottleConfig) -> Self {
        Self {
            failures: DashMap::new(),
            most: config.lockout_failures.max(1),
            period: config.lockout,
        }
    }

    /// How long the pair is still locked out; `None` if it is not.
    pub(crate) fn held_off(
        &self,
        username: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Option<Duration> {
        let failures = *self.failures.get(&key(username, from))?;
        let left = failures.since.saturating_add(self.period).since(now);
        (failures.count >= self.most && !left.is_zero()).then_some(left)
    }

    /// Counts a wrong password. The one that fills the measure starts the lock-out.
    pub(crate) fn charge(&self, username: &str, from: IpAddr, now: Timestamp) {
        // What is over goes with the next upkeep: looking for it now, once per failure, is what a flood would want.
        if self.failures.len() >= MAX_PAIRS {
            return;
        }
        let first = Failures {
            count: 1,
            since: now,
        };
        match self.failures.entry(key(username, from)) {
            Entry::Vacant(vacant) => {
                vacant.insert(first);
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                if now.since(known.since) >= self.period {
                    *known = first;
                } else {
                    known.count = known.count.saturating_add(1);
                    if known.count >= self.most {
                        known.since = now;
                    }
                }
            }
        }
    }

    /// Forgets a pair: the password was right.
    pub(crate) fn clear(&self, username: &str, from: IpAddr) {
        self.failures.remove(&key(username, from));
    }

    /// Forgets a user everywhere: an administrator unlocks it. Says whether there was anything to forget.
    pub(crate) fn unlock(&self, username: &str) -> bool {
        let username = username.to_lowercase();
        let before = self.failures.len();
        self.failures.retain(|(known, _), _| *known != username);
        self.failures.len() < before
    }

    /// Who is locked out, from where.
    pub(crate) fn locked(&self, now: Timestamp) -> Vec<(String, IpAddr)> {
        let is_locked = |failures: &Failures| {
            failures.count >= self.most && now.since(failures.since) < self.period
        };
        let locked = self
            .failures
            .iter()
            .filter(|entry| is_locked(entry.value()));
        locked.map(|entry| entry.key().clone()).collect()
    }

    /// Forgets what no longer matters.
    pub(crate) fn sweep(&self, now: Timestamp) {
        self.failures
            .retain(|_, failures| now.since(failures.since) < self.period);
    }
}

fn key(username: &str, from: IpAddr) -> (String, IpAddr) {
    (username.to_lowercase(), network_of(from))
}

/// How many pairs are counted at once: about 10 MiB. Beyond it the budget of the source address is all that counts.
const MAX_PAIRS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_locked_out_for_15_minutes_after_5_wrong_passwords() {
        let lockout = Lockout::new(&ThrottleConfig::default());
        let (from, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Timestamp::from_secs(1_000);
        for _ in 0..5 {
            assert_eq!(lockout.held_off("anna", from, now), None);
            lockout.charge("Anna", from, now);
        }
        assert_eq!(
            lockout.held_off("ANNA", from, now),
            Some(Duration::from_mins(15))
        );
        assert_eq!(lockout.held_off("anna", other, now), None);
        assert_eq!(lockout.locked(now).len(), 1);
        let later = Timestamp::from_secs(1_900);
        assert_eq!(lockout.held_off("anna", from, later), None);
        assert!(lockout.unlock("anna"));
        assert_eq!(lockout.held_off("anna", from, now), None);
    }
}
