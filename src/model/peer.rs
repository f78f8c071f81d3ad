//! The other end of a connection, as every request's extensions show it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::ClientCertificate;

/// Who is at the other end. One per connection, shared by its requests; cheap to clone.
#[derive(Clone)]
pub struct Peer {
    /// The peer's address, as the socket has it.
    pub address: SocketAddr,
    /// The verified chain in DER, the peer's own certificate first. `None` when it showed none, which is allowed.
    pub certificate: Option<Arc<[Bytes]>>,
    /// What the first certificate of the chain says.
    pub client: Option<Arc<ClientCertificate>>,
    /// The name under which the peer asked for us (RFC 6066 3).
    pub server_name: Option<Arc<str>>,
    /// What the two sides agreed to speak.
    pub alpn: Alpn,
    /// Whether the connection is TLS. Credentials are refused on one that is not.
    pub is_encrypted: bool,
}

/// The application protocol that the handshake settled (RFC 7301).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alpn {
    /// `h2`.
    H2,
    /// `http/1.1`.
    Http11,
    /// The peer did not ask; what it speaks shows in its first bytes.
    #[default]
    Unsaid,
}

impl Peer {
    /// The other end of a connection without TLS.
    pub const fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            certificate: None,
            client: None,
            server_name: None,
            alpn: Alpn::Unsaid,
            is_encrypted: false,
        }
    }
}

/// A certificate's bytes are of no use in a log: only whether there is one.
impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address)
            .field("has_certificate", &self.certificate.is_some())
            .field("server_name", &self.server_name)
            .field("alpn", &self.alpn)
            .finish_non_exhaustive()
    }
}
