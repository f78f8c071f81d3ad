//! The limits of the telemetry core.

use std::time::Duration;

/// What the core may hold, for whom, and for how long.
#[derive(Clone, Debug)]
pub struct Config {
    /// Leaves of one tenant, all targets together. Beyond it a write that creates leaves is refused.
    pub max_leaves: usize,
    /// Distinct leaves that wait for one subscriber. Beyond it the stream ends.
    pub queue_entries: usize,
    /// Bytes that wait for one subscriber, counted as encoded. Beyond it the stream ends.
    pub queue_bytes: usize,
    /// How long a subscriber may leave its queue untouched. Then the stream ends.
    pub stall_timeout: Duration,
}

impl Config {
    /// Between two looks for stalled subscribers: what an end may be late.
    pub(super) fn check_interval(&self) -> Duration {
        self.stall_timeout / 8
    }

    /// A million leaves: about three quarters of a gigabyte.
    pub const MAX_LEAVES: usize = 1_000_000;
    /// As many distinct leaves as a large device has.
    pub const QUEUE_ENTRIES: usize = 100_000;
    /// A hundred thousand updates of ordinary size fit several times over.
    pub const QUEUE_BYTES: usize = 64 << 20;
    /// Longer than the ten minutes that a collector may take to restart its own back end.
    pub const STALL_TIMEOUT: Duration = Duration::from_mins(15);
}
