//! What comes before the first request: a balancer's header, and the TLS handshake.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::io::AsyncBufRead;
use tokio::io::AsyncBufReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::model::Alpn;
use crate::model::Peer;

use super::Tls;
use super::connection::Shared;
use super::limits::Refusal;
use super::limits::Slot;
use super::metrics::HandshakeFailure;
use super::metrics::Metrics;
use super::peer::peer_of_session;
use super::proxy_protocol::read_header;
use super::server::Security;
use super::socket::Socket;
use super::standing::Standing;

/// A connection that is ready for HTTP. Its parts come boxed: by value, the 1.2 KiB of a TLS stream would stand three
/// times in the connection's task, once for each function that hands it on, for as long as the connection lives.
pub(super) struct Opened {
    pub(super) stream: Stream,
    /// HTTP/1.1 otherwise.
    pub(super) is_http2: bool,
    pub(super) peer: Box<Peer>,
    /// Waits until the peer's certificate does not count any more.
    pub(super) lost: BoxFuture<'static, ()>,
    pub(super) slot: Slot,
}

/// What HTTP goes over.
pub(super) enum Stream {
    Plain(Box<TcpStream>),
    Tls(Box<TlsStream<Socket>>),
}

impl Shared {
    /// Brings a connection to where HTTP begins. `None` when it does not come so far; why is counted and noted.
    pub(super) async fn open(
        self: Arc<Self>,
        mut tcp: TcpStream,
        from: SocketAddr,
        mut slot: Slot,
    ) -> Option<Opened> {
        // Batching happens above the socket; Nagle would only add delay (measured: no cost when saturated).
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "connection was gone before it was served");
            return None;
        }
        let address = self.client_of(&mut tcp, from, &mut slot).await?;
        match self.cool_offs.wait(address.ip()).await {
            Ok(has_waited) => self.metrics.began(has_waited),
            Err(refusal) => {
                self.refused(address, refusal);
                return None;
            }
        }
        match &self.security {
            Security::Plain => Some(Opened {
                stream: Stream::Plain(Box::new(tcp)),
                is_http2: false,
                peer: Box::new(Peer::plain(address)),
                lost: Box::pin(pending()),
                slot,
            }),
            Security::Tls(newest) => {
                let tls = Arc::clone(&newest.borrow());
                let (mut stream, peer) = self.shake_hands(&tls, tcp, address).await?;
                tracing::Span::current().record("tls.alpn", tracing::field::debug(peer.alpn));
                let is_http2 = match peer.alpn {
                    Alpn::H2 => true,
                    Alpn::Http11 => false,
                    Alpn::Unsaid => self.begins_as_http2(&mut *stream).await?,
                };
                Some(Opened {
                    is_http2,
                    lost: Standing::new(&peer, tls, newest.clone()).lost(),
                    stream: Stream::Tls(stream),
                    peer,
                    slot,
                })
            }
        }
    }

    /// Whose connection it is: what a listed balancer says, or what the socket does. `None` when the balancer says
    /// nothing that can be understood, or when its client has too many connections.
    async fn client_of(
        &self,
        tcp: &mut TcpStream,
        from: SocketAddr,
        slot: &mut Slot,
    ) -> Option<SocketAddr> {
        if !self.is_balancer(from.ip()) {
            return Some(from);
        }
        let header = timeout(self.config.handshake_deadline, read_header(tcp));
        let Ok(Ok(said)) = header.await else {
            Metrics::handshake_failed(HandshakeFailure::ProxyHeader);
            tracing::debug!("no proxy protocol header from a listed balancer");
            return None;
        };
        let client = said.unwrap_or(from);
        // A balancer's own health checks are not anybody's connections.
        if said.is_some()
            && let Err(refusal) = slot.charge(client.ip())
        {
            self.refused(client, refusal);
            return None;
        }
        Some(client)
    }

    fn refused(&self, client: SocketAddr, refusal: Refusal) {
        self.metrics.refused(refusal);
        tracing::debug!(client.addr = %client, ?refusal, "connection refused");
    }

    /// The TLS handshake, and who is at the other end after it.
    async fn shake_hands(
        &self,
        tls: &Tls,
        tcp: TcpStream,
        address: SocketAddr,
    ) -> Option<(Box<TlsStream<Socket>>, Box<Peer>)> {
        let begun = Instant::now();
        let accept = TlsAcceptor::from(Arc::clone(&tls.config)).accept(Socket(tcp));
        let failure = match timeout(self.config.handshake_deadline, accept).await {
            Ok(Ok(stream)) => match peer_of_session(address, stream.get_ref().1, tls) {
                Ok(peer) => {
                    self.metrics.shook_hands(begun.elapsed());
                    return Some((Box::new(stream), Box::new(peer)));
                }
                Err(_) => HandshakeFailure::Certificate,
            },
            Ok(Err(error)) => failure_of(&error),
            Err(_) => HandshakeFailure::Deadline,
        };
        Metrics::handshake_failed(failure);
        tracing::debug!(reason = failure.as_str(), "tls handshake failed");
        None
    }
}

impl Shared {
    /// Whether the first bytes of a peer that has not said what it speaks are those of HTTP/2 (RFC 9113 3.4). Clients send
    /// them in one piece. `None` when nothing comes.
    async fn begins_as_http2(&self, stream: &mut (impl AsyncBufRead + Unpin)) -> Option<bool> {
        let Ok(first) = timeout(self.config.header_deadline, stream.fill_buf()).await else {
            self.metrics.silent();
            return None;
        };
        Some(first.ok()?.starts_with(PREFACE_BEGINNING))
    }
}

/// The reason of a failed handshake, for its counter. What the peer sent is not told.
fn failure_of(error: &io::Error) -> HandshakeFailure {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        None => HandshakeFailure::Closed,
        Some(rustls::Error::AlertReceived(_)) => HandshakeFailure::Alert,
        Some(rustls::Error::InvalidCertificate(_)) => HandshakeFailure::Certificate,
        Some(rustls::Error::NoApplicationProtocol) => HandshakeFailure::Alpn,
        Some(rustls::Error::PeerIncompatible(_)) => HandshakeFailure::Incompatible,
        Some(_) => HandshakeFailure::Protocol,
    }
}

/// As much as no method of HTTP/1.1 begins with.
const PREFACE_BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n";
