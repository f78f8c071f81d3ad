//! One connection, from accept to its end.

use std::convert::Infallible;
use std::error::Error;
use std::future::Ready;
use std::future::poll_fn;
use std::future::ready;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::routing::future::RouteFuture;
use futures_util::future::BoxFuture;
use futures_util::future::Either;
use h2::Reason;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::model::Peer;

use super::Config;
use super::Proxies;
use super::Tls;
use super::config::MAX_HEADER_BYTES;
use super::config::MAX_LOCAL_RESETS;
use super::config::MAX_PENDING_RESETS;
use super::cool_off::CoolOffs;
use super::cork::Cork;
use super::cork::Streams;
use super::ending::Ending;
use super::ending::Endings;
use super::flood::Flood;
use super::handshake::Opened;
use super::handshake::Stream;
use super::limits::Slot;
use super::linger::linger;
use super::metrics::Metrics;
use super::opening::Observed;
use super::opening::Opening;
use super::server::Security;
use super::streams::Executor;
use super::streams::Running;

/// What all connections of a server share.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) security: Security,
    pub(super) proxies: Proxies,
    pub(super) router: Router,
    pub(super) cool_offs: CoolOffs,
    pub(super) metrics: Metrics,
}

/// A connection's HTTP/1.1 or HTTP/2.
type Http<S> = auto::Connection<'static, TokioIo<Cork<Observed<S>>>, Requests, Executor>;

impl Shared {
    /// Whether connections from there begin with a PROXY protocol header.
    pub(super) fn is_balancer(&self, address: IpAddr) -> bool {
        self.proxies.proxy_protocol.contain(address)
    }

    /// Serves one connection until it ends. `drain` lets requests that are under way finish.
    pub(super) fn run(
        self: Arc<Self>,
        tcp: TcpStream,
        from: SocketAddr,
        slot: Slot,
        drain: CancellationToken,
    ) -> impl Future<Output = ()> + Send {
        // On the heap, which has its room back when HTTP begins.
        let opened = Box::pin(Arc::clone(&self).open(tcp, from, slot));
        async move {
            let _open = Counted::new(&self.metrics);
            let Some(Some(Opened {
                stream,
                peer,
                lost,
                slot: _slot,
            })) = drain.run_until_cancelled(opened).await
            else {
                return;
            };
            match stream {
                Stream::Plain(stream) => self.serve(stream, peer, drain, lost).await,
                Stream::Tls(stream) => self.serve(stream, peer, drain, lost).await,
            }
        }
    }

    /// Serves requests until the connection ends, or until `lost` tells that the peer's certificate does not count any
    /// more.
    async fn serve<S>(
        &self,
        stream: S,
        peer: Box<Peer>,
        drain: CancellationToken,
        lost: BoxFuture<'static, ()>,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (opening, flood) = (Opening::default(), Flood::default());
        let address = peer.address.ip();
        let mut streams = Running::new();
        let mut connection = pin!(self.http(stream, peer, opening.clone(), &flood, &streams));
        let mut endings = Endings::new(drain, lost, opening, self.config.header_deadline);
        loop {
            // Looked at when one of them is there, and not in each of the connection's turns.
            let part = streams.part();
            let is_known = flood.has_begun();
            let happened = {
                let mut next = pin!(endings.next());
                poll_fn(|cx| {
                    if let Poll::Ready(ended) = streams.poll_turn(connection.as_mut(), cx) {
                        return Poll::Ready(Happened::Ended(ended));
                    }
                    if !is_known && flood.has_begun() {
                        return Poll::Ready(Happened::Flood);
                    }
                    part.poll(|cx| next.as_mut().poll(cx)).map(Happened::Ending)
                })
                .await
            };
            match happened {
                Happened::Ended(ended) => break self.note(ended, address),
                Happened::Flood => {
                    self.metrics.flooded();
                    self.cool_offs.violated(address, Instant::now());
                    tracing::info!("connection is flooded with frames that carry nothing");
                    endings.cut();
                }
                Happened::Ending(Ending::Drain) => {}
                Happened::Ending(Ending::Lost) => {
                    self.metrics.lost();
                    tracing::info!("client certificate does not count any more");
                }
                Happened::Ending(Ending::Silence) => break self.metrics.silent(),
                Happened::Ending(Ending::Cut) => break,
            }
            connection.as_mut().graceful_shutdown();
        }
        streams.end().await;
    }

    /// Notes how HTTP has ended with a peer at `address`.
    fn note(&self, ended: HttpEnd, address: IpAddr) {
        if let Err(error) = ended {
            if let Some(reason) = violation(&*error) {
                Metrics::violated(reason);
                self.cool_offs.violated(address, Instant::now());
            }
            tracing::debug!(%error, "connection ended early");
        }
    }

    /// HTTP over a stream. Owns its builder, which shall not stay beside it in the task.
    fn http<S>(
        &self,
        stream: S,
        peer: Box<Peer>,
        opening: Opening,
        flood: &Flood,
        running: &Running,
    ) -> Http<S>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let streams = Streams::default();
        let guard = flood.guard(Instant::now());
        let observed = opening.observe(stream, guard, running.part());
        let io = TokioIo::new(Cork::new(observed, streams.clone()));
        let service = Requests {
            router: self.router.clone(),
            peer,
            proxies: self.proxies.clone(),
            newest: match &self.security {
                Security::Plain => None,
                Security::Tls(newest) => Some(newest.clone()),
            },
            opening,
        };
        self.http_builder(running.executor(streams))
            .serve_connection(io, service)
            .into_owned()
    }

    fn http_builder(&self, executor: Executor) -> auto::Builder<Executor> {
        let config = &self.config;
        let mut builder = auto::Builder::new(executor);
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
    /// On the heap: by value it would stand in the task once for each function that hands it on.
    peer: Box<Peer>,
    proxies: Proxies,
    newest: Option<watch::Receiver<Arc<Tls>>>,
    opening: Opening,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = axum::response::Response;
    type Error = Infallible;
    /// On the heap: it holds the request, which would keep its room in the task of a stream that is open for days.
    type Future =
        Pin<Box<Either<RouteFuture<Infallible>, Ready<Result<Self::Response, Infallible>>>>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.opening.finish();
        let newest = self
            .newest
            .as_ref()
            .map(|newest| Arc::clone(&newest.borrow()));
        let headers = request.headers_mut();
        let client = self
            .proxies
            .peer_behind(&self.peer, headers, newest.as_deref());
        Box::pin(match client {
            Ok(client) => {
                request.extensions_mut().insert(client);
                // A router is always ready.
                Either::Left(self.router.clone().call(linger(request)))
            }
            Err(refused) => Either::Right(ready(Ok(refused.into_response()))),
        })
    }
}

/// What ends a connection, or begins its end.
enum Happened {
    Ended(HttpEnd),
    Flood,
    Ending(Ending),
}

type HttpEnd = Result<(), Box<dyn Error + Send + Sync>>;

/// For which fault of the peer's we have ended an HTTP/2 connection with GOAWAY, if we have.
fn violation(error: &(dyn Error + 'static)) -> Option<Reason> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(http2) = error.downcast_ref::<h2::Error>() {
            return http2.reason().filter(|_| http2.is_library());
        }
        source = error.source();
    }
    None
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
