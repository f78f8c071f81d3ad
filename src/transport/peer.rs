//! What a TLS session says of its other end.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use rustls::Error as TlsError;
use rustls::ServerConnection;

use crate::model::Alpn;
use crate::model::Peer;

use super::Tls;

/// The other end of a TLS connection after its handshake.
///
/// The certificate is verified once more: a resumed session shows none again, and may have outlived its time; and only
/// here is it known whose connection it is.
///
/// # Errors
///
/// The TLS library's, when the certificate does not count any more.
pub(super) fn peer_of_session(
    address: SocketAddr,
    session: &ServerConnection,
    tls: &Tls,
) -> Result<Peer, TlsError> {
    let certificate: Option<Arc<[Bytes]>> = session.peer_certificates().map(|chain| {
        chain
            .iter()
            .map(|one| Bytes::copy_from_slice(one))
            .collect()
    });
    let client = match &certificate {
        Some(chain) => Some(Arc::new(tls.trust.verify(chain, tls.now())?)),
        None => None,
    };
    let alpn = match session.alpn_protocol() {
        Some(H2) => Alpn::H2,
        Some(HTTP11) => Alpn::Http11,
        _ => Alpn::Unsaid,
    };
    Ok(Peer {
        address,
        certificate,
        client,
        server_name: session.server_name().map(Arc::from),
        alpn,
        is_encrypted: true,
    })
}

/// ALPN identifiers (RFC 7301 6, RFC 9113 3.1), in the order of our preference.
pub(super) const H2: &[u8] = b"h2";
pub(super) const HTTP11: &[u8] = b"http/1.1";
