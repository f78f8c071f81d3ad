//! Operations and actions.

use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::SERVICES;
use super::SESSIONS;
use super::endpoints;
use super::session;
use crate::gateway::Gateway;

const DELETE_SERVICE: &str = "/restconf/operations/Accedian-service:delete-service";

#[tokio::test(flavor = "multi_thread")]
async fn session_starts_and_stops() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let path = format!("{SESSIONS}/session=s");
    let status = async || {
        api.get(&format!("{path}/status/status")).await.ok()["Accedian-session:status"].take()
    };
    assert_eq!(status().await, "stopped");
    api.send("POST", &format!("{path}/start"), b"")
        .await
        .has_status(204);
    assert_eq!(status().await, "running");
    api.post(
        &format!("{path}/Accedian-session:stop"),
        json!({ "Accedian-session:input": {} }),
    )
    .await
    .has_status(204);
    assert_eq!(status().await, "stopped");
    api.send("POST", &format!("{SESSIONS}/session=x/start"), b"")
        .await
        .is(404, "invalid-value");
    api.get(&format!("{path}/start"))
        .await
        .is(405, "operation-not-supported");
    api.put(
        &format!("{path}/status"),
        json!({ "Accedian-session:status": {} }),
    )
    .await
    .is(405, "operation-not-supported");
}

#[tokio::test(flavor = "multi_thread")]
async fn service_is_deleted_with_its_sessions_but_not_with_shared_endpoints() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let mut other = session("t");
    other["service-endpoints"] = json!([{ "endpoint-id": "b" }]);
    api.made(SESSIONS, json!({ "Accedian-session:session": [other] }))
        .await;
    let service = json!({ "Accedian-service:service": [{ "service-id": "v", "sessions": [{ "session-id": "s" }] }] });
    api.made(SERVICES, service).await;
    api.delete(&format!("{SESSIONS}/session=s"))
        .await
        .is(409, "in-use");
    let forced = json!({ "Accedian-session:input": { "session-id": "s" } });
    api.post("/restconf/operations/Accedian-session:force-delete", forced)
        .await
        .is(409, "in-use");
    let input = json!({ "Accedian-service:input": { "target": { "service-id": "v", "delete-service-endpoints": true } } });
    api.post(DELETE_SERVICE, input.clone())
        .await
        .has_status(204);
    for (path, status) in [
        (format!("{SERVICES}/service=v"), 404),
        (format!("{SESSIONS}/session=s"), 404),
        (format!("{SESSIONS}/session=t"), 200),
        (format!("{ENDPOINTS}/service-endpoint=a"), 404),
        (format!("{ENDPOINTS}/service-endpoint=b"), 200),
    ] {
        assert_eq!(api.get(&path).await.status, status, "{path}");
    }
    api.post(DELETE_SERVICE, input)
        .await
        .is(409, "data-missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_deletion_deletes() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let input = json!({ "Accedian-session:input": { "session-id": "s" } });
    api.post("/restconf/operations/Accedian-session:force-delete", input)
        .await
        .has_status(204);
    api.get(&format!("{SESSIONS}/session=s"))
        .await
        .is(404, "invalid-value");
    let xml = Api::admin(&gateway).xml();
    let input = "<input xmlns=\"http://accedian.com/ns/yang/alert\"><alert-id>x</alert-id></input>";
    let answer = xml
        .send(
            "POST",
            "/restconf/operations/Accedian-alert:force-delete",
            input.as_bytes(),
        )
        .await;
    assert_eq!(answer.status, 409, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn input_is_checked() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    api.send("POST", DELETE_SERVICE, b"")
        .await
        .is(400, "missing-element");
    let post = async |input: serde_json::Value| {
        api.post(DELETE_SERVICE, json!({ "Accedian-service:input": input }))
            .await
    };
    post(json!({})).await.is(400, "missing-element");
    post(json!({ "target": { "service-id": "-" } }))
        .await
        .is(400, "invalid-value");
    post(json!({ "target": { "other": "x" } }))
        .await
        .is(400, "unknown-element");
    api.post(DELETE_SERVICE, json!({ "target": {} }))
        .await
        .is(400, "malformed-message");
    api.post("/restconf/operations/Accedian-service:nothing", json!({}))
        .await
        .is(404, "invalid-value");
    api.get(DELETE_SERVICE)
        .await
        .is(405, "operation-not-supported");
}
