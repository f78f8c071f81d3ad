//! What a run does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secret;
use crate::wire::proto::gnmi as pb;

/// One run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server, `host:port`.
    pub address: String,
    /// Where the writers write, `host:port`, when the server takes its data from there. `None`: to the server itself.
    pub publish_address: Option<String>,
    /// Whom to trust, and ALPN `h2`.
    pub tls: Arc<rustls::ClientConfig>,
    /// Sent with every RPC.
    pub credential: Credential,
    /// Connections of subscribers. Publishers have one each of their own.
    pub connections: usize,
    /// Bytes that the server may send on a stream before the client has read them (RFC 9113 5.2).
    pub stream_window: u32,
    /// Addresses that connections are made from, in turn. Empty: the system's choice.
    pub sources: Vec<IpAddr>,
    /// Who reads, and what.
    pub readers: Readers,
    /// Who writes. `None` where the server has data of its own.
    pub writers: Option<Writers>,
    /// How long is measured.
    pub duration: Duration,
    /// How long the load runs before that.
    pub warm_up: Duration,
    /// From one connection that is replaced by a new one to the next; each has its turn. `None`: they stay.
    pub reconnect_interval: Option<Duration>,
    /// The server's process, when it runs here.
    pub server_process: Option<u32>,
}

/// What every RPC carries.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Nothing.
    None,
    /// `authorization: Bearer`.
    Bearer(Secret),
    /// `username` and `password`.
    Password {
        /// The name.
        username: String,
        /// Its password.
        password: Secret,
    },
}

/// The subscribers.
#[derive(Clone, Debug)]
pub struct Readers {
    /// Subscribe RPCs, spread evenly over the connections.
    pub subscriptions: usize,
    /// ONCE, POLL or STREAM.
    pub mode: Mode,
    /// How a STREAM wants its values.
    pub sampling: Sampling,
    /// What each asks for. Empty: what the writers write.
    pub paths: Vec<pb::Path>,
    /// `prefix.target`.
    pub target: String,
    /// How values come.
    pub encoding: pb::Encoding,
    /// How many wait a tenth of a second between two reads.
    pub slow: usize,
    /// How many stop reading after the sync until the writers have finished.
    pub stalled: usize,
}

/// The mode of the subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Ask, read all, ask again.
    Once,
    /// One RPC, polled again after every sync.
    Poll,
    /// Changes or samples.
    Stream,
}

/// The mode within STREAM.
#[derive(Clone, Copy, Debug)]
pub enum Sampling {
    /// ON_CHANGE.
    OnChange,
    /// SAMPLE at this interval.
    Every(Duration),
}

/// The publishers.
#[derive(Clone, Copy, Debug)]
pub struct Writers {
    /// How many write at once; each has leaves of its own.
    pub publishers: usize,
    /// Leaves in all.
    pub leaves: usize,
    /// Updates per second of all together; zero: as fast as the server takes them.
    pub rate: u64,
    /// Updates per Set; zero: chosen for at most 100 Sets a second and publisher.
    pub batch: usize,
    /// Stop after so many updates in all, before the time is over.
    pub updates: Option<u64>,
}

impl Writers {
    /// Updates per Set of one publisher. A Set names a leaf once at most: later values would replace earlier ones.
    pub(super) fn batch_size(&self) -> usize {
        let own_leaves = (self.leaves / self.publishers.max(1)).max(1);
        let wanted = match (self.batch, self.rate) {
            (0, 0) => SATURATING_BATCH,
            (0, rate) => {
                let publishers = u64::try_from(self.publishers).unwrap_or(1).max(1);
                usize::try_from((rate / publishers).div_ceil(SETS_PER_SECOND)).unwrap_or(1)
            }
            (batch, _) => batch,
        };
        wanted.clamp(1, own_leaves)
    }
}

/// What gRPC clients start with, and RFC 9113's default: small, so that it is the server that keeps what a client does not
/// read.
pub const STREAM_WINDOW_BYTES: u32 = 65_535;

/// The largest of RFC 9113 6.9.1.
pub const MAX_WINDOW_BYTES: u32 = (1 << 31) - 1;

/// A link that takes ten reads a second is as slow as a client gets without being stalled.
pub(super) const SLOW_READ_INTERVAL: Duration = Duration::from_millis(100);

/// Timers are accurate to a millisecond; ten of those between two Sets keep the rate even.
pub(super) const SETS_PER_SECOND: u64 = 100;

/// Large enough that the cost of a Set is its values.
const SATURATING_BATCH: usize = 100;

/// A leaf's number and its counter share 53 bits, which JSON numbers carry exactly.
pub(super) const MAX_LEAVES: usize = 1 << 20;

/// Connections that are opened at once: a storm, yet below the accept queue of common servers.
pub(super) const OPENING_AT_ONCE: usize = 64;

/// From the last write to the last value's arrival at the slowest reader; then a leaf is lost.
pub(super) const SETTLE_DEADLINE: Duration = Duration::from_secs(30);

/// From the first Subscribe to the last sync; the streams that are late by then count as they come.
pub(super) const SYNC_DEADLINE: Duration = Duration::from_mins(1);

/// For tasks to notice that the run is over.
pub(super) const END_DEADLINE: Duration = Duration::from_secs(5);
