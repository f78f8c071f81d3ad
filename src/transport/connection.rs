//! One connection, from accept to its end.

use std::error::Error;
use std::future::poll_fn;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use futures_util::future::BoxFuture;
use h2::Reason;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::model::Peer;

use super::Config;
use super::Proxies;
use super::cool_off::CoolOffs;
use super::ending::Ending;
use super::ending::Endings;
use super::flood::Flood;
use super::handshake::Opened;
use super::handshake::Stream;
use super::limits::Slot;
use super::metrics::Metrics;
use super::opening::Opening;
use super::protocol::Http;
use super::protocol::HttpEnd;
use super::requests::Requests;
use super::server::Security;
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
                is_http2,
                peer,
                lost,
                slot: _slot,
            })) = drain.run_until_cancelled(opened).await
            else {
                return;
            };
            match stream {
                Stream::Plain(stream) => self.serve(stream, is_http2, peer, drain, lost).await,
                Stream::Tls(stream) => self.serve(stream, is_http2, peer, drain, lost).await,
            }
        }
    }

    /// Serves requests until the connection ends, or until `lost` tells that the peer's certificate does not count any
    /// more.
    async fn serve<S>(
        &self,
        stream: S,
        is_http2: bool,
        peer: Box<Peer>,
        drain: CancellationToken,
        lost: BoxFuture<'static, ()>,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (flood, mut streams) = (Flood::default(), Running::new());
        let address = peer.address.ip();
        let requests = self.requests(peer);
        let opening = requests.opening.clone();
        let observed = opening.observe(stream, flood.guard(Instant::now()), streams.part());
        let mut connection = if is_http2 {
            Http::two(observed, &self.config, requests, &streams)
        } else {
            Http::one(observed, &self.config, requests)
        };
        let mut endings = Endings::new(drain, lost, opening, self.config.header_deadline);
        loop {
            // Looked at when one of them is there, and not in each of the connection's turns.
            let part = streams.part();
            let is_known = flood.has_begun();
            let happened = {
                let mut next = pin!(endings.next());
                poll_fn(|cx| {
                    if let Poll::Ready(ended) = streams.poll_turn(Pin::new(&mut connection), cx) {
                        return Poll::Ready(Happened::Ended(ended));
                    }
                    if !is_known && flood.has_begun() {
                        return Poll::Ready(Happened::Flood);
                    }
                    part.poll(|cx| {
                        if connection.poll_silent(cx).is_ready() {
                            return Poll::Ready(Happened::Silence);
                        }
                        next.as_mut().poll(cx).map(Happened::Ending)
                    })
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
                Happened::Silence => break tracing::debug!("peer has answered no ping"),
                Happened::Ending(Ending::Drain) => {}
                Happened::Ending(Ending::Lost) => {
                    self.metrics.lost();
                    tracing::info!("client certificate does not count any more");
                }
                Happened::Ending(Ending::Silence) => break self.metrics.silent(),
                Happened::Ending(Ending::Cut) => break,
            }
            connection.drain();
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

    fn requests(&self, peer: Box<Peer>) -> Requests {
        Requests {
            router: self.router.clone(),
            peer,
            proxies: self.proxies.clone(),
            newest: match &self.security {
                Security::Plain => None,
                Security::Tls(newest) => Some(newest.clone()),
            },
            opening: Opening::default(),
        }
    }
}

/// What ends a connection, or begins its end.
enum Happened {
    Ended(HttpEnd),
    Flood,
    /// The peer has not answered a ping.
    Silence,
    Ending(Ending),
}

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
