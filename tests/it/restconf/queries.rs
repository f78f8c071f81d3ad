//! Query parameters.

use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::SERVICES;
use super::SESSIONS;
use super::endpoints;
use super::session;
use crate::gateway::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn content_tells_configuration_from_state() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let path = format!("{SESSIONS}/session=s");
    let get = async |query: &str| {
        api.get(&format!("{path}{query}")).await.ok()["Accedian-session:session"][0].take()
    };
    let state = json!({ "session-id": "s", "status": { "status": "stopped" } });
    assert_eq!(get("?content=config").await, session("s"));
    assert_eq!(get("?content=nonconfig").await, state);
    let mut all = session("s");
    all["status"] = state["status"].clone();
    assert_eq!(get("?content=all").await, all);
    assert_eq!(get("").await, all);
    let none = api
        .get(&format!("{ENDPOINTS}?content=nonconfig"))
        .await
        .ok();
    assert_eq!(
        none,
        json!({ "Accedian-service-endpoint:service-endpoints": {} })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_is_counted_from_the_target() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let get = async |path: &str| api.get(path).await.ok();
    let one = get(&format!("{SESSIONS}?depth=1")).await;
    assert_eq!(one, json!({ "Accedian-session:sessions": {} }));
    let two = get(&format!("{SESSIONS}?depth=2")).await;
    assert_eq!(
        two,
        json!({ "Accedian-session:sessions": { "session": [{ "session-id": "s" }] } })
    );
    let entry = get(&format!("{SESSIONS}/session=s?depth=2&content=config")).await;
    let expected = json!({ "session-id": "s", "session-type": "Accedian-session-type:twamp-light",
        "service-endpoints": [{ "endpoint-id": "a" }, { "endpoint-id": "b" }] });
    assert_eq!(entry["Accedian-session:session"][0], expected);
    get(&format!("{SESSIONS}?depth=unbounded")).await;
    get(&format!("{SESSIONS}?depth=65535")).await;
    for depth in ["0", "65536", "-1", "x", ""] {
        let path = format!("{SESSIONS}?depth={depth}");
        api.get(&path).await.is(400, "invalid-value");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_select_and_combine_with_depth_and_content() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let path = format!("{SESSIONS}/session=s");
    let get = async |query: &str| {
        api.get(&format!("{path}?{query}")).await.ok()["Accedian-session:session"][0].take()
    };
    let kind = "Accedian-session-type:twamp-light";
    assert_eq!(
        get("fields=session-type").await,
        json!({ "session-id": "s", "session-type": kind })
    );
    assert_eq!(
        get("fields=session-type;status(status)").await,
        json!({ "session-id": "s", "session-type": kind, "status": { "status": "stopped" } })
    );
    let sender = "service-endpoints/session-protocol/Accedian-session-twamp-light:twamp-light/session-sender";
    let found = get(&format!("fields={sender}(admin-state)")).await;
    assert_eq!(
        found["service-endpoints"],
        json!([
            { "endpoint-id": "a", "session-protocol": { "Accedian-session-twamp-light:twamp-light": { "session-sender": { "admin-state": true } } } },
            { "endpoint-id": "b" },
        ])
    );
    assert_eq!(
        get("fields=status;session-type&content=nonconfig").await,
        json!({ "session-id": "s", "status": { "status": "stopped" } })
    );
    let shallow = get("fields=service-endpoints&depth=2").await;
    assert_eq!(
        shallow,
        json!({ "session-id": "s", "service-endpoints": [{ "endpoint-id": "a" }, { "endpoint-id": "b" }] })
    );
    let top = api
        .get("/restconf/data?fields=Accedian-session:sessions/session/session-id")
        .await
        .ok();
    assert_eq!(
        top["ietf-restconf:data"],
        json!({ "Accedian-session:sessions": { "session": [{ "session-id": "s" }] } })
    );
    for fields in [
        "nothing",
        "session-id(",
        "session-id)",
        "",
        "a:b",
        "status(status",
        "status;",
        "/status",
    ] {
        api.get(&format!("{path}?fields={fields}"))
            .await
            .is(400, "invalid-value");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_are_shown_as_asked() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a", "b"])).await;
    let mut entry = session("s");
    let protocol = "Accedian-session-twamp-light:twamp-light";
    // One default set by the client, one value that is none.
    entry["service-endpoints"][0]["session-protocol"][protocol] =
        json!({ "session-sender": { "report-interval": 30, "admin-state": true } });
    api.made(SESSIONS, json!({ "Accedian-session:session": [entry] }))
        .await;
    let path = format!(
        "{SESSIONS}/session=s/service-endpoints=a/session-protocol/{protocol}/session-sender"
    );
    let get = async |mode: &str| {
        api.get(&format!("{path}?with-defaults={mode}")).await.ok()["Accedian-session-twamp-light:session-sender"].take()
    };
    let explicit = json!({ "report-interval": 30, "admin-state": true });
    assert_eq!(get("explicit").await, explicit);
    assert_eq!(
        api.get(&path).await.ok()["Accedian-session-twamp-light:session-sender"],
        explicit
    );
    assert_eq!(get("trim").await, json!({ "admin-state": true }));
    let all = get("report-all").await;
    assert_eq!(
        (
            &all["test-packets"]["payload-size"],
            &all["sender-udp-port"]
        ),
        (&json!(82), &json!("autoallocate"))
    );
    let tagged = get("report-all-tagged").await;
    assert_eq!(
        tagged["test-packets"]["@rate"],
        json!({ "ietf-netconf-with-defaults:default": true })
    );
    assert!(tagged.get("@admin-state").is_none());
    api.get(&format!("{path}?with-defaults=some"))
        .await
        .is(400, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_known_single_and_of_their_method() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for query in [
        "x=1",
        "depth=1&depth=1",
        "depth=1&x",
        "insert=first",
        "content=%zz",
    ] {
        api.get(&format!("{SERVICES}?{query}"))
            .await
            .is(400, "invalid-value");
    }
    let body = json!({ "Accedian-service:service": [{ "service-id": "s" }] });
    api.post(&format!("{SERVICES}?depth=1"), body)
        .await
        .is(400, "invalid-value");
    api.delete(&format!("{SERVICES}?content=all"))
        .await
        .is(400, "invalid-value");
    api.get("/restconf/yang-library-version?depth=1")
        .await
        .is(400, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_collection_comes_whole() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let ids: Vec<String> = (0..250).map(|number| format!("e{number:03}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    api.made(ENDPOINTS, endpoints(&ids)).await;
    let found = api.get(ENDPOINTS).await.ok();
    let found = found["Accedian-service-endpoint:service-endpoints"]["service-endpoint"]
        .as_array()
        .unwrap();
    let found: Vec<&str> = found
        .iter()
        .map(|it| it["endpoint-id"].as_str().unwrap())
        .collect();
    assert_eq!(found, ids);
}
