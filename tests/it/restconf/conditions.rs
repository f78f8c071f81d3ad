//! Entity tags and times.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;

use super::Answer;
use super::Api;
use super::ENDPOINTS;
use super::endpoints;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

#[track_caller]
fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_change_with_edits_alone() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let endpoint = format!("{ENDPOINTS}/service-endpoint=a");
    let before = [
        tag(&api.get(&endpoint).await),
        tag(&api.get(ENDPOINTS).await),
        tag(&api.get("/restconf/data").await),
    ];
    let start = "/restconf/data/Accedian-session:sessions/session=s/start";
    api.send("POST", start, b"").await.has_status(204);
    assert_eq!(
        tag(&api.get("/restconf/data").await),
        before[2],
        "state is no edit"
    );
    api.made(ENDPOINTS, endpoints(&["c"])).await;
    assert_eq!(tag(&api.get(&endpoint).await), before[0]);
    assert_ne!(tag(&api.get(ENDPOINTS).await), before[1]);
    assert_ne!(tag(&api.get("/restconf/data").await), before[2]);
    let made = api
        .put(
            &format!("{endpoint}/description"),
            json!({ "Accedian-service-endpoint:description": "x" }),
        )
        .await;
    assert_eq!(tag(&made), tag(&api.get(&endpoint).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_is_told_when_nothing_is_new() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let got = api.get(ENDPOINTS).await;
    let since = got.header("last-modified").unwrap().to_owned();
    for (name, value, status) in [
        ("If-None-Match", tag(&got), 304),
        ("If-None-Match", "\"other\"".to_owned(), 200),
        ("If-None-Match", format!("\"other\", {}", tag(&got)), 304),
        ("If-Modified-Since", since.clone(), 304),
        (
            "If-Modified-Since",
            "Thu, 01 Jan 1970 00:00:00 GMT".to_owned(),
            200,
        ),
        ("If-Modified-Since", "nonsense".to_owned(), 200),
        ("If-Match", "\"other\"".to_owned(), 412),
    ] {
        let answer = Api::admin(&gateway).with(name, &value).get(ENDPOINTS).await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
}

/// State changes no tag, so a tag says nothing about it.
#[tokio::test(flavor = "multi_thread")]
async fn state_is_never_taken_for_known() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let session = "/restconf/data/Accedian-session:sessions/session=s";
    let in_force = "/restconf/ds/ietf-datastores:operational/Accedian-session:sessions/session=s";
    let got = tag(&api.get(session).await);
    api.send("POST", &format!("{session}/start"), b"")
        .await
        .has_status(204);
    let config = format!("{session}?content=config");
    for (path, status) in [(session, 200), (in_force, 200), (&config, 304)] {
        let answer = Api::admin(&gateway)
            .with("If-None-Match", &got)
            .get(path)
            .await;
        assert_eq!(answer.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writer_who_is_late_changes_nothing() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let path = format!("{ENDPOINTS}/service-endpoint=a");
    let got = api.get(&path).await;
    let (first, since) = (tag(&got), got.header("last-modified").unwrap().to_owned());
    let body = |text: &str| json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": "a", "description": text }] });
    gateway.pass(Duration::from_secs(2));
    let with = |name: &str, value: &str| Api::admin(&gateway).with(name, value);
    with("If-Match", &first)
        .put(&path, body("1"))
        .await
        .has_status(204);
    with("If-Match", &first)
        .put(&path, body("2"))
        .await
        .is(412, "operation-failed");
    with("If-Unmodified-Since", &since)
        .put(&path, body("3"))
        .await
        .is(412, "operation-failed");
    with("If-None-Match", "*")
        .put(&path, body("4"))
        .await
        .is(412, "operation-failed");
    with("If-Match", "*")
        .delete(&format!("{ENDPOINTS}/service-endpoint=b"))
        .await
        .is(412, "operation-failed");
    let collection = tag(&api.get(ENDPOINTS).await);
    with("If-Match", &collection)
        .post(ENDPOINTS, endpoints(&["c"]))
        .await
        .has_status(201);
    with("If-Match", &collection)
        .post(ENDPOINTS, endpoints(&["d"]))
        .await
        .is(412, "operation-failed");
    let found = api.get(&path).await.ok();
    assert_eq!(found, body("1"));
}

/// A TLS connection that is kept for many requests.
struct Kept {
    requests: http1::SendRequest<Full<Bytes>>,
    token: String,
}

impl Kept {
    async fn new(gateway: &Gateway) -> Self {
        let tls = gateway.connect().await;
        let (requests, connection) = http1::handshake(TokioIo::new(tls)).await.unwrap();
        tokio::spawn(connection);
        Self {
            requests,
            token: gateway.token_of(TENANT, "tenant-admin").await,
        }
    }

    /// The status, and the entity tag where there is one.
    async fn send(
        &mut self,
        method: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> (u16, Option<String>) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{ENDPOINTS}/service-endpoint=a"))
            .header("host", "gateway")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/yang-data+json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        self.requests.ready().await.unwrap();
        let response = self.requests.send_request(request).await.unwrap();
        let tag = response.headers().get("etag");
        let tag = tag.map(|tag| tag.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        response.into_body().collect().await.unwrap();
        (status, tag)
    }

    async fn put(&mut self, tag: &str, text: String) -> u16 {
        let body = json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": "a", "description": text }] });
        let headers = [("if-match", tag)];
        self.send("PUT", &headers, body.to_string()).await.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_with_one_tag_exactly_one_wins() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let (mut one, mut other) = (Kept::new(&gateway).await, Kept::new(&gateway).await);
    for round in 0..RACES {
        let (status, tag) = one.send("GET", &[], String::new()).await;
        let tag = tag.unwrap();
        assert_eq!(status, 200);
        let racers = (
            one.put(&tag, format!("x{round}")),
            other.put(&tag, format!("y{round}")),
        );
        let mut statuses = <[u16; 2]>::from(tokio::join!(racers.0, racers.1));
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 412], "round {round}");
    }
}

const RACES: u32 = 1_000;
