//! A listener and its connections, until the last has ended.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::Config;
use super::Error;
use super::Proxies;
use super::Tls;
use super::backoff::Backoff;
use super::connection::Shared;
use super::cool_off::CoolOffs;
use super::limits::Limits;
use super::metrics::Metrics;

/// How a listener protects what goes over it.
#[derive(Clone)]
pub enum Security {
    /// Not at all: HTTP/1.1 for the admin port, which listens on loopback.
    Plain,
    /// TLS with the newest configuration. A new one holds for connections accepted from then on, and ends those whose
    /// client certificate it does not take any more.
    Tls(watch::Receiver<Arc<Tls>>),
}

/// A bound listener, ready to serve.
#[derive(Debug)]
pub struct Server {
    config: Config,
    security: Security,
    proxies: Proxies,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens the listener. Connections queue in the system until [`Server::serve`] takes them.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] when the address cannot be had.
    pub async fn bind(config: Config, security: Security) -> Result<Self, Error> {
        let failed = |source| Error::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            config,
            security,
            proxies: Proxies::default(),
            listener,
            address,
        })
    }

    /// Believes these proxies about their clients.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// Where the server listens: the port that the system chose when the configured one was 0.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router` until `drain` is cancelled and every connection has ended.
    ///
    /// From then on nothing is accepted, idle connections close, and requests under way may finish (HTTP/2: GOAWAY).
    /// Streams without end must be ended by whoever serves them; what is left after `drain_deadline` is cut off.
    /// No task outlives this call.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts off every connection.
    pub async fn serve(self, router: Router, drain: CancellationToken) {
        let Self {
            config,
            security,
            proxies,
            listener,
            address,
        } = self;
        let drain_deadline = config.drain_deadline;
        let limits = Arc::new(Limits::new(
            config.max_connections,
            config.max_connections_per_address,
        ));
        let metrics = Metrics::new();
        let shared = Arc::new(Shared {
            config,
            security,
            proxies,
            router,
            cool_offs: CoolOffs::default(),
            metrics: metrics.clone(),
        });
        let mut connections = Connections {
            tasks: JoinSet::new(),
            limits,
            shared,
            metrics,
        };

        connections.accept_until(&listener, &drain).await;
        drop(listener);
        tracing::info!(%address, connections = connections.tasks.len(), "draining");
        if timeout(drain_deadline, connections.finish()).await.is_err() {
            tracing::warn!(%address, connections = connections.tasks.len(), "cutting off what does not end");
            connections.tasks.abort_all();
            connections.finish().await;
        }
    }
}

/// The open connections of a server.
struct Connections {
    tasks: JoinSet<()>,
    limits: Arc<Limits>,
    shared: Arc<Shared>,
    metrics: Metrics,
}

impl Connections {
    async fn accept_until(&mut self, listener: &TcpListener, drain: &CancellationToken) {
        let mut backoff = Backoff::default();
        loop {
            tokio::select! {
                biased;
                () = drain.cancelled() => return,
                Some(ended) = self.tasks.join_next() => self.note(ended),
                accepted = listener.accept() => match accepted {
                    Ok((tcp, peer)) => {
                        backoff.reset();
                        self.admit(tcp, peer, drain);
                    }
                    Err(error) => {
                        self.metrics.accept_errors.increment(1);
                        let Some(wait) = backoff.after(&error) else { continue };
                        if backoff.is_first() {
                            tracing::error!(%error, "cannot accept connections");
                        }
                        tokio::select! {
                            () = drain.cancelled() => return,
                            () = sleep(wait) => {}
                        }
                    }
                },
            }
        }
    }

    /// Starts a connection, or closes it at once when a limit is reached: a queue would only move the wait to
    /// where no one sees it.
    fn admit(&mut self, tcp: TcpStream, peer: SocketAddr, drain: &CancellationToken) {
        // A balancer's connections are its clients': they are counted once it has said whose they are.
        let admitted = if self.shared.is_balancer(peer.ip()) {
            self.limits.admit_balancer()
        } else {
            self.limits.admit(peer.ip())
        };
        let slot = match admitted {
            Ok(slot) => slot,
            Err(refusal) => {
                self.metrics.refused(refusal);
                tracing::debug!(peer.addr = %peer, ?refusal, "connection refused");
                return;
            }
        };
        self.metrics.accepted.increment(1);
        let shared = Arc::clone(&self.shared);
        // A token of its own keeps connections from contending for one lock.
        let drain = drain.child_token();
        let span =
            tracing::debug_span!("connection", peer.addr = %peer, tls.alpn = tracing::field::Empty);
        let connection = shared.run(tcp, peer, slot, drain);
        // A span that nobody sees would be entered in each turn, from memory that has left the caches.
        if span.is_disabled() {
            self.tasks.spawn(connection);
        } else {
            self.tasks.spawn(connection.instrument(span));
        }
    }

    /// Waits until every connection has ended.
    async fn finish(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            self.note(ended);
        }
    }

    /// A panic ends the one connection that it happened on; it must not go unseen.
    fn note(&self, ended: Result<(), JoinError>) {
        if ended.is_err_and(|error| error.is_panic()) {
            self.metrics.panics.increment(1);
            tracing::error!("a connection ended by a panic");
        }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Tls(_) => "Tls",
        })
    }
}
