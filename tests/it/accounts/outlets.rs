//! The audit trail sent to others (iam A6): in order, through restarts and refusals.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tollgate::config::Settings;
use tollgate::iam::Caller;
use tollgate::syslog;
use tollgate::webhook;

use crate::client::in_time;
use crate::gateway::Gateway;

fn with_syslog(at: SocketAddr) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.syslog = Some(syslog::Config {
            address: format!("tcp://{at}").parse().unwrap(),
            ca_file: "/unused".into(),
        });
    }
}

/// The numbers of the messages of a connection, up to `last`.
async fn numbers(stream: &mut TcpStream, last: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let mut length = 0;
        loop {
            match stream.read_u8().await.unwrap() {
                b' ' => break,
                digit => length = length * 10 + usize::from(digit - b'0'),
            }
        }
        let mut message = vec![0; length];
        stream.read_exact(&mut message).await.unwrap();
        let message = String::from_utf8(message).unwrap();
        let (_, rest) = message.split_once(" seq=\"").unwrap();
        let (number, _) = rest.split_once('"').unwrap();
        numbers.push(number.parse().unwrap());
    }
    numbers
}

async fn create_tenants(gateway: &Gateway, names: &[&str]) {
    for name in names {
        let operator = Caller::operator();
        let made = gateway.accounts().create_tenant(&operator, name);
        made.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_goes_on_after_a_restart_where_it_was() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let data = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_bare(data, with_syslog(at)).await.unwrap();
    create_tenants(&gateway, &["a", "b"]).await;
    let (mut stream, _) = in_time(listener.accept()).await.unwrap();
    assert_eq!(in_time(numbers(&mut stream, 2)).await, [1, 2]);

    // Events of a gateway that sends nobody anything, in the meantime.
    let data = gateway.stop().await;
    let gateway = Gateway::start_bare(data, |_| {}).await.unwrap();
    create_tenants(&gateway, &["c"]).await;
    let gateway = Gateway::start_bare(gateway.stop().await, with_syslog(at)).await;
    let gateway = gateway.unwrap();
    create_tenants(&gateway, &["d"]).await;
    let (mut stream, _) = in_time(listener.accept()).await.unwrap();
    assert_eq!(in_time(numbers(&mut stream, 4)).await, [3, 4]);
    gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_is_sent_events_until_it_takes_them() {
    let (sender, mut received) = mpsc::channel::<(HeaderMap, Value)>(10);
    let mut refusals = vec![StatusCode::INTERNAL_SERVER_ERROR, StatusCode::NOT_FOUND];
    let take = move |headers: HeaderMap, body: Bytes| {
        let status = refusals.pop().unwrap_or(StatusCode::OK);
        let body = serde_json::from_slice(&body).unwrap();
        sender.try_send((headers, body)).unwrap();
        async move { status }
    };
    // One state, whoever asks.
    let take = std::sync::Arc::new(parking_lot::Mutex::new(take));
    let router = Router::new().route(
        "/audit",
        post(move |headers: HeaderMap, body: Bytes| (take.lock())(headers, body)),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let data = tempfile::tempdir().unwrap();
    let secret_file = data.path().join("webhook-secret");
    std::fs::write(&secret_file, "a secret of more than sixteen bytes").unwrap();
    let change = |settings: &mut Settings| {
        settings.webhook = Some(webhook::Config {
            endpoint: format!("http://{at}/audit").parse().unwrap(),
            secret_file,
            ca_file: "/unused".into(),
            audit: true,
        });
    };
    let gateway = Gateway::start_bare(data, change).await.unwrap();
    create_tenants(&gateway, &["a"]).await;
    for _attempt in 0..3 {
        let (headers, body) = in_time(received.recv()).await.unwrap();
        assert_eq!(headers["x-tollgate-delivery"], "audit-1-1");
        assert!(headers.contains_key("x-tollgate-signature"));
        assert_eq!(body["events"][0]["seq"], 1);
        assert_eq!(body["events"][0]["event"], "tenant.created");
    }
    create_tenants(&gateway, &["b"]).await;
    let (headers, body) = in_time(received.recv()).await.unwrap();
    assert_eq!(headers["x-tollgate-delivery"], "audit-2-2");
    assert_eq!(body["events"][0]["subjectId"], "b");
    let metrics = gateway.admin_get("/metrics").await;
    let failed = "tollgate_audit_outlet_failed_attempts_total{outlet=\"webhook\"} ";
    let count = metrics.lines().find_map(|line| line.strip_prefix(failed));
    assert!(count.unwrap().parse::<u64>().unwrap() >= 2, "{count:?}");
    gateway.drain().await;
}
