//! Identities are never mixed, however requests are interleaved (restconf-pki 3.4.9).

use axum::body::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use tonic::transport::Channel;
use tower::ServiceExt as _;

use super::Device;
use super::device;
use crate::client::in_time;
use crate::gateway::Gateway;

/// Who the gateway says sends a request on this connection.
async fn whose(channel: &Channel) -> Bytes {
    let request = Request::get("https://127.0.0.1/api/v1/auth/session")
        .body(tonic::body::Body::empty())
        .unwrap();
    let answer = in_time(channel.clone().oneshot(request)).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_over_two_certificates_never_mix_identities() {
    let gateway = Gateway::start().await;
    let devices: [Device; 2] = [
        device(&gateway, "alternating-a", "tenant-user").await,
        device(&gateway, "alternating-b", "tenant-admin").await,
    ];
    let mut channels = Vec::new();
    for device in &devices {
        channels.push((device.username.clone(), device.channel(&gateway).await));
        channels.push((device.username.clone(), device.channel(&gateway).await));
    }
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let channels = channels.clone();
        tasks.spawn(async move {
            for request in 0..REQUESTS / TASKS {
                let (username, channel) = &channels[(task + request) % channels.len()];
                let body = whose(channel).await;
                let named = format!("\"username\":\"{username}\"");
                let text = String::from_utf8_lossy(&body);
                assert!(text.contains(&named), "{username} was taken for {text}");
            }
        });
    }
    let mut ended = 0;
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
        ended += 1;
    }
    assert_eq!(ended, TASKS);
}

/// A fifth of what `cargo bench --bench handshake` sends.
const REQUESTS: usize = 20_000;

/// Requests under way at once, on four connections.
const TASKS: usize = 64;
