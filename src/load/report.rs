//! What a run has found.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;
use super::tally::Tally;

/// Everything that was measured. Times are in seconds, rates per second.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "verdicts, each its own line")]
pub struct Report {
    /// Connections of subscribers.
    pub connections: usize,
    /// Subscribe RPCs.
    pub subscriptions: usize,
    /// Connections made per second.
    pub connect_rate: f64,
    /// From a Subscribe to its sync.
    pub sync_time: Latency,
    /// How long was measured.
    pub measured_seconds: f64,
    /// Updates per second that the publishers were to write; zero: as many as possible, or none.
    pub offered_rate: u64,
    /// Updates per second that the server acknowledged.
    pub ingest_rate: f64,
    /// Updates and deletes per second that came to all subscribers that read.
    pub delivery_rate: f64,
    /// Bytes of messages per delivered update.
    pub bytes_per_message: f64,
    /// From Notification timestamp to reading, subscribers that read at once.
    pub latency: Latency,
    /// The same for the slow ones, and the stalled ones.
    pub laggard_latency: Latency,
    /// Values that `duplicates` says were coalesced, at subscribers that read at once.
    pub coalesced: u64,
    /// The same for the slow and stalled ones.
    pub laggard_coalesced: u64,
    /// Values that neither came nor were counted as coalesced.
    pub missing: u64,
    /// Values that came after a later one of the same leaf.
    pub reordered: u64,
    /// Leaves whose last value did not come, over all subscriptions.
    pub lost_leaves: u64,
    /// Connections that were replaced by new ones while it was measured.
    pub reconnects: u64,
    /// Failed RPCs by status.
    pub errors: BTreeMap<String, u64>,
    /// Cores that the generator used.
    pub own_cores: f64,
    /// Cores that the server used, if its process is known.
    pub server_cores: Option<f64>,
    /// Cores of this machine that nobody used.
    pub idle_cores: f64,
    /// Cores that neither generator nor server used, nor stayed idle: other programs, or the server if its process is
    /// not known.
    pub other_cores: f64,
    /// Server processor time per delivered update, nanoseconds.
    pub server_nanos_per_delivery: Option<f64>,
    /// Resident memory of the server: before the first connection.
    pub server_bytes_before: Option<u64>,
    /// With all connections open and no stream.
    pub server_bytes_connected: Option<u64>,
    /// With all streams open and nothing written.
    pub server_bytes_idle: Option<u64>,
    /// When a sixth of the time was over: what comes later should add nothing.
    pub server_bytes_settled: Option<u64>,
    /// When the load was over, before stalled readers resumed.
    pub server_bytes_after: Option<u64>,
    /// The machine was full, and the generator used more of it than the server.
    pub generator_limited: bool,
    /// No processor was left, whoever used it: rates and latencies are the machine's, not the server's.
    pub machine_limited: bool,
    /// The publishers did not reach the offered rate.
    pub behind_offered_rate: bool,
    /// No error, nothing lost, missing or reordered.
    pub clean: bool,
}

/// A distribution of times, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of all are below.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 99 of a hundred.
    pub p99: f64,
    /// 999 of a thousand.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Latency {
    pub(super) fn of(histogram: &Histogram) -> Self {
        let seconds = |nanos| Duration::from_nanos(nanos).as_secs_f64();
        Self {
            p50: seconds(histogram.quantile(500)),
            p90: seconds(histogram.quantile(900)),
            p99: seconds(histogram.quantile(990)),
            p999: seconds(histogram.quantile(999)),
            max: seconds(histogram.max()),
        }
    }
}

/// The numbers that the runner takes beside the tallies.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) connections: usize,
    pub(super) subscriptions: usize,
    pub(super) connecting: Duration,
    pub(super) measured: Duration,
    pub(super) offered: u64,
    pub(super) ingested: u64,
    pub(super) own: Duration,
    pub(super) server: Option<Duration>,
    pub(super) unused: Duration,
    pub(super) before: Option<u64>,
    pub(super) connected: Option<u64>,
    pub(super) idle: Option<u64>,
    pub(super) settled: Option<u64>,
    pub(super) after: Option<u64>,
    pub(super) reconnects: u64,
    pub(super) cores: usize,
    pub(super) limited_count: bool,
}

impl Report {
    /// `eager` read at once, `laggards` slowly or not at all.
    pub(super) fn new(facts: &Facts, eager: &Tally, laggards: &Tally) -> Self {
        let mut all = eager.clone();
        all.merge(laggards);
        let measured = facts.measured.as_secs_f64().max(f64::MIN_POSITIVE);
        let cores = |used: Duration| used.as_secs_f64() / measured;
        let (own, server) = (cores(facts.own), facts.server.map(cores));
        let machine = float(u64::try_from(facts.cores).unwrap_or(1));
        let idle = cores(facts.unused);
        let full = idle < (1.0 - ENOUGH) * machine;
        let ingest_rate = float(facts.ingested) / measured;
        let behind = facts.offered > 0
            && !facts.limited_count
            && ingest_rate < ENOUGH * float(facts.offered);
        let lossless = all.missing == 0 && all.reordered == 0 && all.lost_leaves == 0;
        Self {
            connections: facts.connections,
            subscriptions: facts.subscriptions,
            connect_rate: float(u64::try_from(facts.connections).unwrap_or_default())
                / facts.connecting.as_secs_f64().max(f64::MIN_POSITIVE),
            sync_time: Latency::of(&all.sync_time),
            measured_seconds: facts.measured.as_secs_f64(),
            offered_rate: facts.offered,
            ingest_rate,
            delivery_rate: float(all.deliveries) / measured,
            bytes_per_message: float(all.bytes) / float(all.messages.max(1)),
            latency: Latency::of(&eager.latency),
            laggard_latency: Latency::of(&laggards.latency),
            coalesced: eager.coalesced,
            laggard_coalesced: laggards.coalesced,
            missing: all.missing,
            reordered: all.reordered,
            lost_leaves: all.lost_leaves,
            reconnects: facts.reconnects,
            own_cores: own,
            server_cores: server,
            server_nanos_per_delivery: facts
                .server
                .filter(|_| all.deliveries > 0)
                .map(|used| used.as_secs_f64() * 1e9 / float(all.deliveries.max(1))),
            server_bytes_before: facts.before,
            server_bytes_connected: facts.connected,
            server_bytes_idle: facts.idle,
            server_bytes_settled: facts.settled,
            server_bytes_after: facts.after,
            idle_cores: idle,
            other_cores: (machine - idle - own - server.unwrap_or_default()).max(0.0),
            generator_limited: full && server.is_none_or(|server| own > server),
            machine_limited: full,
            behind_offered_rate: behind,
            clean: lossless && all.errors.is_empty(),
            errors: all.errors,
        }
    }
}

/// Counts stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a count below 2^53 is exact")]
pub(super) const fn float(count: u64) -> f64 {
    count as f64
}

/// Processor time comes in hundredths, and nobody gets all of a machine.
const ENOUGH: f64 = 0.95;
