//! `[telemetry]` and `[gnmi]`: what the tree, its subscribers and their requests may take.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::gnmi;
use crate::telemetry;

use super::section::Section;

/// Reads `[telemetry]`.
pub(super) fn telemetry(section: &mut Section<'_, '_>) -> telemetry::Config {
    telemetry::Config {
        max_leaves: section.count(
            "max_leaves",
            telemetry::Config::MAX_LEAVES,
            1..=1_000_000_000,
            "Leaves of one tenant, about 500 bytes each; a write that would make more is refused.",
        ),
        queue_entries: section.count(
            "queue_entries",
            telemetry::Config::QUEUE_ENTRIES,
            1..=100_000_000,
            "Distinct leaves that wait for one subscriber; beyond, its stream ends with RESOURCE_EXHAUSTED.",
        ),
        queue_bytes: section.bytes(
            "queue_bytes",
            telemetry::Config::QUEUE_BYTES,
            64 << 10..=64 << 30,
            "Bytes that wait for one subscriber; beyond, its stream ends with RESOURCE_EXHAUSTED.",
        ),
        stall_timeout: section.duration(
            "stall_timeout",
            telemetry::Config::STALL_TIMEOUT,
            Duration::from_secs(1)..=Duration::from_hours(24),
            "How long a subscriber may leave its queue untouched before its stream ends.",
        ),
    }
}

/// Reads `[gnmi]`.
pub(super) fn gnmi(section: &mut Section<'_, '_>) -> gnmi::Config {
    gnmi::Config {
        max_streams_per_principal: section.count(
            "max_streams_per_principal",
            gnmi::Config::MAX_STREAMS_PER_PRINCIPAL,
            STREAMS,
            "Subscribe RPCs that one account may have open; more: RESOURCE_EXHAUSTED.",
        ),
        max_streams: section.count(
            "max_streams",
            gnmi::Config::MAX_STREAMS,
            STREAMS,
            "Subscribe RPCs of everybody; more: UNAVAILABLE.",
        ),
        max_paths: section.count(
            "max_paths",
            gnmi::Config::MAX_PATHS,
            1..=100_000,
            "Paths or operations of one request; more: INVALID_ARGUMENT.",
        ),
        max_message_bytes: section.bytes(
            "max_message_bytes",
            gnmi::Config::MAX_MESSAGE_BYTES,
            64 << 10..=1 << 30,
            "Size of one request; more: RESOURCE_EXHAUSTED.",
        ),
        min_sample_interval: section.duration(
            "min_sample_interval",
            gnmi::Config::MIN_SAMPLE_INTERVAL,
            Duration::from_millis(10)..=Duration::from_hours(1),
            "The shortest sample or heartbeat interval; zero means this one, a shorter one is INVALID_ARGUMENT.",
        ),
        hold_unknown_target: section.get(
            "hold_unknown_target",
            false,
            "Whether a STREAM for a target that does not exist waits for it instead of NOT_FOUND.",
        ),
        target_defined_strict_interval: section.get(
            "target_defined_strict_interval",
            false,
            "Whether TARGET_DEFINED with a sample interval is refused instead of taken as a hint.",
        ),
    }
}

const STREAMS: RangeInclusive<u64> = 1..=10_000_000;
