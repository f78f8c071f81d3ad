//! The settings of a listener, and their defaults with reasons.

use std::net::SocketAddr;
use std::time::Duration;

/// How one listener treats its connections. [`Config::new`] holds the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// From accept to the end of the TLS handshake; a slower peer is cut off.
    pub handshake_deadline: Duration,
    /// From the end of the handshake to the first complete request head (HTTP/1.1: also between requests).
    pub header_deadline: Duration,
    /// Open connections of all peers; the next is closed at once and counted.
    pub max_connections: usize,
    /// Open connections of one IPv4 address or one IPv6 /64; the next is closed at once and counted.
    pub max_connections_per_address: usize,
    /// Open requests of one HTTP/2 connection; a client waits with more (RFC 9113 5.1.2).
    pub max_streams_per_connection: u32,
    /// Unread request bytes that one HTTP/2 stream may send ahead.
    pub stream_window_bytes: u32,
    /// Unread request bytes that all streams of one connection may send ahead.
    pub connection_window_bytes: u32,
    /// Response bytes that HTTP/2 keeps for one stream of a slow reader; beyond, the stream waits.
    pub send_buffer_bytes: usize,
    /// How often HTTP/2 pings the peer.
    pub keepalive_interval: Duration,
    /// A ping without an answer for so long ends the connection.
    pub keepalive_timeout: Duration,
    /// From the start of a drain to its end by force.
    pub drain_deadline: Duration,
}

impl Config {
    /// The defaults, on the given address.
    pub const fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            // A handshake takes two round trips and 0.2 ms of processor time: ten seconds serve satellite links.
            handshake_deadline: Duration::from_secs(10),
            // One packet, from a client that has just proved to be alive.
            header_deadline: Duration::from_secs(10),
            // 27 KiB each (idle TLS connection with one stream, measured): 270 MiB.
            max_connections: 10_000,
            // A collector fleet behind one address translation; a tenth of the whole.
            max_connections_per_address: 1_000,
            // Collectors with a stream per target; each idle stream costs 3-4 KiB (measured).
            max_streams_per_connection: 1_000,
            // Requests are small but for Set and published telemetry.
            stream_window_bytes: 256 << 10,
            // Four streams at full window.
            connection_window_bytes: 1 << 20,
            // Four chunks of 16 KiB, the size from which larger brings no more throughput (measured).
            send_buffer_bytes: 64 << 10,
            // Below the shortest idle timeout of address translation in the field.
            keepalive_interval: Duration::from_secs(30),
            // A collector that is stopped for ten minutes (to restart its back end, or in a debugger) comes back to
            // its streams; a peer that has vanished is noticed as late as TCP itself notices it.
            keepalive_timeout: Duration::from_mins(15),
            drain_deadline: Duration::from_secs(15),
        }
    }
}

/// Request head (RFC 9113 6.5.2 counts names, values and 32 bytes each). A PAT is 55 bytes, an external token may
/// have 4 KiB.
pub(super) const MAX_HEADER_BYTES: u32 = 16 << 10;

/// Streams that a peer opens and resets before they are seen (CVE-2023-44487, "rapid reset"); the next one ends
/// the connection. Honest clients cancel a few dozen at once when they shut down.
pub(super) const MAX_PENDING_RESETS: usize = 128;

/// Streams reset by us for the peer's protocol errors (CVE-2025-8671, "made you reset"); the next one ends the
/// connection.
pub(super) const MAX_LOCAL_RESETS: usize = 256;
