//! When to renew. Time is a parameter, so it can be tested without waiting.

use std::time::Duration;

use crate::model::Timestamp;

/// When the next attempt is due, and how failures push it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    due: Timestamp,
    pause: Duration,
}

impl Schedule {
    /// For a certificate that holds from `begins` to `ends`.
    pub(super) fn new(begins: Timestamp, ends: Timestamp) -> Self {
        let life = ends.since(begins);
        Self {
            due: begins.saturating_add(life * 2 / 3),
            pause: FIRST_PAUSE,
        }
    }

    /// How long to wait at `now`, at most so long that a clock that was set, or a machine that slept, is noticed.
    pub(super) fn wait(&self, now: Timestamp) -> Duration {
        self.due.since(now).min(LONGEST_SLEEP)
    }

    /// Whether it is time.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due <= now
    }

    /// After a failure: later, each time twice as much.
    #[must_use]
    pub(super) fn put_off(&self, now: Timestamp) -> Self {
        Self {
            due: now.saturating_add(self.pause),
            pause: (self.pause * 2).min(LONGEST_PAUSE),
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// A third of a short-lived certificate's day has room for several.
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

const LONGEST_SLEEP: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn renewal_is_due_at_two_thirds_and_put_off_after_failures() {
        let clock = Clock::fixed(Timestamp::from_secs(1_000));
        let hour = Duration::from_hours(1);
        let begins = clock.now();
        let schedule = Schedule::new(begins, begins.saturating_add(hour * 3));
        assert!(!schedule.is_due(clock.now()));
        assert_eq!(schedule.wait(clock.now()), LONGEST_SLEEP);
        clock.advance(Duration::from_secs(7_200 - 7));
        assert_eq!(schedule.wait(clock.now()), Duration::from_secs(7));
        clock.advance(Duration::from_secs(7));
        assert!(schedule.is_due(clock.now()));
        let mut late = schedule;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            late = late.put_off(clock.now());
            pauses.push(late.due.since(clock.now()).as_secs() / 60);
            assert!(!late.is_due(clock.now()));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        clock.set(begins.saturating_add(hour * 10));
        assert!(late.is_due(clock.now()), "after a long sleep at once");
    }
}
