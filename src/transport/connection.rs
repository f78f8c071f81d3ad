//! One connection, from accept to its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::routing::future::RouteFuture;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::Service;
use tracing::Instrument;

use crate::model::Peer;

use super::Config;
use super::config::MAX_HEADER_BYTES;
use super::config::MAX_LOCAL_RESETS;
use super::config::MAX_PENDING_RESETS;
use super::cork::Cork;
use super::cork::Streams;
use super::metrics::HandshakeFailure;
use super::metrics::Metrics;
use super::opening::Opening;
use super::peer::peer_of_session;
use super::server::Security;

/// What all connections of a server share.
pub(super) struct Shared {
    config: Config,
    security: Security,
    router: Router,
    metrics: Metrics,
    alive: mpsc::Sender<Infallible>,
}

/// Runs the tasks of one connection's HTTP/2 streams. Each holds a clone of `alive` until it ends, so that the
/// server can wait for the last, and is counted, so that the connection's writes can be gathered.
#[derive(Clone, Debug)]
struct Tasks {
    alive: mpsc::Sender<Infallible>,
    streams: Streams,
}

impl Shared {
    pub(super) fn new(
        config: Config,
        security: Security,
        router: Router,
        metrics: Metrics,
        alive: mpsc::Sender<Infallible>,
    ) -> Self {
        Self {
            config,
            security,
            router,
            metrics,
            alive,
        }
    }

    /// Serves one connection until it ends. `drain` lets requests that are under way finish.
    pub(super) async fn run(&self, tcp: TcpStream, address: SocketAddr, drain: CancellationToken) {
        let _open = Counted::new(&self.metrics);
        // Batching happens above the socket; Nagle would only add delay (measured: no cost when saturated).
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "connection was gone before it was served");
            return;
        }
        match &self.security {
            Security::Plain => self.serve(tcp, Peer::plain(address), drain).await,
            Security::Tls(identity) => {
                let identity = Arc::clone(&identity.borrow());
                let handshake = drain
                    .run_until_cancelled(self.shake_hands(identity, tcp))
                    .await;
                let Some(Some(tls)) = handshake else {
                    return;
                };
                let peer = peer_of_session(address, tls.get_ref().1);
                tracing::Span::current().record("tls.alpn", tracing::field::debug(peer.alpn));
                self.serve(tls, peer, drain).await;
            }
        }
    }

    async fn shake_hands(
        &self,
        identity: Arc<ServerConfig>,
        tcp: TcpStream,
    ) -> Option<TlsStream<TcpStream>> {
        let begun = Instant::now();
        let accept = TlsAcceptor::from(identity).accept(tcp);
        let failure = match timeout(self.config.handshake_deadline, accept).await {
            Ok(Ok(tls)) => {
                self.metrics.shook_hands(begun.elapsed());
                return Some(tls);
            }
            Ok(Err(error)) => failure_of(&error),
            Err(_) => HandshakeFailure::Deadline,
        };
        Metrics::handshake_failed(failure);
        tracing::debug!(reason = failure.as_str(), "tls handshake failed");
        None
    }

    async fn serve<S>(&self, stream: S, peer: Peer, drain: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let opening = Opening::default();
        let streams = Streams::default();
        let io = TokioIo::new(Cork::new(opening.observe(stream), streams.clone()));
        let http = self.http_builder(Tasks {
            alive: self.alive.clone(),
            streams,
        });
        let service = Requests {
            router: self.router.clone(),
            peer,
            opening: opening.clone(),
        };
        let mut connection = pin!(http.serve_connection(io, service));
        let mut header_deadline = pin!(sleep(self.config.header_deadline));
        let (mut is_open, mut is_draining) = (false, false);
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection ended early");
                    }
                    return;
                }
                () = drain.cancelled(), if !is_draining => {
                    is_draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = header_deadline.as_mut(), if !is_open => {
                    is_open = opening.is_done();
                    if !is_open {
                        self.metrics.silent();
                        return;
                    }
                }
            }
        }
    }

    fn http_builder(&self, tasks: Tasks) -> auto::Builder<Tasks> {
        let config = &self.config;
        let mut builder = auto::Builder::new(tasks);
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(config.header_deadline)
            .max_buf_size(MAX_HEADER_BYTES as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEADER_BYTES)
            .max_concurrent_streams(config.max_streams_per_connection)
            .initial_stream_window_size(config.stream_window_bytes)
            .initial_connection_window_size(config.connection_window_bytes)
            .max_send_buf_size(config.send_buffer_bytes)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(MAX_LOCAL_RESETS)
            .keep_alive_interval(config.keepalive_interval)
            .keep_alive_timeout(config.keepalive_timeout);
        match self.security {
            Security::Plain => builder.http1_only(),
            Security::Tls(_) => builder,
        }
    }
}

/// Hands each request to the router, with the peer in its extensions.
struct Requests {
    router: Router,
    peer: Peer,
    opening: Opening,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.opening.finish();
        request.extensions_mut().insert(self.peer.clone());
        // A router is always ready.
        self.router.clone().call(request)
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        let (alive, open) = (self.alive.clone(), self.streams.open());
        let task = async move {
            let _alive_and_open = (alive, open);
            stream.await;
        };
        drop(tokio::spawn(task.in_current_span()));
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

/// One more open connection in the gauge, for as long as it lives.
struct Counted<'a>(&'a Metrics);

impl<'a> Counted<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        metrics.open.increment(1);
        Self(metrics)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.open.decrement(1);
    }
}
