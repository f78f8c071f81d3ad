//! Time as a parameter: wall clock in production, hand-set in tests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::model::Timestamp;

/// A shared source of the current time. Cheap to clone.
///
/// Timers (`tokio::time`) are a different thing: they wait, this tells. Whoever needs both derives the
/// wait from two readings of the clock.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Hand(Arc<AtomicI64>),
    System,
}

impl Clock {
    /// The operating system's wall clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `now` until [`Clock::set`] or [`Clock::advance`] moves it. Clones share the hand.
    pub fn fixed(now: Timestamp) -> Self {
        Self(Source::Hand(Arc::new(AtomicI64::new(now.nanos()))))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Hand(hand) => Timestamp::from_nanos(hand.load(Ordering::SeqCst)),
            Source::System => system_now(),
        }
    }

    /// Moves a fixed clock to `now`. Does nothing to the system's.
    pub fn set(&self, now: Timestamp) {
        if let Source::Hand(hand) = &self.0 {
            hand.store(now.nanos(), Ordering::SeqCst);
        }
    }

    /// Moves a fixed clock forward. Does nothing to the system's.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now().nanos())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's time"
)]
fn system_now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    Timestamp::from_nanos(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}
