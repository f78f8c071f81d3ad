//! A bounded queue between where things happen and where they are stored.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::meter;
use crate::meter::Counter;
use crate::model::Timestamp;

use super::Actor;
use super::Event;
use super::Kind;
use super::Log;
use super::LogError;
use super::Outcome;

/// Takes events without waiting, and stores them when asked. Cheap to clone.
///
/// Holds at most `capacity` events; keeps `FAILURES` failures at once and `FAILURES_PER_ROUND` in the long run. What comes
/// on top is dropped, counted, and told of in one event, because a flood of bad credentials must cost neither memory nor disk nor
/// the time of good ones (iam A5).
#[derive(Clone, Debug)]
pub struct Trail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    capacity: usize,
    pending: Mutex<Pending>,
    dropped: Dropped,
}

#[derive(Debug, Default)]
struct Pending {
    events: VecDeque<Event>,
    /// Failures that were kept of late.
    failures: usize,
    /// How many were dropped since one was told of, and when the last of them came.
    dropped: Option<(u64, Timestamp)>,
}

struct Dropped(Counter);

impl Trail {
    /// An empty trail.
    pub fn new(capacity: usize) -> Self {
        let dropped = meter::counter(
            "tollgate_audit_events_dropped_total",
            "Audit events lost because they came faster than they could be stored.",
        );
        Self(Arc::new(Inner {
            capacity,
            pending: Mutex::new(Pending::default()),
            dropped: Dropped(dropped),
        }))
    }

    /// Adds an event.
    pub fn record(&self, event: Event) {
        if let Some(severity) = event.kind.severity() {
            let (kind, reason) = (event.kind.as_str(), event.reason);
            tracing::warn!(kind, reason, severity, "security event");
        }
        let mut pending = self.0.pending.lock();
        let is_failure = event.outcome == Outcome::Failure;
        let is_too_much = is_failure && pending.failures >= FAILURES;
        if is_too_much || pending.events.len() >= self.0.capacity {
            self.0.dropped.0.increment(1);
            pending.drop_at(1, event.at);
            return;
        }
        pending.failures += usize::from(is_failure);
        pending.events.push_back(event);
    }

    /// Stores what has been recorded since the last time. Returns how much that was.
    ///
    /// # Errors
    ///
    /// [`LogError`] when the store does not take it; the events stay for the next time, as far as there is room.
    ///
    /// # Cancel safety
    ///
    /// The events on their way to the store are lost when the future is dropped.
    pub async fn store(&self, log: &dyn Log) -> Result<usize, LogError> {
        let batch = self.0.pending.lock().take();
        if batch.is_empty() {
            return Ok(0);
        }
        let stored = log.append(&batch).await;
        if stored.is_err() {
            let mut pending = self.0.pending.lock();
            let room = self.0.capacity.saturating_sub(pending.events.len());
            let lost = batch.len().saturating_sub(room);
            if let Some(last) = batch.iter().take(lost).next_back() {
                self.0.dropped.0.increment(lost as u64);
                pending.drop_at(lost as u64, last.at);
            }
            for event in batch.into_iter().skip(lost).rev() {
                pending.events.push_front(event);
            }
            return stored.map(|()| 0);
        }
        Ok(batch.len())
    }

    /// How many events wait to be stored.
    pub fn pending(&self) -> usize {
        self.0.pending.lock().events.len()
    }
}

impl Pending {
    fn drop_at(&mut self, count: u64, at: Timestamp) {
        let so_far = self.dropped.map_or(0, |(so_far, _)| so_far);
        self.dropped = Some((so_far.saturating_add(count), at));
    }

    /// What waits, and after it how much was dropped.
    fn take(&mut self) -> Vec<Event> {
        self.failures = self.failures.saturating_sub(FAILURES_PER_ROUND);
        let mut batch: Vec<Event> = std::mem::take(&mut self.events).into();
        if let Some((count, at)) = self.dropped.take() {
            batch.push(Event {
                outcome: Outcome::Failure,
                detail: Some(format!("{count} events")),
                ..Event::new(at, Kind::EventsDropped, Actor::Gateway)
            });
        }
        batch
    }
}

impl std::fmt::Debug for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dropped")
    }
}

/// Failures kept one by one at once: enough to see what an attack tries.
const FAILURES: usize = 100;

/// The same between two times of storing, of which there is one a second: about 15 MB an hour.
const FAILURES_PER_ROUND: usize = 10;

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::audit::Beginning;
    use crate::audit::EventQuery;
    use crate::audit::Link;

    /// A store that takes nothing while it is down.
    #[derive(Debug, Default)]
    struct Fake {
        is_down: bool,
        taken: Mutex<Vec<Event>>,
    }

    #[async_trait::async_trait]
    impl Log for Fake {
        async fn append(&self, events: &[Event]) -> Result<(), LogError> {
            if self.is_down {
                return Err(LogError);
            }
            self.taken.lock().extend_from_slice(events);
            Ok(())
        }

        async fn links(&self, _: u64, _: u32) -> Result<Vec<Link>, LogError> {
            Err(LogError)
        }

        async fn find(&self, _: &EventQuery) -> Result<Vec<Link>, LogError> {
            Err(LogError)
        }

        async fn beginning(&self) -> Result<Beginning, LogError> {
            Err(LogError)
        }

        async fn cut(&self, _: Timestamp, _: u32, _: Timestamp) -> Result<u64, LogError> {
            Err(LogError)
        }
    }

    fn event(secs: i64, outcome: Outcome) -> Event {
        let event = Event::new(
            Timestamp::from_secs(secs),
            Kind::RateLimited,
            Actor::Unknown,
        );
        Event { outcome, ..event }
    }

    #[tokio::test]
    async fn trail_is_bounded_and_keeps_events_while_the_store_is_down() {
        let trail = Trail::new(2);
        for secs in 0..3 {
            trail.record(event(secs, Outcome::Success));
        }
        let down = Fake {
            is_down: true,
            ..Fake::default()
        };
        assert_eq!(trail.pending(), 2);
        assert_eq!(trail.store(&down).await, Err(LogError));
        assert_eq!(trail.pending(), 2);
    }

    #[tokio::test]
    async fn flood_of_failures_is_sampled_and_its_size_is_told() {
        let (trail, up) = (Trail::new(10_000), Fake::default());
        for secs in 0..1_000 {
            trail.record(event(secs, Outcome::Failure));
        }
        trail.record(event(1_000, Outcome::Success));
        assert_eq!(trail.store(&up).await, Ok(FAILURES + 2));
        let taken = up.taken.lock().clone();
        let [.., kept, told] = taken.as_slice() else {
            panic!("{taken:?}")
        };
        assert_eq!(*kept, event(1_000, Outcome::Success));
        assert_eq!(told.kind, Kind::EventsDropped);
        assert_eq!(told.detail.as_deref(), Some("900 events"));
        assert_eq!(told.at, Timestamp::from_secs(999));
    }
}
