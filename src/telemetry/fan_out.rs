//! Handing changes, samples and heartbeats to the subscribers' queues.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::Pattern;
use crate::model::TargetSelector;
use crate::model::Timestamp;
use crate::wakeup::gather;

use super::backlog::Segment;
use super::config::Config;
use super::item::Batch;
use super::item::Item;
use super::subscriber::Shared;
use super::tenant::Tenant;

/// What a sample shows: whoever asks for the same at the same time shares one walk.
type Asked = (TargetSelector, Arc<Pattern>, Option<u32>);

/// Samples on their way, by subscriber.
type Samples = Vec<(Arc<Shared>, Vec<Arc<Batch>>)>;

impl Tenant {
    /// Hands over what was written. Takes turns with itself, so that changes reach each queue in order.
    pub(super) fn fan_out(&self) {
        let mut turn = self.fan_out.lock();
        *turn += 1;
        let segments = self.inner.lock().backlog.take();
        gather(|| {
            for segment in segments {
                segment.fan_out(*turn);
            }
        });
    }

    /// Hands over the samples and heartbeats due at `now`. Returns when the next are due.
    ///
    /// The tenant's lock is held for one walk at a time, so that is what a write waits for at most.
    pub(super) fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        let mut turn = self.fan_out.lock();
        for (asked, numbers) in self.due(now) {
            *turn += 1;
            let (segments, samples) = self.sample(&asked, &numbers, now);
            gather(|| {
                // What was written before a sample must not arrive after it.
                for segment in segments {
                    segment.fan_out(*turn);
                }
                for (subscriber, batches) in samples {
                    subscriber.offer(&batches, *turn);
                }
            });
        }
        self.inner.lock().next_due()
    }

    /// Ends subscribers that have read nothing for too long although something waits for them.
    pub(super) fn check_stalls(&self, now: Timestamp, config: &Config) {
        let shared: Vec<Arc<Shared>> = {
            let mut inner = self.inner.lock();
            if inner.next_check.is_none_or(|due| now < due) {
                return;
            }
            let subscribers = inner.subscribers.values();
            let shared: Vec<_> = subscribers.map(|known| Arc::clone(&known.shared)).collect();
            let next = now.saturating_add(config.check_interval());
            inner.next_check = (!shared.is_empty()).then_some(next);
            shared
        };
        for subscriber in shared {
            let mut queue = subscriber.queue.lock();
            queue.check_stall(now, config.stall_timeout);
        }
    }

    /// The numbers of the timers that are due, by what they show.
    fn due(&self, now: Timestamp) -> HashMap<Asked, Vec<u64>> {
        let inner = self.inner.lock();
        let mut due: HashMap<Asked, Vec<u64>> = HashMap::new();
        for (number, timer) in inner.timers.due(now) {
            if let Some(known) = inner.subscribers.get(&timer.subscriber) {
                let pattern = Arc::clone(&timer.pattern);
                let asked = (known.selector.clone(), pattern, known.depth);
                due.entry(asked).or_default().push(number);
            }
        }
        due
    }

    /// Takes samples for timers that show the same, and the changes that were written before, in one step.
    fn sample(&self, asked: &Asked, numbers: &[u64], now: Timestamp) -> (Vec<Segment>, Samples) {
        let mut inner = self.inner.lock();
        let segments = inner.backlog.take();
        let (selector, pattern, depth) = asked;
        let items = inner.items(selector, std::iter::once(&**pattern), *depth, Some(pattern));
        let mut all = None;
        let mut samples = Vec::new();
        for &number in numbers {
            let Some((due, mut timer)) = inner.timers.take(number) else {
                // Its subscriber has left.
                continue;
            };
            let batches = if timer.is_plain() {
                let all = all.get_or_insert_with(|| split(items.clone()));
                all.clone()
            } else {
                split(timer.suppress(&items, due))
            };
            if let Some(known) = inner.subscribers.get(&timer.subscriber) {
                samples.push((Arc::clone(&known.shared), batches));
            }
            inner.timers.rearm(number, due, now, timer);
        }
        (segments, samples)
    }
}

fn split(items: Vec<Item>) -> Vec<Arc<Batch>> {
    Batch::split(items.into_iter().map(|item| (item, 0)).collect())
}
