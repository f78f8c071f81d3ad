//! Orders what waits for one subscriber.
//!
//! A subscriber that keeps up holds references to a few shared batches. One that lags gets a slot per distinct
//! leaf: a leaf updated again before it is sent keeps its place, takes the latest value and counts one duplicate
//! (`duplicates` of Update, gNMI spec 2.1). So the queue is bounded by the distinct leaves asked for, and by the
//! limits of [`Config`]; beyond these the subscriber is ended, not the source slowed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::model::Timestamp;

use super::config::Config;
use super::error::Overrun;
use super::item::Batch;
use super::item::Item;
use super::slots::Slots;

/// What waits for one subscriber.
#[derive(Debug)]
pub(super) struct Queue {
    /// Untouched batches, while the subscriber keeps up. Empty whenever `slots` is not.
    batches: VecDeque<Arc<Batch>>,
    /// One entry per distinct leaf, once it lags.
    slots: Slots,
    entries: usize,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
    overrun: Option<Overrun>,
    is_closed: bool,
    /// What was there on joining is still being read.
    is_joining: bool,
    /// The turn of the fan-out in which the queue was last empty.
    turn: u64,
    /// Who waited for something to come last. Kept, as it is mostly the same again.
    waker: Option<Waker>,
    is_waiting: bool,
    /// How often something was read: what tells a stall.
    reads: u64,
    /// Nothing was read since then, at that many reads.
    stall: Option<(u64, Timestamp)>,
}

/// What a subscriber gets in one turn.
#[derive(Debug)]
pub(super) enum Taken {
    /// A batch that others may share.
    Batch(Arc<Batch>),
    /// Entries of its own, with their duplicates.
    Items(Vec<(Item, u32)>),
    /// Nothing waits.
    Nothing,
    /// It read too little for too long. Nothing follows.
    Overrun(Overrun),
}

impl Queue {
    /// An empty queue.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            batches: VecDeque::new(),
            slots: Slots::default(),
            entries: 0,
            bytes: 0,
            max_entries: config.queue_entries,
            max_bytes: config.queue_bytes,
            overrun: None,
            is_closed: false,
            is_joining: true,
            turn: 0,
            waker: None,
            is_waiting: false,
            reads: 0,
            stall: None,
        }
    }

    /// Adds a batch of a turn of the fan-out.
    pub(super) fn offer(&mut self, batch: &Arc<Batch>, turn: u64) {
        if self.overrun.is_some() || self.is_closed {
            return;
        }
        if self.slots.is_empty() && self.batches.is_empty() {
            self.turn = turn;
        }
        // Within one turn leaves hardly repeat, so that slots for what a current subscriber gets would save nothing.
        let is_current = self.turn == turn || self.batches.len() < KEPT_BATCHES;
        if self.slots.is_empty() && is_current {
            self.entries += batch.items.len();
            self.bytes += batch.size;
            self.batches.push_back(Arc::clone(batch));
        } else {
            self.spill();
            self.slots.put_all(&batch.items);
            self.count_slots();
        }
        if self.entries > self.max_entries || self.bytes > self.max_bytes {
            self.spill();
            self.enforce();
        }
    }

    /// Wakes who waits for what was offered.
    pub(super) fn wake(&mut self) {
        if std::mem::take(&mut self.is_waiting)
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }

    /// Notes that something of what was there on joining was read; `is_joining` tells whether there is more.
    pub(super) fn note_read(&mut self, is_joining: bool) {
        self.reads += 1;
        self.is_joining = is_joining;
    }

    /// The subscriber has left: nothing is kept for it from now on.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.clear();
        self.waker = None;
    }

    /// Takes what comes next, or leaves `waker` to be woken when something comes.
    pub(super) fn take(&mut self, waker: &Waker) -> Taken {
        if let Some(overrun) = self.overrun {
            return Taken::Overrun(overrun);
        }
        if let Some(batch) = self.batches.pop_front() {
            self.reads += 1;
            self.entries -= batch.items.len();
            self.bytes -= batch.size;
            return Taken::Batch(batch);
        }
        if self.slots.is_empty() {
            self.waker
                .get_or_insert_with(|| waker.clone())
                .clone_from(waker);
            self.is_waiting = true;
            return Taken::Nothing;
        }
        self.reads += 1;
        let items = self.slots.take();
        self.count_slots();
        Taken::Items(items)
    }

    /// Ends the subscriber if nothing was read for `timeout` although something waits. Nobody need be woken: who waits
    /// for something to come has read all. A stream that its connection holds up learns of the end when it reads on.
    pub(super) fn check_stall(&mut self, now: Timestamp, timeout: Duration) {
        let is_idle = self.entries == 0 && !self.is_joining;
        match self.stall {
            Some((reads, since)) if reads == self.reads && !is_idle => {
                if now.since(since) >= timeout && self.overrun.is_none() {
                    self.end(Overrun::Stalled(timeout.as_secs()));
                }
            }
            _ => self.stall = Some((self.reads, now)),
        }
    }

    /// Why the subscriber was ended, if it was.
    pub(super) fn overrun(&self) -> Option<Overrun> {
        self.overrun
    }

    /// Distinct entries that wait.
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    /// From now on one slot per leaf.
    fn spill(&mut self) {
        for batch in std::mem::take(&mut self.batches) {
            self.slots.put_all(&batch.items);
        }
        self.count_slots();
    }

    fn count_slots(&mut self) {
        self.entries = self.slots.len();
        self.bytes = self.slots.bytes();
    }

    fn enforce(&mut self) {
        if self.entries > self.max_entries {
            self.end(Overrun::Entries(self.max_entries));
        } else if self.bytes > self.max_bytes {
            self.end(Overrun::Bytes(self.max_bytes));
        }
    }

    fn end(&mut self, overrun: Overrun) {
        self.overrun = Some(overrun);
        self.clear();
    }

    fn clear(&mut self) {
        self.slots = Slots::default();
        self.batches = VecDeque::new();
        self.entries = 0;
        self.bytes = 0;
    }
}

/// Shared batches that a subscriber may fall behind, beyond one turn of the fan-out, before its leaves get slots: a
/// moment without processor.
const KEPT_BATCHES: usize = 8;
