//! The datastores of NMDA (RFC 8527).

use serde_json::Value;
use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::SESSIONS;
use super::endpoints;
use super::session;
use crate::gateway::Gateway;

const DS: &str = "/restconf/ds/ietf-datastores:";

#[tokio::test(flavor = "multi_thread")]
async fn datastores_show_what_is_theirs() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let path = SESSIONS.strip_prefix("/restconf/data").unwrap();
    let get = async |name: &str| {
        let path = format!("{DS}{name}{path}/session=s");
        api.get(&path).await.ok()["Accedian-session:session"][0].take()
    };
    assert_eq!(get("running").await, session("s"));
    assert_eq!(get("intended").await, session("s"));
    assert_eq!(
        get("operational").await["status"],
        json!({ "status": "stopped" })
    );
    for name in ["running", "intended"] {
        let status = format!("{DS}{name}{path}/session=s/status");
        api.get(&status).await.is(404, "invalid-value");
        let library = format!("{DS}{name}/ietf-yang-library:yang-library");
        api.get(&library).await.is(404, "invalid-value");
        let content = format!("{DS}{name}?content=all");
        api.get(&content).await.is(400, "invalid-value");
    }
    let root = api.get(&format!("{DS}running")).await.ok();
    assert_eq!(root, api.get("/restconf/data?content=config").await.ok());
    api.get(&format!("{DS}startup"))
        .await
        .is(404, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn running_alone_is_written() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let path = "/Accedian-service-endpoint:service-endpoints";
    for name in ["operational", "intended"] {
        let refused = api
            .post(&format!("{DS}{name}{path}"), endpoints(&["x"]))
            .await;
        refused.is(405, "operation-not-supported");
        assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
    api.made(&format!("{DS}running{path}"), endpoints(&["x"]))
        .await;
    api.get(&format!("/restconf/data{path}/service-endpoint=x"))
        .await
        .has_status(200);
    let action = "/Accedian-session:sessions/session=s/start";
    api.send("POST", &format!("{DS}running{action}"), b"")
        .await
        .is(404, "invalid-value");
    api.send("POST", &format!("{DS}operational{action}"), b"")
        .await
        .has_status(204);
}

/// An endpoint `id` with an address, or without one.
fn endpoint(id: &str, ip: Option<&str>) -> Value {
    let mut config = json!({ "ne-id": id });
    if let Some(ip) = ip {
        config["ip"] = json!(ip);
    }
    json!({ "Accedian-service-endpoint:service-endpoint": [{
        "endpoint-id": id, "type": "Accedian-service-endpoint-type:ne-endpoint",
        "config": { "Accedian-service-endpoint-ne:ne-config": config },
    }]})
}

/// A session from `a` to `b` that names neither address, with a port of its reflector's own.
fn unnamed() -> Value {
    let protocol = "Accedian-session-twamp-light:twamp-light";
    json!({ "Accedian-session:session": [{
        "session-id": "s", "session-type": "Accedian-session-type:twamp-light",
        "service-endpoints": [
            { "endpoint-id": "a", "session-protocol": { protocol: { "session-sender": { "admin-state": true } } } },
            { "endpoint-id": "b", "session-protocol": { protocol: { "session-reflector": { "reflector-udp-port": 4000 } } } },
        ],
    }]})
}

const SENDER: &str = "/Accedian-session:sessions/session=s/service-endpoints=a/session-protocol\
                      /Accedian-session-twamp-light:twamp-light/session-sender";

#[tokio::test(flavor = "multi_thread")]
async fn operational_has_what_a_session_takes_over_and_defaults() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for made in [
        endpoint("a", Some("192.0.2.1")),
        endpoint("b", Some("2001:db8::1")),
    ] {
        api.made(ENDPOINTS, made).await;
    }
    api.made(SESSIONS, unnamed()).await;
    let name = "Accedian-session-twamp-light:session-sender";
    let get = async |datastore: &str, query: &str| {
        let path = format!("{DS}{datastore}{SENDER}{query}");
        api.get(&path).await.ok()[name].take()
    };
    assert_eq!(get("running", "").await, json!({ "admin-state": true }));
    let explicit = json!({
        "admin-state": true, "sender-ip": "192.0.2.1", "reflector-ip": "2001:db8::1", "reflector-udp-port": 4000,
    });
    assert_eq!(
        get("operational", "?with-defaults=explicit").await,
        explicit
    );
    let all = get("operational", "").await;
    assert_eq!(all["report-interval"], 30);
    assert_eq!(all["sender-udp-port"], "autoallocate");
    assert_eq!(all["test-packets"]["payload-size"], 82);
    let trimmed = get("operational", "?with-defaults=trim").await;
    assert_eq!(trimmed, explicit);
    let unified = api.get(&format!("/restconf/data{SENDER}")).await.ok();
    assert_eq!(unified[name], json!({ "admin-state": true }));
    // A change of the endpoint is a change of what is in force.
    let ip = "/Accedian-service-endpoint:service-endpoints/service-endpoint=b/config\
              /Accedian-service-endpoint-ne:ne-config/ip";
    let body = json!({ "Accedian-service-endpoint-ne:ip": "192.0.2.7" });
    api.put(&format!("/restconf/data{ip}"), body)
        .await
        .has_status(204);
    assert_eq!(get("operational", "").await["reflector-ip"], "192.0.2.7");
    // The collection shows the same, page by page.
    let list = api
        .get(&format!("{DS}operational/Accedian-session:sessions"))
        .await
        .ok();
    assert!(list.to_string().contains("192.0.2.7"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_without_an_address_does_not_start() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for made in [endpoint("a", Some("192.0.2.1")), endpoint("b", None)] {
        api.made(ENDPOINTS, made).await;
    }
    api.made(SESSIONS, unnamed()).await;
    let start = format!("{SESSIONS}/session=s/start");
    let refused = api.send("POST", &start, b"").await;
    refused.is(409, "data-missing");
    let path = "/Accedian-session:sessions/session[session-id='s']/service-endpoints[endpoint-id='a']\
                /session-protocol/Accedian-session-twamp-light:twamp-light/session-sender/reflector-ip";
    assert_eq!(refused.error()["error-path"], path);
    let status = api.get(&format!("{SESSIONS}/session=s/status")).await.ok();
    assert_eq!(status["Accedian-session:status"]["status"], "stopped");
    let leaf = json!({ "Accedian-session-twamp-light:reflector-ip": "192.0.2.2" });
    api.put(&format!("/restconf/data{SENDER}/reflector-ip"), leaf)
        .await
        .has_status(201);
    api.send("POST", &start, b"").await.has_status(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn origin_of_each_value_is_told() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for made in [
        endpoint("a", Some("192.0.2.1")),
        endpoint("b", Some("192.0.2.2")),
    ] {
        api.made(ENDPOINTS, made).await;
    }
    api.made(SESSIONS, unnamed()).await;
    let origin = |name: &str| json!({ "ietf-origin:origin": format!("ietf-origin:{name}") });
    let sender = api
        .get(&format!("{DS}operational{SENDER}?with-origin"))
        .await
        .ok();
    let sender = &sender["Accedian-session-twamp-light:session-sender"];
    assert_eq!(sender["@"], origin("intended"));
    assert_eq!(sender["@reflector-ip"], origin("system"));
    assert_eq!(sender["@report-interval"], origin("default"));
    assert_eq!(sender["test-packets"]["@ttl"], origin("default"));
    assert_eq!(sender.get("@admin-state"), None);
    let leaf = format!("{DS}operational{SENDER}/sender-ip?with-origin");
    assert_eq!(
        api.get(&leaf).await.ok(),
        json!({
            "Accedian-session-twamp-light:sender-ip": "192.0.2.1",
            "@Accedian-session-twamp-light:sender-ip": origin("system"),
        })
    );
    let whole = api.get(&format!("{DS}operational?with-origin")).await.ok();
    let data = &whole["ietf-restconf:data"];
    for name in [
        "Accedian-session:sessions",
        "Accedian-service-endpoint:service-endpoints",
    ] {
        assert_eq!(data[name]["@"], origin("intended"));
    }
    let sessions = format!("{DS}operational/Accedian-session:sessions");
    let one = api.get(&format!("{sessions}?with-origin")).await.ok();
    assert_eq!(
        one["Accedian-session:sessions"],
        data["Accedian-session:sessions"]
    );
    let list = api
        .get(&format!("{sessions}/session?with-origin"))
        .await
        .ok();
    assert_eq!(list["Accedian-session:session"][0]["@"], origin("intended"));
    let status = format!("{sessions}/session=s/status?with-origin");
    assert_eq!(
        api.get(&status).await.ok(),
        json!({ "Accedian-session:status": { "status": "stopped" } })
    );
    let xml = Api::admin(&gateway).xml();
    for (path, expected) in [
        (leaf.clone(), ">192.0.2.1<"),
        (
            format!("{sessions}?with-origin"),
            "or:origin=\"or:intended\"",
        ),
        (
            format!("{DS}operational{SENDER}?with-origin"),
            "origin=\"or:default\"",
        ),
    ] {
        let text = xml.get(&path).await.ok();
        let text = text.as_str().unwrap();
        assert!(
            text.contains(expected) && text.contains("ietf-origin"),
            "{text}"
        );
    }
    for (path, query) in [
        ("/restconf/data", "with-origin"),
        ("/restconf/ds/ietf-datastores:running", "with-origin"),
        (
            "/restconf/ds/ietf-datastores:operational",
            "with-origin=maybe",
        ),
    ] {
        api.get(&format!("{path}?{query}"))
            .await
            .is(400, "invalid-value");
    }
}
