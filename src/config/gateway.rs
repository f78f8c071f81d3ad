//! `[gateway]` and `[admin]`: the two listeners.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::pki::Name;
use crate::transport;

use super::Clients;
use super::Fault;
use super::clients;
use super::section::Section;

/// The gateway's port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The listener.
    pub transport: transport::Config,
    /// The listener of the IAM API, with the same certificate.
    pub iam: transport::Config,
    /// Where the server's certificate comes from.
    pub certificate: Certificate,
    /// Whose client certificates are taken.
    pub clients: Clients,
    /// Who is believed about the clients behind it.
    pub proxies: transport::Proxies,
    /// How long streams go on after a drain has begun; then they end with UNAVAILABLE.
    pub drain_grace: Duration,
}

/// Where the server's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The operator brings it.
    Files {
        /// PEM, server certificate first.
        certificate: PathBuf,
        /// PEM.
        key: PathBuf,
    },
    /// The gateway's own CA issues it for these names.
    Own(Vec<Name>),
}

impl Gateway {
    /// Where this gateway publishes the revocation lists of its own CA, as far as the settings tell: with a free port of
    /// the system's, nobody could find them there.
    ///
    /// HTTPS, because there is no port without it. Whoever fetches a list needs the CA's certificate alone.
    pub(super) fn lists_url(&self) -> Option<String> {
        let Certificate::Own(names) = &self.certificate else {
            return None;
        };
        let host = match names.first()? {
            Name::Ip(IpAddr::V6(address)) => format!("[{address}]"),
            name => name.to_string(),
        };
        match self.transport.listen.port() {
            0 => None,
            443 => Some(format!("https://{host}{LISTS}")),
            port => Some(format!("https://{host}:{port}{LISTS}")),
        }
    }
}

/// Reads `[gateway]`.
pub(super) fn gateway(section: &mut Section<'_, '_>) -> Gateway {
    let listen = section.get(
        "listen",
        GATEWAY_LISTEN,
        "Where the gateway listens, TLS alone.",
    );
    let iam_listen = section.get(
        "iam_listen",
        IAM_LISTEN,
        "Where the Zitadel-compatible IAM API listens, TLS alone, with the same certificate.",
    );
    let certificate = certificate(section);
    let (clients, proxies) = (clients::clients(section), clients::proxies(section));
    let drain_grace = section.duration(
        "drain_grace",
        DRAIN_GRACE,
        Duration::ZERO..=HOUR,
        "On SIGTERM: how long streams go on before they end with UNAVAILABLE.",
    );
    let transport = transport::Config {
        drain_deadline: drain_grace.saturating_add(AFTER_GRACE),
        ..limits(section, transport::Config::new(listen))
    };
    let iam = transport::Config {
        listen: iam_listen,
        max_connections: IAM_CONNECTIONS,
        ..transport
    };
    Gateway {
        transport,
        iam,
        certificate,
        clients,
        proxies,
        drain_grace,
    }
}

/// Reads `[admin]`.
pub(super) fn admin(section: &mut Section<'_, '_>) -> transport::Config {
    let doc = "Where /metrics, /healthz and /readyz are served, plain HTTP without authentication.";
    let listen = section.get("listen", ADMIN_LISTEN, doc);
    transport::Config {
        max_connections: ADMIN_CONNECTIONS,
        drain_deadline: AFTER_GRACE,
        ..transport::Config::new(listen)
    }
}

fn certificate(section: &mut Section<'_, '_>) -> Certificate {
    let names = section.get(
        "names",
        default_names(),
        "Names in the certificate that the gateway's own CA issues: host names and IP addresses.",
    );
    let certificate = section.optional(
        "cert_file",
        "PEM file with the server's certificate and its intermediates, instead of one of our own CA.",
    );
    let key = section.optional("key_file", "PEM file with the key of `cert_file`.");
    match (certificate, key) {
        (Some(certificate), Some(key)) => return Certificate::Files { certificate, key },
        (Some(_), None) => section.mistake("cert_file", Fault::Needs("gateway.key_file")),
        (None, Some(_)) => section.mistake("key_file", Fault::Needs("gateway.cert_file")),
        (None, None) if names.is_empty() => {
            section.mistake("names", Fault::Expected("at least one name"));
        }
        (None, None) => {}
    }
    Certificate::Own(names)
}

/// What one peer, and all of them, may take.
fn limits(section: &mut Section<'_, '_>, default: transport::Config) -> transport::Config {
    transport::Config {
        max_connections: section.count(
            "max_connections",
            default.max_connections,
            1..=1_000_000,
            "Open connections; more are closed at once and counted.",
        ),
        max_connections_per_address: section.count(
            "max_connections_per_address",
            default.max_connections_per_address,
            1..=1_000_000,
            "Open connections of one IPv4 address or IPv6 /64; more are closed at once and counted.",
        ),
        max_streams_per_connection: section.count(
            "max_streams_per_connection",
            default.max_streams_per_connection,
            1..=100_000,
            "Open requests of one HTTP/2 connection; clients wait with more.",
        ),
        stream_window_bytes: section.bytes(
            "stream_window",
            default.stream_window_bytes,
            WINDOWS,
            "Request bytes that one HTTP/2 stream may send ahead.",
        ),
        connection_window_bytes: section.bytes(
            "connection_window",
            default.connection_window_bytes,
            WINDOWS,
            "Request bytes that all streams of a connection may send ahead.",
        ),
        send_buffer_bytes: section.bytes(
            "send_buffer",
            default.send_buffer_bytes,
            16 << 10..=16 << 20,
            "Response bytes that HTTP/2 holds for one stream of a slow reader.",
        ),
        ..deadlines(section, default)
    }
}

/// How long a peer may take.
fn deadlines(section: &mut Section<'_, '_>, default: transport::Config) -> transport::Config {
    transport::Config {
        handshake_deadline: section.duration(
            "handshake_deadline",
            default.handshake_deadline,
            PATIENCE,
            "From accept to the end of the TLS handshake; slower peers are cut off.",
        ),
        header_deadline: section.duration(
            "header_deadline",
            default.header_deadline,
            PATIENCE,
            "From the handshake to the first request, and between requests of HTTP/1.1.",
        ),
        keepalive_interval: section.duration(
            "keepalive_interval",
            default.keepalive_interval,
            PATIENCE,
            "How often HTTP/2 pings the peer.",
        ),
        keepalive_timeout: section.duration(
            "keepalive_timeout",
            default.keepalive_timeout,
            PATIENCE,
            "A ping without an answer for so long ends the connection, also that of a stopped process.",
        ),
        ..default
    }
}

const LISTS: &str = "/distribution/crl";

/// What a client on this machine would ask for. Others need names of their own.
fn default_names() -> Vec<Name> {
    vec![
        Name::Dns("localhost".to_owned()),
        Name::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Name::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]
}

const GATEWAY_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 443);

/// Zitadel's port in the vendor's product.
const IAM_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 3443);

/// People and scripts that manage accounts: far fewer than collectors.
const IAM_CONNECTIONS: usize = 1_000;

/// The port is Prometheus's for exporters of this kind; loopback, because it asks nobody who they are.
const ADMIN_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// A handful of scrapers and probes.
const ADMIN_CONNECTIONS: usize = 64;

/// Enough for collectors to finish a poll, within the 30 s that Kubernetes grants.
const DRAIN_GRACE: Duration = Duration::from_secs(10);

/// What streams may take to end once they are told to.
const AFTER_GRACE: Duration = Duration::from_secs(5);

/// RFC 9113 6.9.2: from what every peer may send before it knows better, to the largest window.
const WINDOWS: RangeInclusive<u64> = 65_535..=(1 << 31) - 1;

const PATIENCE: RangeInclusive<Duration> = Duration::from_millis(100)..=HOUR;

const HOUR: Duration = Duration::from_hours(1);
