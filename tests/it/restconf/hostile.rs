//! Requests made up of the protocol's words and noise, against a whole gateway: none is an error of the server's, and what
//! is refused changes nothing.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;

use super::Api;
use super::session;
use crate::gateway::Gateway;

/// Each is a request or two over a connection of its own.
const CASES: usize = 150;

const SEGMENTS: &[&str] = &[
    "Accedian-session:sessions",
    "Accedian-service-endpoint:service-endpoints",
    "session=s",
    "session",
    "service-endpoint=a",
    "service-endpoint=%00",
    "session=s,t",
    "start",
    "status",
    "metadata",
    "topology=x",
    "service-endpoints=a",
    "..",
    "%2e%2e",
    "%",
    "x",
    "description",
    "group-id",
];

const QUERIES: &[&str] = &[
    "",
    "",
    "",
    "?content=config",
    "?depth=0",
    "?insert=first",
    "?point=%2Fx",
    "?fields=(",
    "?with-defaults=trim",
    "?a=b&a=b",
];

/// A body: one that is valid, with something of it replaced.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let valid = prop::sample::select(vec![
        json!({ "Accedian-session:session": [session("s")] }),
        json!({ "Accedian-session:sessions": { "session": [session("t")] } }),
        json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": "c" }] }),
        json!({ "Accedian-session:description": "text" }),
        json!({ "ietf-restconf:data": {} }),
    ]);
    let noise = prop_oneof![
        Just(String::new()),
        Just("\0".to_owned()),
        Just("\\ud800".to_owned()),
        Just("[".repeat(5_000)),
        Just("{\"a\":".repeat(300)),
        Just("1e999".to_owned()),
        any::<String>(),
    ];
    (valid, any::<prop::sample::Index>(), 0..6_usize, noise).prop_map(
        |(valid, at, length, noise)| {
            let valid: Value = valid;
            let mut bytes = valid.to_string().into_bytes();
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            if length > 0 {
                bytes.splice(at..end, noise.into_bytes());
            }
            bytes
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_requests_are_no_errors_of_the_servers() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let method = prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE"]);
    let way = prop::collection::vec(prop::sample::select(SEGMENTS), 0..5);
    let kind = prop::sample::select(vec![
        "application/yang-data+json",
        "application/yang-data+xml",
        "application/yang-patch+json",
        "application/yang-patch+xml",
    ]);
    let requests = (method, way, prop::sample::select(QUERIES), kind, body());
    let mut runner = TestRunner::deterministic();
    let mut refused = 0;
    let tag = async || {
        api.get("/restconf/data")
            .await
            .header("etag")
            .map(str::to_owned)
    };
    let mut before = tag().await;
    for _case in 0..CASES {
        let request = requests.new_tree(&mut runner).unwrap().current();
        let (method, way, query, kind, body) = request;
        let path = format!("/restconf/data/{}{query}", way.join("/"));
        let caller = Api::admin(&gateway)
            .without("Content-Type")
            .with("Content-Type", kind);
        let answer = caller.send(method, &path, &body).await;
        let what = format!("{method} {path} {kind} {}", String::from_utf8_lossy(&body));
        assert!(
            (200..500).contains(&answer.status),
            "{what}: {} {}",
            answer.status,
            answer.body
        );
        let after = tag().await;
        if answer.status >= 400 {
            refused += 1;
            assert_eq!(before, after, "{what}: {}", answer.body);
        }
        before = after;
    }
    // Some of them were right.
    assert!((CASES / 2..CASES).contains(&refused), "{refused}");
}
