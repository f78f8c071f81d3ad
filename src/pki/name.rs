//! The names under which a server is known.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use rcgen::SanType;
use rustls::pki_types::DnsName;
use rustls::pki_types::ServerName;

/// A DNS name, `*.` allowed in front, or an IP address, as it stands in a certificate (RFC 9525 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A host name in lower case.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

/// The text is neither a DNS name nor an IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host name or ip address")]
pub struct NotAName;

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(ip));
        }
        let host = text.strip_prefix(WILDCARD).unwrap_or(text);
        DnsName::try_from(host).map_err(|_| NotAName)?;
        Ok(Self::Dns(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(host) => f.write_str(host),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

impl Name {
    /// As a subject alternative name.
    pub(super) fn to_san(&self) -> Result<SanType, rcgen::Error> {
        Ok(match self {
            Self::Dns(host) => SanType::DnsName(host.as_str().try_into()?),
            Self::Ip(ip) => SanType::IpAddress(*ip),
        })
    }

    /// A name that a client would ask for; a wildcard is filled in.
    pub(super) fn to_server_name(&self) -> Option<ServerName<'static>> {
        match self {
            Self::Dns(host) => {
                let host = host
                    .strip_prefix(WILDCARD)
                    .map_or(host.clone(), |rest| format!("any.{rest}"));
                ServerName::try_from(host).ok()
            }
            Self::Ip(ip) => Some(ServerName::from(*ip)),
        }
    }
}

const WILDCARD: &str = "*.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_a_host_or_an_address() {
        assert_eq!("127.0.0.1".parse(), Ok(Name::Ip([127, 0, 0, 1].into())));
        assert_eq!("::1".parse(), Ok(Name::Ip("::1".parse().unwrap())));
        assert_eq!(
            "Gateway.example".parse(),
            Ok(Name::Dns("gateway.example".to_owned()))
        );
        assert_eq!("*.example".parse(), Ok(Name::Dns("*.example".to_owned())));
        for bad in [
            "",
            "*",
            "a b",
            "-x",
            "https://a",
            "a:443",
            "*.*.a",
            "ä.example",
        ] {
            assert_eq!(bad.parse::<Name>(), Err(NotAName), "{bad}");
        }
    }
}
