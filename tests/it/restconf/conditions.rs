//! Entity tags and times.

use std::time::Duration;

use serde_json::json;

use super::Answer;
use super::Api;
use super::ENDPOINTS;
use super::endpoints;
use crate::gateway::Gateway;

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

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_with_one_tag_exactly_one_wins() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let path = format!("{ENDPOINTS}/service-endpoint=a");
    for round in 0..RACES {
        let tag = tag(&api.get(&path).await);
        let racer = |name: &'static str| {
            let api = Api::admin(&gateway).with("If-Match", &tag);
            let (path, text) = (path.clone(), format!("{name}{round}"));
            async move {
                let body = json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": "a", "description": text }] });
                api.put(&path, body).await.status
            }
        };
        let mut statuses = <[u16; 2]>::from(tokio::join!(racer("x"), racer("y")));
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 412], "round {round}");
    }
}

/// The races of the store's own test come on top; each of these takes two handshakes.
const RACES: u32 = 50;
