//! When what is due: samples and heartbeats of all subscribers of a tenant, in one queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use crate::model::Pattern;
use crate::model::Suppress;
use crate::model::Timestamp;
use crate::model::Trigger;

use super::item::Item;

/// Timers by the moment at which they are due.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeMap<(Timestamp, u64), Timer>,
    due: HashMap<u64, Timestamp>,
    next: u64,
}

/// One pattern of one subscriber that is sent again and again.
#[derive(Debug)]
pub(super) struct Timer {
    pub(super) subscriber: u64,
    pub(super) pattern: Arc<Pattern>,
    every: Duration,
    first: Timestamp,
    suppression: Option<Suppression>,
}

/// suppress_redundant: what was sent last (gNMI spec 3.5.1.5.2).
#[derive(Debug)]
struct Suppression {
    heartbeat: Option<(Duration, Timestamp)>,
    /// The version sent, by leaf.
    sent: HashMap<u64, u64, foldhash::fast::RandomState>,
}

impl Timers {
    /// Adds a timer. Returns its number.
    pub(super) fn add(&mut self, timer: Timer) -> u64 {
        self.next += 1;
        let number = self.next;
        self.due.insert(number, timer.first);
        self.queue.insert((timer.first, number), timer);
        number
    }

    /// Removes timers.
    pub(super) fn remove(&mut self, numbers: &[u64]) {
        for number in numbers {
            if let Some(due) = self.due.remove(number) {
                self.queue.remove(&(due, *number));
            }
        }
    }

    /// When the next timer is due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|((due, _), _)| *due)
    }

    /// The timers that are due, with their numbers.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = (u64, &Timer)> {
        let due = self.queue.range(..=(now, u64::MAX));
        due.map(|((_, number), timer)| (*number, timer))
    }

    /// Takes a timer and when it is due, to be given back with [`Timers::rearm`].
    pub(super) fn take(&mut self, number: u64) -> Option<(Timestamp, Timer)> {
        let due = *self.due.get(&number)?;
        Some((due, self.queue.remove(&(due, number))?))
    }

    /// Gives back a timer that was due at `due`. The cadence is fixed; moments missed are not made up for.
    pub(super) fn rearm(&mut self, number: u64, due: Timestamp, now: Timestamp, timer: Timer) {
        let every = i64::try_from(timer.every.as_nanos())
            .unwrap_or(i64::MAX)
            .max(1);
        let late = now.nanos().saturating_sub(due.nanos()).max(0);
        let steps = (late / every).saturating_add(1);
        let next = Timestamp::from_nanos(due.nanos().saturating_add(every.saturating_mul(steps)));
        self.due.insert(number, next);
        self.queue.insert((next, number), timer);
    }

    /// Remembers what was sent on joining, so that it is not repeated as news.
    pub(super) fn note_sent(&mut self, numbers: &[u64], items: &[Item]) {
        for number in numbers {
            let due = self.due.get(number).copied();
            let timer = due.and_then(|due| self.queue.get_mut(&(due, *number)));
            if let Some(suppression) = timer.and_then(|timer| timer.suppression.as_mut()) {
                suppression.sent = versions(items).collect();
            }
        }
    }
}

impl Timer {
    /// The timer that a trigger needs, if it needs one. It starts now, in a fixed cadence.
    pub(super) fn for_trigger(
        subscriber: u64,
        trigger: &Trigger,
        pattern: &Arc<Pattern>,
        now: Timestamp,
    ) -> Option<Self> {
        let (every, suppress) = match trigger {
            Trigger::OnChange { heartbeat } => ((*heartbeat)?, None),
            Trigger::Sample { interval, suppress } => (*interval, suppress.as_ref()),
        };
        Some(Self {
            subscriber,
            pattern: Arc::clone(pattern),
            every,
            first: now.saturating_add(every),
            suppression: suppress.map(|suppress| Suppression::new(suppress, now)),
        })
    }

    /// Whether every reader of the same pattern gets the same.
    pub(super) fn is_plain(&self) -> bool {
        self.suppression.is_none()
    }

    /// Leaves out what was sent before, unless a heartbeat is due.
    pub(super) fn suppress(&mut self, items: &[Item], due: Timestamp) -> Vec<Item> {
        let Some(suppression) = &mut self.suppression else {
            return items.to_vec();
        };
        let is_beat = suppression.beat(due);
        let sent = std::mem::replace(&mut suppression.sent, versions(items).collect());
        if is_beat {
            return items.to_vec();
        }
        let is_news = |item: &&Item| match item {
            Item::Delete(_) => true,
            Item::Group(view) => {
                let mut leaves = view.leaves.iter();
                leaves.any(|(leaf, state)| sent.get(&leaf.id) != Some(&state.version))
            }
            Item::Update(leaf, state) => sent.get(&leaf.id) != Some(&state.version),
        };
        items.iter().filter(is_news).cloned().collect()
    }
}

impl Suppression {
    fn new(suppress: &Suppress, now: Timestamp) -> Self {
        Self {
            heartbeat: suppress.heartbeat.map(|every| (every, now)),
            sent: HashMap::default(),
        }
    }

    /// Whether all must be sent although nothing has changed. Counts in the timer's cadence, not in the moments at
    /// which it was served: these are late, by a little more or less each time.
    fn beat(&mut self, due: Timestamp) -> bool {
        match &mut self.heartbeat {
            Some((every, last)) if due.since(*last) >= *every => {
                *last = due;
                true
            }
            _ => false,
        }
    }
}

fn versions(items: &[Item]) -> impl Iterator<Item = (u64, u64)> {
    items.iter().flat_map(|item| match item {
        Item::Delete(_) => Vec::new(),
        Item::Group(view) => view
            .leaves
            .iter()
            .map(|(leaf, state)| (leaf.id, state.version))
            .collect(),
        Item::Update(leaf, state) => vec![(leaf.id, state.version)],
    })
}
