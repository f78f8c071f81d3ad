//! A server on loopback, over real TLS, and clients that behave and that do not.

mod drain;
mod hostile;
mod http2;
mod identity;
mod serve;
mod streams;

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::routing::get;
use http::Request;
use http_body_util::BodyExt;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tower::ServiceExt;

use crate::clock::Clock;
use crate::iam::RevokedCertificates;
use crate::model::Peer;
use crate::pki::Authority;

use super::*;

/// A running server with a CA of its own.
struct Harness {
    address: SocketAddr,
    authority: Authority,
    tls: watch::Sender<Arc<Tls>>,
    revoked: RevokedCertificates,
    clock: Clock,
    drain: CancellationToken,
    serving: JoinHandle<()>,
    _dir: TempDir,
}

impl Harness {
    async fn start() -> Self {
        Self::with(config(), &[]).await
    }

    async fn with(config: Config, client_roots: &[CertificateDer<'static>]) -> Self {
        Self::build(config, client_roots, router()).await
    }

    /// With other pages than the usual.
    async fn serving(config: Config, router: Router) -> Self {
        Self::build(config, &[], router).await
    }

    async fn build(
        config: Config,
        client_roots: &[CertificateDer<'static>],
        router: Router,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_create(dir.path(), &Clock::system()).unwrap();
        let identity = authority
            .server_identity(&["127.0.0.1".parse().unwrap()])
            .unwrap();
        let (clock, revoked) = (Clock::system(), RevokedCertificates::new());
        let trust = ClientTrust::new(&taking(client_roots), revoked.clone()).unwrap();
        let (tls, newest) = watch::channel(Tls::new(&identity, trust, &clock).unwrap());
        let server = Server::bind(config, Security::Tls(newest)).await.unwrap();
        let (address, drain) = (server.local_addr(), CancellationToken::new());
        let serving = tokio::spawn(server.serve(router, drain.clone()));
        Self {
            address,
            authority,
            tls,
            revoked,
            clock,
            drain,
            serving,
            _dir: dir,
        }
    }

    fn trust(&self) -> Trust {
        Trust::Roots(vec![self.authority.certificate().clone()])
    }

    async fn channel(&self) -> Channel {
        dial(&self.address.to_string(), &self.trust())
            .await
            .unwrap()
    }

    /// A TLS connection that speaks only what the test writes.
    async fn tls(&self, alpn: &[&[u8]]) -> TlsStream<TcpStream> {
        self.tls_with(self.trust().client_config(alpn).unwrap())
            .await
            .unwrap()
    }

    async fn tls_with(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::from(self.address.ip());
        in_time(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
    }

    /// One HTTP/1.1 exchange, the whole answer as text.
    async fn http1(&self, request: &str) -> String {
        exchange(self.tls(&[b"http/1.1"]).await, request.as_bytes()).await
    }
}

/// Takes the certificates of these foreign authorities.
fn taking(roots: &[CertificateDer<'static>]) -> Authorities {
    Authorities {
        foreign: roots.to_vec(),
        without_crl: WithoutCrl::Accept,
        named: true,
        ..Authorities::default()
    }
}

fn config() -> Config {
    Config::new(SocketAddr::from(([127, 0, 0, 1], 0)))
}

fn router() -> Router {
    Router::new()
        .route(
            "/peer",
            get(|Extension(peer): Extension<Peer>| async move { format!("{peer:?}") }),
        )
        .route("/panic", get(panics))
        .route("/forever", get(pending::<()>))
}

async fn panics() -> String {
    panic!("as asked")
}

/// Writes `request`, reads until the other end closes.
async fn exchange(mut stream: TlsStream<TcpStream>, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // An end without close_notify is an end too.
    let _end = in_time(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// One HTTP/2 request; status and body.
async fn http2(channel: &Channel, path: &str) -> Result<(u16, String), tonic::transport::Error> {
    let request = Request::get(format!("https://gateway{path}"))
        .body(tonic::body::Body::empty())
        .unwrap();
    let answer = in_time(channel.clone().oneshot(request)).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// No test waits longer than this for anything.
async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("nothing happened")
}
