//! Time that does not step back (iam T8).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use crate::clock::Clock;
use crate::model::Timestamp;

/// The wall clock with a high-water mark: the later of what it says and what was ever seen. So a clock that is
/// set back revives nothing that has expired. Cheap to clone; clones share the mark.
///
/// The price: after a jump far into the future by mistake, time stands still until the wall clock gets there.
#[derive(Clone, Debug)]
pub struct Time {
    clock: Clock,
    mark: Arc<AtomicI64>,
    /// Whether something was found expired since the mark was last stored.
    expiry_seen: Arc<AtomicBool>,
}

impl Time {
    /// Starts from `mark`, the latest time that was ever stored.
    pub fn new(clock: Clock, mark: Timestamp) -> Self {
        Self {
            clock,
            mark: Arc::new(AtomicI64::new(mark.nanos())),
            expiry_seen: Arc::default(),
        }
    }

    /// Now, or the latest time ever seen, if that is later. Exact to a millisecond after a step back.
    pub fn now(&self) -> Timestamp {
        let wall = self.clock.now().nanos();
        let mark = self.mark.load(Ordering::Relaxed);
        if wall > mark.saturating_add(GRAIN_NANOS) {
            self.mark.fetch_max(wall, Ordering::Relaxed);
        }
        Timestamp::from_nanos(wall.max(mark))
    }

    /// Something was found expired at `seen`: from then on it is never earlier, and the mark should be stored soon, so
    /// that not even a restart revives it.
    pub(crate) fn note_expiry(&self, seen: Timestamp) {
        self.raise(seen);
        self.ask_to_store();
    }

    /// The mark should be stored soon.
    pub(crate) fn ask_to_store(&self) {
        if !self.expiry_seen.load(Ordering::Relaxed) {
            self.expiry_seen.store(true, Ordering::Relaxed);
        }
    }

    /// Whether [`Time::ask_to_store`] was called since the last time.
    pub(crate) fn take_expiry_seen(&self) -> bool {
        self.expiry_seen.swap(false, Ordering::Relaxed)
    }

    /// Takes in a time that somebody else has seen.
    pub fn raise(&self, mark: Timestamp) {
        if mark.nanos() <= self.mark.load(Ordering::Relaxed) {
            return;
        }
        self.mark.fetch_max(mark.nanos(), Ordering::Relaxed);
    }
}

/// How far the mark may lag, so that not every reading writes shared memory.
const GRAIN_NANOS: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_does_not_step_back() {
        let clock = Clock::fixed(Timestamp::from_secs(100));
        let time = Time::new(clock.clone(), Timestamp::EPOCH);
        assert_eq!(time.now(), Timestamp::from_secs(100));
        clock.set(Timestamp::from_secs(50));
        assert_eq!(time.now(), Timestamp::from_secs(100));
        clock.set(Timestamp::from_secs(101));
        clock.advance(Duration::from_secs(1));
        assert_eq!(time.now(), Timestamp::from_secs(102));
        time.raise(Timestamp::from_secs(200));
        assert_eq!(time.now(), Timestamp::from_secs(200));
    }

    #[test]
    fn time_never_goes_back_before_an_expiry_that_was_seen() {
        let second = Timestamp::from_secs(100);
        let clock = Clock::fixed(second.saturating_sub(Duration::from_micros(300)));
        let time = Time::new(clock.clone(), Timestamp::EPOCH);
        time.now();
        clock.advance(Duration::from_micros(500));
        let seen = time.now();
        assert!(seen > second);
        time.note_expiry(seen);
        clock.set(Timestamp::from_secs(90));
        assert!(time.now() > second);
    }
}
