//! Against a real web server on loopback.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::routing::post;
use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::sender::ATTEMPTS;
use super::*;
use crate::clock::Clock;
use crate::iam::AccountId;
use crate::iam::Notice;
use crate::iam::PatId;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::Authority;
use crate::pki::ServerIdentity;
use crate::pki::provider;

const SECRET: &str = "a secret of more than sixteen bytes";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const SOON: Duration = Duration::from_secs(10);

/// A web server that answers with these statuses in turn, and with 200 after them.
#[derive(Clone)]
struct Hook {
    statuses: Arc<Mutex<Vec<StatusCode>>>,
    requests: mpsc::Sender<(Uri, HeaderMap, Bytes)>,
}

async fn take(State(hook): State<Hook>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    hook.requests.send((uri, headers, body)).await.unwrap();
    let mut statuses = hook.statuses.lock();
    if statuses.is_empty() {
        StatusCode::OK
    } else {
        statuses.remove(0)
    }
}

fn router(statuses: &[u16]) -> (Router, mpsc::Receiver<(Uri, HeaderMap, Bytes)>) {
    let (requests, received) = mpsc::channel(100);
    let statuses = statuses
        .iter()
        .map(|status| StatusCode::from_u16(*status).unwrap());
    let hook = Hook {
        statuses: Arc::new(Mutex::new(statuses.collect())),
        requests,
    };
    let router = Router::new().route("/hooks/a", post(take)).with_state(hook);
    (router, received)
}

fn notice(days: u32) -> Notice {
    Notice {
        at: NOW,
        tenant: TenantId::new("pca"),
        account: AccountId::from_raw(123_456_789_012_345_678),
        username: "export".to_owned(),
        token: PatId::from_raw(223_456_789_012_345_678),
        name: "token-a1B2".to_owned(),
        created_by: None,
        expires: Expiry::from_secs(NOW.secs() + 86_400),
        days,
    }
}

struct Running {
    notices: broadcast::Sender<Notice>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(url: &str, roots: RootCertStore, queue: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secret_file = dir.path().join("secret");
        std::fs::write(&secret_file, format!("{SECRET}\n")).unwrap();
        let config = Config {
            endpoint: url.parse().unwrap(),
            secret_file,
            ca_file: dir.path().join("unused"),
            audit: false,
        };
        let tls = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut sender = Sender::open(&config, Arc::new(tls), Clock::fixed(NOW)).unwrap();
        sender.pace.pause = Duration::from_millis(1);
        let (notices, heard) = broadcast::channel(queue);
        let stop = CancellationToken::new();
        let task = tokio::spawn(sender.run(heard, stop.clone()));
        Self {
            notices,
            stop,
            task,
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn server_config(identity: &ServerIdentity) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain().to_vec(), identity.key());
    Arc::new(config.unwrap())
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn next(
    received: &mut mpsc::Receiver<(Uri, HeaderMap, Bytes)>,
) -> (String, HeaderMap, serde_json::Value) {
    let (uri, headers, body) = tokio::time::timeout(SOON, received.recv())
        .await
        .unwrap()
        .unwrap();
    let signature = headers["x-tollgate-signature"].to_str().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{}.", NOW.secs()).as_bytes());
    mac.update(&body);
    let mut hex = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(hex, "{byte:02x}").unwrap();
    }
    assert_eq!(signature, format!("t={},v1={hex}", NOW.secs()));
    (
        uri.to_string(),
        headers,
        serde_json::from_slice(&body).unwrap(),
    )
}

#[tokio::test]
async fn notice_is_signed_and_tried_again_until_it_is_taken() {
    let (router, mut received) = router(&[500, 429]);
    let address = serve(router).await;
    let url = format!("http://{address}/hooks/a?key=x");
    let running = Running::start(&url, RootCertStore::empty(), 8);
    running.notices.send(notice(7)).unwrap();
    running.notices.send(notice(0)).unwrap();
    let mut ids = Vec::new();
    for _attempt in 0..3 {
        let (uri, headers, body) = next(&mut received).await;
        assert_eq!(uri, "/hooks/a?key=x");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["host"], address.to_string());
        assert_eq!(
            (&body["event"], &body["days"]),
            (&"pat.expiring".into(), &7.into())
        );
        assert_eq!(body["tenantId"], "pca");
        assert_eq!(body["credentialId"], "223456789012345678");
        assert_eq!(body["expirationDate"], "2027-01-16T08:00:00Z");
        ids.push(headers["x-tollgate-delivery"].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]));
    let (_, headers, body) = next(&mut received).await;
    assert_eq!(body["event"], "pat.expired");
    assert_ne!(headers["x-tollgate-delivery"], ids[0]);
    running.stop().await;
}

#[tokio::test]
async fn notice_that_is_not_taken_is_dropped_and_the_next_one_comes() {
    let failures = vec![503; ATTEMPTS as usize];
    let (router, mut received) = router(&[&[404][..], &failures].concat());
    let address = serve(router).await;
    let url = format!("http://{address}/hooks/a");
    let running = Running::start(&url, RootCertStore::empty(), 8);
    for days in [30, 14, 7] {
        running.notices.send(notice(days)).unwrap();
    }
    let mut seen = Vec::new();
    for _request in 0..ATTEMPTS + 2 {
        seen.push(next(&mut received).await.2["days"].as_u64().unwrap());
    }
    let expected = [&[30][..], &[14; ATTEMPTS as usize], &[7]].concat();
    assert_eq!(seen, expected);
    running.stop().await;
}

#[tokio::test]
async fn server_that_never_answers_keeps_nobody_waiting() {
    // Takes connections and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let running = Running::start(&url, RootCertStore::empty(), 2);
    for days in 0..100 {
        running.notices.send(notice(days)).unwrap();
    }
    let (_held, _) = tokio::time::timeout(SOON, listener.accept())
        .await
        .unwrap()
        .unwrap();
    // It ends at once, though an attempt is under way.
    tokio::time::timeout(SOON, running.stop()).await.unwrap();
}

#[tokio::test]
async fn https_server_must_show_a_certificate_that_is_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_create(dir.path(), &Clock::system()).unwrap();
    let identity = authority
        .server_identity(&["127.0.0.1".parse().unwrap()])
        .unwrap();
    let (router, mut received) = router(&[]);
    let acceptor = TlsAcceptor::from(server_config(&identity));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/hooks/a", listener.local_addr().unwrap());
    let (refused, mut refusals) = mpsc::channel(10);
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            match acceptor.accept(tcp).await {
                Ok(tls) => {
                    let service = hyper_util::service::TowerToHyperService::new(router.clone());
                    let io = hyper_util::rt::TokioIo::new(tls);
                    let server = hyper::server::conn::http1::Builder::new();
                    let _ = server.serve_connection(io, service).await;
                }
                Err(error) => refused.send(error.to_string()).await.unwrap(),
            }
        }
    });
    let distrusting = Running::start(&url, RootCertStore::empty(), 8);
    distrusting.notices.send(notice(1)).unwrap();
    let alert = tokio::time::timeout(SOON, refusals.recv())
        .await
        .unwrap()
        .unwrap();
    assert!(alert.contains("UnknownCA"), "{alert}");
    distrusting.stop().await;

    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let running = Running::start(&url, roots, 8);
    running.notices.send(notice(1)).unwrap();
    assert_eq!(next(&mut received).await.2["days"], 1);
    running.stop().await;
}

#[test]
fn short_secret_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "fifteen bytes!!\n").unwrap();
    let refused = signature::Signer::from_file(&path);
    assert!(matches!(refused, Err(Error::ShortSecret(_))));
    let missing = signature::Signer::from_file(&dir.path().join("none"));
    assert!(matches!(missing, Err(Error::Secret { .. })));
}
