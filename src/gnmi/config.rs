//! The limits and choices of the gNMI service.

use std::time::Duration;

/// What one request may ask for, and how the open questions of the specification are answered.
#[derive(Clone, Debug)]
pub struct Config {
    /// Subscribe RPCs that one account may have open. Beyond it: RESOURCE_EXHAUSTED.
    pub max_streams_per_principal: u32,
    /// Subscribe RPCs of everybody. Beyond it: UNAVAILABLE.
    pub max_streams: usize,
    /// Paths or operations of one request. Beyond it: INVALID_ARGUMENT.
    pub max_paths: usize,
    /// Bytes of one request. Beyond it: RESOURCE_EXHAUSTED.
    pub max_message_bytes: usize,
    /// The shortest sample or heartbeat interval. A shorter one: INVALID_ARGUMENT; zero means this one.
    pub min_sample_interval: Duration,
    /// Whether a STREAM for a target that does not exist waits for it, instead of NOT_FOUND (gNMI rule 13).
    pub hold_unknown_target: bool,
    /// Whether a TARGET_DEFINED subscription with a sample interval is refused, instead of the interval being taken as
    /// a hint (gNMI rule 60).
    pub target_defined_strict_interval: bool,
}

impl Config {
    /// A load generator's share of one gateway.
    pub const MAX_STREAMS_PER_PRINCIPAL: u32 = 10_000;
    /// Half a gigabyte of streams.
    pub const MAX_STREAMS: usize = 50_000;
    /// More than any client sends; little enough to answer in milliseconds.
    pub const MAX_PATHS: usize = 1_000;
    /// What gRPC servers accept by default.
    pub const MAX_MESSAGE_BYTES: usize = 4 << 20;
    /// Below this a change subscription is the better choice.
    pub const MIN_SAMPLE_INTERVAL: Duration = Duration::from_millis(100);
}
