//! A bounded queue between where things happen and where they are stored.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::meter;
use crate::meter::Counter;

use super::Event;
use super::Log;
use super::LogError;

/// Takes events without waiting, and stores them when asked. Cheap to clone.
///
/// Holds at most `capacity` events; what comes on top is dropped and counted, because a flood of bad
/// credentials must cost neither memory nor the time of good ones (iam A5).
#[derive(Clone, Debug)]
pub struct Trail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    capacity: usize,
    pending: Mutex<VecDeque<Event>>,
    dropped: Dropped,
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
            pending: Mutex::new(VecDeque::new()),
            dropped: Dropped(dropped),
        }))
    }

    /// Adds an event.
    pub fn record(&self, event: Event) {
        let mut pending = self.0.pending.lock();
        if pending.len() < self.0.capacity {
            pending.push_back(event);
        } else {
            self.0.dropped.0.increment(1);
        }
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
        let batch: Vec<Event> = std::mem::take(&mut *self.0.pending.lock()).into();
        if batch.is_empty() {
            return Ok(0);
        }
        let stored = log.append(&batch).await;
        if stored.is_err() {
            let mut pending = self.0.pending.lock();
            let room = self.0.capacity.saturating_sub(pending.len());
            let lost = batch.len().saturating_sub(room);
            self.0.dropped.0.increment(lost as u64);
            for event in batch.into_iter().skip(lost).rev() {
                pending.push_front(event);
            }
            return stored.map(|()| 0);
        }
        Ok(batch.len())
    }

    /// How many events wait to be stored.
    pub fn pending(&self) -> usize {
        self.0.pending.lock().len()
    }
}

impl std::fmt::Debug for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dropped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Actor;
    use crate::audit::Kind;
    use crate::audit::Link;
    use crate::model::Timestamp;

    #[derive(Debug)]
    struct Down;

    #[async_trait::async_trait]
    impl Log for Down {
        async fn append(&self, _: &[Event]) -> Result<(), LogError> {
            Err(LogError)
        }

        async fn links(&self, _: u64, _: u32) -> Result<Vec<Link>, LogError> {
            Err(LogError)
        }
    }

    #[tokio::test]
    async fn trail_is_bounded_and_keeps_events_while_the_store_is_down() {
        let trail = Trail::new(2);
        for secs in 0..3 {
            let at = Timestamp::from_secs(secs);
            trail.record(Event::new(at, Kind::RateLimited, Actor::Unknown));
        }
        assert_eq!(trail.pending(), 2);
        assert_eq!(trail.store(&Down).await, Err(LogError));
        assert_eq!(trail.pending(), 2);
    }
}
