//! Where a syslog server listens.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// `udp://host:port`, `tcp://host:port` or `tls://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How messages travel.
    pub transport: Transport,
    pub(super) host: String,
    pub(super) port: u16,
}

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A stream of messages, each after its length (RFC 6587 3.4.1).
    Tcp,
    /// The same within TLS (RFC 5425).
    Tls,
    /// A datagram each (RFC 5426).
    Udp,
}

/// The text is no address of a syslog server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not udp://host[:port], tcp://host[:port] or tls://host[:port]")]
pub struct NotAnAddress;

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let uri: Uri = text.parse().map_err(|_| NotAnAddress)?;
        let authority = uri.authority().ok_or(NotAnAddress)?;
        let (transport, port) = match uri.scheme_str() {
            Some("tcp") => (Transport::Tcp, TCP_PORT),
            Some("tls") => (Transport::Tls, TLS_PORT),
            Some("udp") => (Transport::Udp, UDP_PORT),
            _ => return Err(NotAnAddress),
        };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if host.is_empty() || authority.as_str().contains('@') || !is_bare || text.contains('#') {
            return Err(NotAnAddress);
        }
        Ok(Self {
            transport,
            host,
            port: authority.port_u16().unwrap_or(port),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Udp => "udp",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// IANA has none for plain TCP; this is what rsyslog and syslog-ng listen on.
const TCP_PORT: u16 = 601;

/// RFC 5425 4.1.
const TLS_PORT: u16 = 6514;

/// RFC 5426 3.3.
const UDP_PORT: u16 = 514;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_names_transport_host_and_port() {
        for (text, shown) in [
            ("udp://127.0.0.1", "udp://127.0.0.1:514"),
            ("tcp://logs.example/", "tcp://logs.example:601"),
            ("tls://logs.example", "tls://logs.example:6514"),
            ("tls://[2001:db8::1]:7", "tls://[2001:db8::1]:7"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "logs.example",
            "https://logs.example",
            "tcp://a@logs.example",
            "tcp://logs.example/path",
            "udp://logs.example:514?a",
            "udp://logs.example#a",
        ] {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text}");
        }
    }
}
