//! Locks out a user from a network after wrong passwords (iam L3). Tokens are never locked: they cannot be guessed,
//! and a lock would let anybody shut a service account out.

use std::net::IpAddr;
use std::time::Duration;

use dashmap::DashMap;
use dashmap::Entry;

use crate::model::TenantId;
use crate::model::Timestamp;

use super::AccountId;
use super::Affected;
use super::Change;
use super::Revocation;
use super::ThrottleConfig;
use super::throttle::network_of;

/// Wrong passwords per user name and source network.
#[derive(Debug)]
pub(crate) struct Lockout {
    failures: DashMap<(String, IpAddr), Failures>,
    most: u32,
    period: Duration,
}

/// Somebody who may not try another password for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedOut {
    /// Whose password it was not.
    pub account: AccountId,
    /// The user name that was given, in lower case.
    pub username: String,
    /// The network that the attempts came from, by its first address.
    pub network: IpAddr,
    /// Until then.
    pub until: Timestamp,
}

#[derive(Clone, Debug)]
struct Failures {
    count: u32,
    since: Timestamp,
    /// Whose password it was not, where the name is somebody's.
    account: Option<(TenantId, AccountId)>,
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
        let failures = self.failures.get(&key(username, from))?;
        let left = failures.since.saturating_add(self.period).since(now);
        (failures.count >= self.most && !left.is_zero()).then_some(left)
    }

    /// Counts a wrong password. The one that fills the measure starts the lock-out.
    pub(crate) fn charge(
        &self,
        (username, account): (&str, Option<(TenantId, AccountId)>),
        from: IpAddr,
        now: Timestamp,
    ) {
        // What is over goes with the next upkeep: looking for it now, once per failure, is what a flood would want.
        if self.failures.len() >= MAX_PAIRS {
            return;
        }
        let first = Failures {
            count: 1,
            since: now,
            account,
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

    /// Forgets accounts that the log tells of: an administrator has unlocked them, or they have another password, of which
    /// nothing was guessed yet.
    pub(crate) fn obey(&self, revocations: &[Revocation]) {
        for revocation in revocations {
            if let (Affected::Account(account), Change::Password | Change::Unlocked) =
                (&revocation.subject, &revocation.change)
            {
                self.forgive(*account);
            }
        }
    }

    fn forgive(&self, account: AccountId) {
        let is_its =
            |failures: &Failures| failures.account.as_ref().map(|of| of.1) == Some(account);
        self.failures.retain(|_, failures| !is_its(failures));
    }

    /// Who of a tenant is locked out, from where: the first by name, at most [`MOST_LISTED`].
    pub(crate) fn locked(&self, tenant: &TenantId, now: Timestamp) -> Vec<LockedOut> {
        let locked = |failures: &Failures| {
            let until = failures.since.saturating_add(self.period);
            (failures.count >= self.most && until > now).then_some(until)
        };
        let of = |(username, network): &(String, IpAddr), failures: &Failures| {
            let (of, account) = failures.account.as_ref()?;
            let locked_out = LockedOut {
                account: *account,
                username: username.clone(),
                network: *network,
                until: locked(failures)?,
            };
            (of == tenant).then_some(locked_out)
        };
        let all = self.failures.iter();
        let mut all: Vec<_> = all
            .filter_map(|entry| of(entry.key(), entry.value()))
            .collect();
        all.sort_by(|one, other| {
            (&one.username, one.network).cmp(&(&other.username, other.network))
        });
        all.truncate(MOST_LISTED);
        all
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

/// Entries of one answer.
const MOST_LISTED: usize = 1_000;

/// How many pairs are counted at once: about 10 MiB. Beyond it the budget of the source address is all that counts.
const MAX_PAIRS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_is_locked_out_for_15_minutes_after_5_wrong_passwords() {
        let lockout = Lockout::new(&ThrottleConfig::default());
        let (tenant, anna) = (TenantId::new("pca"), AccountId::random().unwrap());
        let account = || Some((tenant.clone(), anna));
        let (from, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Timestamp::from_secs(1_000);
        for _ in 0..5 {
            assert_eq!(lockout.held_off("anna", from, now), None);
            lockout.charge(("Anna", account()), from, now);
        }
        assert_eq!(
            lockout.held_off("ANNA", from, now),
            Some(Duration::from_mins(15))
        );
        assert_eq!(lockout.held_off("anna", other, now), None);
        let locked = LockedOut {
            account: anna,
            username: "anna".to_owned(),
            network: from,
            until: Timestamp::from_secs(1_900),
        };
        assert_eq!(lockout.locked(&tenant, now), [locked]);
        assert_eq!(lockout.locked(&TenantId::new("other"), now), []);
        let later = Timestamp::from_secs(1_900);
        assert_eq!(lockout.held_off("anna", from, later), None);
        assert_eq!(lockout.locked(&tenant, later), []);
        lockout.forgive(anna);
        assert_eq!(lockout.held_off("anna", from, now), None);
    }
}
