//! Handing changes, samples and heartbeats to the subscribers' queues.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use crate::model::Pattern;
use crate::model::TargetSelector;
use crate::model::Timestamp;

use super::item::Batch;
use super::subscriber::Shared;
use super::tenant::Tenant;

/// Samples of one moment, by what was asked for: readers of the same share them.
type Samples = HashMap<(TargetSelector, Arc<Pattern>, Option<u32>), Vec<Arc<Batch>>>;

impl Tenant {
    /// Hands over what was written. Takes turns with itself, so that changes reach each queue in order.
    pub(super) fn fan_out(&self) {
        let _in_order = self.fan_out.lock();
        self.fan_out_backlog();
    }

    /// Hands over the samples and heartbeats due at `now`. Returns when the next are due.
    ///
    /// The tenant's lock is held for one timer at a time, so a write waits for one walk at most.
    pub(super) fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        let _in_order = self.fan_out.lock();
        let mut samples = Samples::new();
        loop {
            // A change that was written before a sample must not arrive after it.
            if self.fan_out_backlog() {
                samples.clear();
            }
            match self.sample(now, &mut samples) {
                Sampled::Next(due) => return due,
                Sampled::Taken(subscriber, batches) => subscriber.offer(&batches),
                Sampled::Void => {}
            }
        }
    }

    /// Ends subscribers that have read nothing for `timeout` although something waits for them.
    pub(super) fn check_stalls(&self, now: Timestamp, timeout: Duration) {
        let shared: Vec<Arc<Shared>> = {
            let inner = self.inner.lock();
            inner
                .subscribers
                .values()
                .map(|known| Arc::clone(&known.shared))
                .collect()
        };
        for subscriber in shared {
            let waker = subscriber.queue.lock().check_stall(now, timeout);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn fan_out_backlog(&self) -> bool {
        let segments = self.inner.lock().backlog.take();
        let had_any = !segments.is_empty();
        for segment in segments {
            segment.fan_out();
        }
        had_any
    }

    /// Takes one timer that is due, unless changes have come in the meantime.
    fn sample(&self, now: Timestamp, samples: &mut Samples) -> Sampled {
        let mut inner = self.inner.lock();
        if !inner.backlog.is_empty() {
            return Sampled::Void;
        }
        let Some((number, due, mut timer)) = inner.timers.pop(now) else {
            return Sampled::Next(inner.timers.next_due());
        };
        let Some(known) = inner.subscribers.get(&timer.subscriber) else {
            return Sampled::Void;
        };
        let subscriber = Arc::clone(&known.shared);
        let asked = (
            known.selector.clone(),
            Arc::clone(&timer.pattern),
            known.depth,
        );
        let items = |asked: &(TargetSelector, Arc<Pattern>, Option<u32>)| {
            inner.items(&asked.0, std::iter::once(&*asked.1), asked.2)
        };
        let batches = match samples.get(&asked) {
            Some(batches) if timer.is_plain() => batches.clone(),
            _ => {
                let items = timer.suppress(items(&asked), now);
                Batch::split(items.into_iter().map(|item| (item, 0)).collect())
            }
        };
        if timer.is_plain() {
            samples.entry(asked).or_insert_with(|| batches.clone());
        }
        inner.timers.rearm(number, due, now, timer);
        Sampled::Taken(subscriber, batches)
    }
}

/// What a look at the timers brought.
#[derive(Debug)]
enum Sampled {
    /// Nothing is due; the next is.
    Next(Option<Timestamp>),
    /// One subscriber's samples.
    Taken(Arc<Shared>, Vec<Arc<Batch>>),
    /// Nothing, but there may be more.
    Void,
}
