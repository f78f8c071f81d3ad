//! What a violation costs the address that it came from.
//!
//! A connection that breaks HTTP/2's rules is cut off, but what it has opened has to be ended, and its peer comes back
//! at once: two hundred times a second, that is work for a whole core. After each violation the next connections from
//! that address begin a little later, one after the other. Peers that keep the rules notice nothing, unless they share
//! the address with one that goes on breaking them; such a peer could take all of its connections as well.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio::time::sleep_until;

use super::limits::Refusal;
use super::limits::Source;

/// The addresses that cool off, at most [`ADDRESSES`].
#[derive(Debug, Default)]
pub(super) struct CoolOffs(Mutex<HashMap<Source, CoolOff>>);

#[derive(Clone, Copy, Debug)]
struct CoolOff {
    until: Instant,
    /// When the last of those that wait may begin.
    last: Instant,
}

impl CoolOffs {
    /// Notes that a peer at `address` has broken the rules. The address is let off when too many others cool off.
    pub(super) fn violated(&self, address: IpAddr, now: Instant) {
        let source = Source::of(address);
        let mut all = self.0.lock();
        if all.len() >= ADDRESSES && !all.contains_key(&source) {
            all.retain(|_, one| one.until > now);
            if all.len() >= ADDRESSES {
                return;
            }
        }
        let one = all.entry(source).or_insert(CoolOff {
            until: now,
            last: now,
        });
        one.until = (one.until.max(now) + PENALTY).min(now + PATIENCE);
    }

    /// Waits until a connection from `address` may begin. Tells whether it had to.
    ///
    /// # Errors
    ///
    /// [`Refusal::CoolOff`] as soon as that is known to take too long.
    pub(super) async fn wait(&self, address: IpAddr) -> Result<bool, Refusal> {
        let source = Source::of(address);
        let deadline = Instant::now() + PATIENCE;
        let mut has_waited = false;
        // Again after the wait, in which others may have broken the rules.
        while let Some(turn) = self.turn(source, Instant::now()) {
            if turn > deadline {
                return Err(Refusal::CoolOff);
            }
            sleep_until(turn).await;
            has_waited = true;
        }
        Ok(has_waited)
    }

    /// When a connection that wants to begin now may try again; `None` when it may begin.
    fn turn(&self, source: Source, now: Instant) -> Option<Instant> {
        let mut all = self.0.lock();
        let one = all.get_mut(&source)?;
        if one.until <= now {
            return None;
        }
        let turn = one.until.max(one.last + PACE);
        // Who will be refused takes no place among those that wait.
        if turn <= now + PATIENCE {
            one.last = turn;
        }
        Some(turn)
    }
}

/// Ending a connection with its thousand streams takes a few milliseconds: a peer that breaks the rules on one after the
/// other has some hundredths of a core. One with a thousand at once pays for no more of them than [`PATIENCE`] has room for.
const PENALTY: Duration = Duration::from_millis(100);

/// Between those that wait, so that they do not begin, and break the rules, all at once.
const PACE: Duration = Duration::from_millis(5);

/// The longest wait: what the default limit of connections from one address takes at that pace. Clients have deadlines of
/// ten seconds and more for connecting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Some hundred bytes each.
const ADDRESSES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn turn(all: &CoolOffs, address: IpAddr, now: Instant) -> Option<Instant> {
        all.turn(Source::of(address), now)
    }

    #[test]
    fn violation_delays_the_next_from_its_address_alone() {
        let (all, now) = (CoolOffs::default(), Instant::now());
        all.violated(HERE, now);
        assert_eq!(turn(&all, HERE, now), Some(now + PENALTY));
        assert_eq!(turn(&all, THERE, now), None);
        assert_eq!(turn(&all, HERE, now + PENALTY), None);
    }

    #[test]
    fn those_that_wait_begin_one_after_the_other() {
        let (all, now) = (CoolOffs::default(), Instant::now());
        all.violated(HERE, now);
        let turns =
            [0, 1, 2].map(|number| (turn(&all, HERE, now), Some(now + PENALTY + PACE * number)));
        for (got, expected) in turns {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn one_that_has_waited_waits_again_after_another_violation() {
        let (all, now) = (CoolOffs::default(), Instant::now());
        all.violated(HERE, now);
        let first = turn(&all, HERE, now).unwrap();
        all.violated(HERE, first);
        assert_eq!(turn(&all, HERE, first), Some(first + PENALTY));
    }

    #[test]
    fn no_number_of_violations_makes_for_more_than_the_longest_wait() {
        let (all, now) = (CoolOffs::default(), Instant::now());
        for _ in 0..1_000 {
            all.violated(HERE, now);
            turn(&all, HERE, now);
        }
        assert_eq!(turn(&all, HERE, now + PATIENCE), None);
    }

    #[tokio::test]
    async fn connection_that_would_wait_too_long_is_refused_at_once() {
        let (all, now) = (CoolOffs::default(), Instant::now());
        assert_eq!(all.wait(HERE).await, Ok(false));
        for _ in 0..1_000 {
            all.violated(HERE, now + PATIENCE);
        }
        assert_eq!(all.wait(HERE).await, Err(Refusal::CoolOff));
        assert_eq!(all.wait(THERE).await, Ok(false));
    }

    #[test]
    fn addresses_that_have_cooled_off_make_room_for_others() {
        let (all, now) = (CoolOffs::default(), Instant::now());
        for number in 0..u32::try_from(ADDRESSES).unwrap() {
            all.violated(IpAddr::V4(number.into()), now);
        }
        all.violated(HERE, now);
        assert_eq!(turn(&all, HERE, now), None, "there is no room");
        all.violated(HERE, now + PENALTY);
        assert_eq!(all.0.lock().len(), 1);
    }
}
