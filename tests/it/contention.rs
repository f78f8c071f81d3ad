//! Many at once over real TLS: one username, one token, one moment (iam section 8: 9, 12).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http_body_util::BodyExt as _;
use serde_json::Value;
use serde_json::json;
use tonic::Code;
use tonic::transport::Channel;
use tower::Service as _;
use tower::ServiceExt as _;

use crate::client::Stream;
use crate::client::in_time;
use crate::client::on_change;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const ROOT: &str = "/api/v2/auth/serviceaccount";

/// Sends a request over HTTP/2: status and body.
async fn send(mut channel: Channel, token: &str, path: &str, body: Value) -> (u16, Value) {
    let request = http::Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("x-forwarded-tenant-id", TENANT)
        .header("content-type", "application/json")
        .body(tonic::body::Body::new(http_body_util::Full::from(
            body.to_string(),
        )))
        .unwrap();
    let answer = channel.ready().await.unwrap().call(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

/// How many answers there were of each status and code, in any order.
fn count(answers: &[(u16, Value)], status: u16, code: Option<&str>) -> usize {
    let is_such = |(given, body): &&(u16, Value)| {
        *given == status && code.is_none_or(|code| body["errors"][0]["code"] == code)
    };
    answers.iter().filter(is_such).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_thousand_creates_of_one_username_wins() {
    let gateway = Gateway::start().await;
    let token = gateway.token();
    let mut channels = Vec::new();
    for _ in 0..4 {
        channels.push(gateway.channel().await);
    }
    let creates = (0..1_000).map(|number: usize| {
        let body = json!({
            "username": if number.is_multiple_of(2) { "contested" } else { "CONTESTED" },
            "name": "n",
            "accessTokenType": "Bearer",
            "expirationDate": "2026-12-31T23:59:59Z",
        });
        let path = format!("{ROOT}?withPAT=true");
        let (channel, token) = (channels[number % channels.len()].clone(), token.clone());
        tokio::spawn(async move { send(channel, &token, &path, body).await })
    });
    let mut answers = Vec::new();
    for create in creates.collect::<Vec<_>>() {
        answers.push(in_time(create).await.unwrap());
    }
    assert_eq!(count(&answers, 201, None), 1);
    assert_eq!(count(&answers, 409, Some("username_conflict")), 999);
    gateway.accounts().verify_events().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_immediate_rotations_of_a_token_wins() {
    let gateway = Gateway::start().await;
    let account = gateway.new_account(TENANT, "tenant-user").await;
    let issued = gateway.new_pat(TENANT, &account).await;
    let (token, channel) = (gateway.token(), gateway.channel().await);
    let path = format!("{ROOT}/{account}/pat/{issued}/rotate");
    let rotations = (0..20).map(|_| {
        let body = json!({ "overlapSeconds": 0 });
        let (channel, token, path) = (channel.clone(), token.clone(), path.clone());
        tokio::spawn(async move { send(channel, &token, &path, body).await })
    });
    let mut answers = Vec::new();
    for rotation in rotations.collect::<Vec<_>>() {
        answers.push(in_time(rotation).await.unwrap());
    }
    assert_eq!(count(&answers, 201, None), 1);
    assert_eq!(count(&answers, 404, Some("not_found")), 19);
    let path = format!("{ROOT}/{account}/pat/search");
    let (_, listed) = send(channel, &token, &path, json!({})).await;
    let states = listed["data"].as_array().unwrap().iter();
    let active = states.filter(|pat| pat["attributes"]["state"] == "active");
    assert_eq!(active.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_while_subscribes_begin_leaves_no_stream_alive() {
    let gateway = Arc::new(Gateway::start().await);
    for _ in 0..5 {
        let (token, id) = gateway.new_token(TENANT, "tenant-user", None).await;
        let is_revoked = Arc::new(AtomicBool::new(false));
        let openers = (0..4).map(|_| {
            let (gateway, is_revoked) = (Arc::clone(&gateway), Arc::clone(&is_revoked));
            let token = token.clone();
            tokio::spawn(async move {
                let client = gateway.anonymous().await.bearer(&token);
                let mut streams: Vec<Stream> = Vec::new();
                // One more round after the revocation, which nothing may survive.
                loop {
                    let is_last = is_revoked.load(Ordering::SeqCst);
                    match client.subscribe(on_change(&["/a"])).await {
                        Ok(stream) => streams.push(stream),
                        // Soon the known token is held off, because it comes so often (iam L2).
                        Err(status) => assert!(
                            matches!(
                                status.code(),
                                Code::Unauthenticated | Code::ResourceExhausted
                            ),
                            "{status:?}"
                        ),
                    }
                    if is_last {
                        return streams;
                    }
                }
            })
        });
        let openers: Vec<_> = openers.collect();
        gateway.until(|gateway| gateway.live_sessions() > 8).await;
        gateway.revoke(TENANT, &id).await;
        is_revoked.store(true, Ordering::SeqCst);
        for opener in openers {
            for mut stream in in_time(opener).await.unwrap() {
                assert_eq!(stream.end().await.code(), Code::Unauthenticated);
            }
        }
        gateway.until(|gateway| gateway.live_sessions() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_streams_on_one_token_all_end_when_it_is_revoked() {
    let gateway = Gateway::start().await;
    let (token, id) = gateway.new_token(TENANT, "tenant-user", None).await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        let client = gateway.anonymous().await.bearer(&token);
        let opening = (0..500).map(|_| client.subscribe(on_change(&["/a"])));
        let mut opening = opening.collect::<FuturesUnordered<_>>();
        while let Some(stream) = opening.next().await {
            streams.push(stream.unwrap());
        }
    }
    let mut other = gateway
        .client()
        .await
        .subscribe(on_change(&["/a"]))
        .await
        .unwrap();
    other.until_sync().await;
    assert_eq!(gateway.live_sessions(), 2_001);

    gateway.revoke(TENANT, &id).await;
    let mut ending = streams
        .iter_mut()
        .map(Stream::end)
        .collect::<FuturesUnordered<_>>();
    let mut ended = 0;
    while let Some(status) = ending.next().await {
        assert_eq!(status.code(), Code::Unauthenticated);
        ended += 1;
    }
    assert_eq!(ended, 2_000);
    gateway.until(|gateway| gateway.live_sessions() == 1).await;
}
