//! Everything that is counted while a run goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use super::histogram::Histogram;
use super::leaves::Order;

/// The account of one kind of reader, or of one connection's share of them. About 20 KiB.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Updates and deletes that came while it was measured.
    pub(super) deliveries: u64,
    /// gRPC messages, at any time after the sync.
    pub(super) messages: u64,
    /// Bytes of response bodies.
    pub(super) bytes: u64,
    /// The sum of `duplicates`.
    pub(super) coalesced: u64,
    /// Values that neither came nor were counted in `duplicates`.
    pub(super) missing: u64,
    pub(super) reordered: u64,
    /// Leaves whose last value never came, over all streams.
    pub(super) lost_leaves: u64,
    /// Syncs seen: one per STREAM, one per round of ONCE and POLL.
    pub(super) syncs: u64,
    /// From Notification timestamp to reading, nanoseconds, while it was measured.
    pub(super) latency: Histogram,
    /// From request to sync, nanoseconds.
    pub(super) sync_time: Histogram,
    /// By gRPC status, or `transport`: at most as many as there are codes.
    pub(super) errors: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            deliveries: 0,
            messages: 0,
            bytes: 0,
            coalesced: 0,
            missing: 0,
            reordered: 0,
            lost_leaves: 0,
            syncs: 0,
            latency: Histogram::new(),
            sync_time: Histogram::new(),
            errors: BTreeMap::new(),
        }
    }

    pub(super) fn order(&mut self, order: Order) {
        match order {
            Order::Foreign | Order::Next => {}
            Order::Gap(missing) => self.missing += u64::from(missing),
            Order::Reordered => self.reordered += 1,
        }
    }

    pub(super) fn synced(&mut self, after: Duration) {
        self.syncs += 1;
        let nanos = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        self.sync_time.record(nanos, 1);
    }

    pub(super) fn error(&mut self, code: &str) {
        *self.errors.entry(code.to_owned()).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.deliveries += other.deliveries;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.coalesced += other.coalesced;
        self.missing += other.missing;
        self.reordered += other.reordered;
        self.lost_leaves += other.lost_leaves;
        self.syncs += other.syncs;
        self.latency.merge(&other.latency);
        self.sync_time.merge(&other.sync_time);
        for (code, count) in &other.errors {
            *self.errors.entry(code.clone()).or_default() += count;
        }
    }
}
