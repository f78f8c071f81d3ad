//! What HTTP proxies say of the clients behind them, believed of listed ones alone and taken out of every request.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use rustls::CertificateError;
use rustls::Error as TlsError;

use crate::model::Peer;

use super::Proxies;
use super::Tls;
use super::client_cert::Malformed;
use super::client_cert::read_client_cert;
use super::xfcc::read_xfcc;

/// A forwarded certificate that does not count. The request goes no further: at the proxy it would have been a failed
/// handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(&'static str);

impl Proxies {
    /// Tells who is behind `peer`, and takes out of `headers` what only a proxy may say, in every spelling.
    ///
    /// A proxy that is listed for certificates, and has shown one of its own, speaks for its clients: its own certificate
    /// is nobody's then. A client's is verified as in a handshake.
    pub(super) fn peer_behind(
        &self,
        peer: &Peer,
        headers: &mut HeaderMap,
        tls: Option<&Tls>,
    ) -> Result<Peer, Refused> {
        let proxy = peer.address.ip();
        let mut client = peer.clone();
        if self.forwarded_for.contain(proxy)
            && let Some(address) = self.client_address(headers)
        {
            client.address = SocketAddr::new(address, 0);
        }
        let mut chain = None;
        if self.client_cert.contain(proxy) {
            client.certificate = None;
            client.client = None;
            chain = read_client_cert(headers)?;
        }
        if self.xfcc.contain(proxy) {
            client.certificate = None;
            client.client = None;
            chain = chain.or(read_xfcc(headers)?);
        }
        strip(headers);
        // Only over mutual TLS: an address alone is no proof.
        let proven = tls.filter(|_| peer.client.is_some());
        if let (Some(tls), Some(chain)) = (proven, chain) {
            let chain: Arc<[Bytes]> = chain.into();
            client.client = Some(Arc::new(tls.trust.verify(&chain, tls.now())?));
            client.certificate = Some(chain);
        }
        Ok(client)
    }

    /// The last address that is not itself a proxy's: whatever stands before it, the client may have written.
    fn client_address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lines: Vec<_> = headers.get_all(&FORWARDED_FOR).iter().collect();
        let mut last = None;
        for line in lines.iter().rev() {
            for entry in line.to_str().ok()?.rsplit(',') {
                let address = read_address(entry.trim())?;
                last = Some(address);
                if !self.forwarded_for.contain(address) {
                    return last;
                }
            }
        }
        last
    }
}

/// An address with or without a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

/// Some servers and scripts take underscores for hyphens: no spelling is left for anyone to read.
fn strip(headers: &mut HeaderMap) {
    let is_said = |name: &&HeaderName| {
        let name = name.as_str();
        ASSERTIONS.iter().any(|assertion| {
            name.len() == assertion.len()
                && name
                    .bytes()
                    .map(|byte| if byte == b'_' { b'-' } else { byte })
                    .eq(assertion.bytes())
        })
    };
    let names: Vec<HeaderName> = headers.keys().filter(is_said).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

impl Refused {
    /// The answer: 403, which gRPC clients know as PERMISSION_DENIED.
    pub(super) fn into_response(self) -> Response {
        let body = serde_json::json!({
            "errors": [{
                "status": "403",
                "code": self.0,
                "title": "Forbidden",
                "detail": "the client certificate that the proxy forwards does not count",
            }],
        });
        let mut response = Response::new(axum::body::Body::from(body.to_string()));
        *response.status_mut() = StatusCode::FORBIDDEN;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Self {
        Self("invalid_certificate")
    }
}

impl From<TlsError> for Refused {
    fn from(error: TlsError) -> Self {
        let TlsError::InvalidCertificate(error) = error else {
            return Self("invalid_certificate");
        };
        Self(match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "certificate_expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "certificate_not_yet_valid"
            }
            CertificateError::Revoked => "certificate_revoked",
            CertificateError::UnknownIssuer => "unknown_issuer",
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "wrong_purpose"
            }
            _ => "invalid_certificate",
        })
    }
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const ASSERTIONS: [&str; 3] = [
    "client-cert",
    "client-cert-chain",
    "x-forwarded-client-cert",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Proxies {
        Proxies {
            forwarded_for: vec!["10.0.0.0/8".parse().unwrap()].into(),
            ..Proxies::default()
        }
    }

    fn seen(from: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = Peer::plain(SocketAddr::new(from.parse().unwrap(), 1));
        let client = proxies().peer_behind(&peer, &mut headers, None).unwrap();
        client.address.ip().to_string()
    }

    #[test]
    fn address_is_the_last_that_no_proxy_has() {
        for (lines, address) in [
            (&["192.0.2.1"][..], "192.0.2.1"),
            (&["198.51.100.9, 192.0.2.1, 10.1.1.1"], "192.0.2.1"),
            (&["198.51.100.9", "192.0.2.1:555"], "192.0.2.1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["10.2.2.2"], "10.2.2.2"),
            (&["192.0.2.1, junk"], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", lines), address, "{lines:?}");
        }
        assert_eq!(seen("192.0.2.99", &["192.0.2.1"]), "192.0.2.99");
    }

    #[test]
    fn assertions_go_in_every_spelling() {
        let mut headers = HeaderMap::new();
        for name in [
            "Client-Cert",
            "client_cert",
            "Client_Cert-Chain",
            "X_Forwarded_Client_Cert",
        ] {
            let name: HeaderName = name.to_lowercase().parse().unwrap();
            headers.insert(name, HeaderValue::from_static("x"));
        }
        headers.insert("client-certs", HeaderValue::from_static("x"));
        strip(&mut headers);
        assert_eq!(headers.len(), 1, "{headers:?}");
    }
}
