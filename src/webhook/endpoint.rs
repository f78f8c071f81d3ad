//! Where a web server listens.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;

/// An `https` URL, or an `http` one on this very machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_encrypted: bool,
    /// As the request names it: `/hooks/a?b=c`.
    pub(super) path: String,
}

/// The text is no URL to which anything may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an https URL, nor an http URL of this machine, without user name and fragment")]
pub struct NotAnEndpoint;

impl Endpoint {
    /// Whether TLS protects the way there.
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The `host` header: the port only where it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == default_port(self.is_encrypted) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        if text.contains('#') {
            return Err(NotAnEndpoint);
        }
        let uri: Uri = text.parse().map_err(|_| NotAnEndpoint)?;
        let authority = uri.authority().ok_or(NotAnEndpoint)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_here(&host) => false,
            _ => return Err(NotAnEndpoint),
        };
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(NotAnEndpoint);
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            host,
            port: authority.port_u16().unwrap_or(default_port(is_encrypted)),
            is_encrypted,
            path: path.to_owned(),
        })
    }
}

/// Without the query, which may hold a secret of the server's.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.authority())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

const fn default_port(is_encrypted: bool) -> u16 {
    if is_encrypted { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_is_https_or_on_this_machine() {
        for (text, shown) in [
            ("https://hooks.example/a?key=x", "https://hooks.example/a"),
            ("https://hooks.example:8443", "https://hooks.example:8443/"),
            ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
            ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
            ("http://[::1]:1/", "http://[::1]:1/"),
            ("http://localhost/", "http://localhost/"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "hooks.example",
            "http://hooks.example/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "https://user:secret@hooks.example/",
            "https://hooks.example/#a",
            "https:///a",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(NotAnEndpoint), "{text}");
        }
    }
}
