//! An issuer that answers as it should not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tonic::Code;

use super::edge::introspection;
use crate::gateway::Gateway;

const ACTIVE: &str = concat!(
    r#"{"active":true,"sub":"1","username":"streamer","exp":9999999999,"#,
    r#""urn:zitadel:iam:user:resourceowner:name":"pca","#,
    r#""urn:zitadel:iam:org:project:roles":{"tenant-user":{"1":"pca.example"}}}"#
);

/// A server that answers every request with the same bytes.
struct Issuer {
    address: SocketAddr,
    folder: TempDir,
    asked: Arc<AtomicUsize>,
    last: Arc<Mutex<String>>,
}

impl Issuer {
    /// `answer` as it goes over the wire; nothing, when it is empty.
    async fn answering(answer: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("ca.pem"), key.cert.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![key.cert.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der())
                    .unwrap(),
            )
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, last) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (count, seen) = (Arc::clone(&asked), Arc::clone(&last));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), answer.clone());
                let (count, seen): (_, Arc<Mutex<String>>) =
                    (Arc::clone(&count), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut tls = acceptor.accept(tcp).await.unwrap();
                    let mut buffer = vec![0; 64 << 10];
                    while let Ok(read) = tls.read(&mut buffer).await
                        && read > 0
                    {
                        count.fetch_add(1, Ordering::SeqCst);
                        *seen.lock() = String::from_utf8_lossy(&buffer[..read]).into_owned();
                        let _sent = tls.write_all(&answer).await;
                    }
                });
            }
        });
        Self {
            address,
            folder,
            asked,
            last,
        }
    }

    /// A whole answer with this status line and body.
    async fn with(status: &str, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self::answering((head + body).into_bytes()).await
    }

    async fn gateway(&self) -> Gateway {
        self.gateway_for(None).await
    }

    /// A gateway for which tokens must be meant.
    async fn gateway_for(&self, audience: Option<&str>) -> Gateway {
        let url = format!("https://{}/oauth/v2/introspect", self.address);
        let ca = self.folder.path().join("ca.pem");
        let mut settings = introspection(&self.folder, &url, &ca, ("a:b", "c d"));
        settings.foreign.all_tokens = false;
        settings.foreign.recheck_interval = Duration::from_mins(1);
        settings.issuer.timeout = Duration::from_millis(500);
        settings.issuer.claims.audience = audience.map(str::to_owned);
        Gateway::start_with(|all| all.introspection = Some(settings)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zitadels_answer_opens_the_gateway_and_is_cached() {
    let issuer = Issuer::with("200 OK", ACTIVE).await;
    let gateway = issuer.gateway().await;
    let client = gateway.anonymous().await.bearer("dGhpcyBpcyBhIHRva2Vu");
    for _ in 0..5 {
        client.capabilities().await.unwrap();
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
    let request = issuer.last.lock().clone();
    assert!(
        request.starts_with("POST /oauth/v2/introspect HTTP/1.1\r\n"),
        "{request}"
    );
    // `a:b` and `c d`, each as a form, then as Basic.
    assert!(
        request.contains("authorization: Basic YSUzQWI6YyUyMGQ=\r\n"),
        "{request}"
    );
    assert!(request.ends_with("token=dGhpcyBpcyBhIHRva2Vu&token_type_hint=access_token"));
    // Once the cache's time is over it is asked again, on the same connection.
    gateway.pass(Duration::from_secs(31));
    client.capabilities().await.unwrap();
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2);
    // Our own tokens are not shown to others.
    let own = gateway.client().await;
    own.capabilities().await.unwrap();
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_for_somebody_else_is_refused_where_an_audience_is_asked_for() {
    let body = ACTIVE.replace(
        r#""active":true"#,
        r#""active":true,"aud":["other","edge"]"#,
    );
    for (answer, audience, is_let_in) in [
        (body.as_str(), Some("edge"), true),
        (body.as_str(), Some("core"), false),
        (ACTIVE, Some("edge"), false),
        (body.as_str(), None, true),
    ] {
        let issuer = Issuer::with("200 OK", answer).await;
        let gateway = issuer.gateway_for(audience).await;
        let client = gateway.anonymous().await.bearer("foreign");
        let code = client.capabilities().await.map_err(|status| status.code());
        match code {
            Ok(_) => assert!(is_let_in, "{audience:?}"),
            Err(code) => assert_eq!((is_let_in, code), (false, Code::Unauthenticated)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inactive_tokens_are_remembered_as_such() {
    let issuer = Issuer::with("200 OK", r#"{"active":false}"#).await;
    let gateway = issuer.gateway().await;
    let client = gateway.anonymous().await.bearer("foreign");
    for _ in 0..3 {
        let status = client.capabilities().await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_unavailable() {
    let long = format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(70 << 10));
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n".to_vec();
    let redirect = b"HTTP/1.1 307 T\r\nlocation: https://127.0.0.1/\r\ncontent-length: 0\r\n\r\n";
    for (what, issuer) in [
        ("garbage", Issuer::with("200 OK", "<html>").await),
        (
            "no claims",
            Issuer::with("200 OK", r#"{"active":true}"#).await,
        ),
        ("oversize", Issuer::with("200 OK", &long).await),
        ("refused", Issuer::with("401 Unauthorized", ACTIVE).await),
        ("failing", Issuer::with("503 Busy", ACTIVE).await),
        ("redirect", Issuer::answering(redirect.to_vec()).await),
        ("no http", Issuer::answering(b"\x00\x01\x02".to_vec()).await),
        ("slow", Issuer::answering(endless).await),
        ("silent", Issuer::answering(Vec::new()).await),
    ] {
        let gateway = issuer.gateway().await;
        let client = gateway.anonymous().await.bearer("foreign");
        let status = client.capabilities().await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{what}");
        assert!(issuer.asked.load(Ordering::SeqCst) >= 1, "{what}");
        gateway.client().await.capabilities().await.unwrap();
    }
}
