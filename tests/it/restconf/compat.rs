//! The switches for the vendor's clients (restconf-pki 2.4), each in both positions.

use std::fs;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;
use serde_json::json;
use tollgate::restconf::Config;

use super::Api;
use super::ENDPOINTS;
use super::SESSIONS;
use super::endpoints;
use super::session;
use crate::gateway::Gateway;

async fn with(change: impl FnOnce(&mut Config)) -> Gateway {
    Gateway::start_with(|settings| change(&mut settings.restconf)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn quoted_numbers_are_taken_and_shown_as_numbers() {
    let entry = |vlan: Value| {
        json!({ "Accedian-service-endpoint:service-endpoint": [{
            "endpoint-id": "a", "type": "Accedian-service-endpoint-type:ne-endpoint", "description": "5",
            "config": { "Accedian-service-endpoint-ne:ne-config": { "vlan-id": vlan } },
        }]})
    };
    let vlan = format!(
        "{ENDPOINTS}/service-endpoint=a/config/Accedian-service-endpoint-ne:ne-config/vlan-id"
    );
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, entry(json!("123"))).await;
    let shown = api
        .get(&format!("{ENDPOINTS}/service-endpoint=a"))
        .await
        .ok();
    assert_eq!(shown, entry(json!(123)));
    let leaf = |value: Value| json!({ "Accedian-service-endpoint-ne:vlan-id": value });
    api.put(&vlan, leaf(json!("7"))).await.has_status(204);
    assert_eq!(api.get(&vlan).await.ok(), leaf(json!(7)));
    for wrong in [
        json!("x"),
        json!(""),
        json!("99999"),
        json!("+5"),
        json!("0x10"),
    ] {
        api.put(&vlan, leaf(wrong)).await.is(400, "invalid-value");
    }
    let strict = with(|config| config.string_numbers = false).await;
    let api = Api::admin(&strict);
    let refused = api.post(ENDPOINTS, entry(json!("123"))).await;
    refused.is(400, "invalid-value");
    api.made(ENDPOINTS, entry(json!(123))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_start_is_passed_over() {
    let mut entry = session("s");
    entry["auto-start"] = json!(true);
    let entry = json!({ "Accedian-session:session": [entry] });
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a", "b"])).await;
    api.made(SESSIONS, entry.clone()).await;
    let path = format!("{SESSIONS}/session=s?content=config");
    let shown = api.get(&path).await.ok();
    assert_eq!(shown["Accedian-session:session"][0], session("s"));
    let mut elsewhere = endpoints(&["c"]);
    elsewhere["Accedian-service-endpoint:service-endpoint"][0]["auto-start"] = json!(true);
    api.post(ENDPOINTS, elsewhere)
        .await
        .is(400, "unknown-element");
    let strict = with(|config| config.auto_start = false).await;
    let api = Api::admin(&strict);
    api.made(ENDPOINTS, endpoints(&["a", "b"])).await;
    api.post(SESSIONS, entry).await.is(400, "unknown-element");
}

#[tokio::test(flavor = "multi_thread")]
async fn vendors_streams_have_the_vendors_form_where_it_is_switched_on() {
    let mut plain = Config::default();
    (plain.notification_arrays, plain.error_leaves) = (false, false);
    let mut old = Config::default();
    (
        old.capital_status,
        old.session_identifier,
        old.vendor_locations,
    ) = (true, true, true);
    let session_event = "Accedian-session:state-change-event";
    let at = "2026-06-01T12:00:00Z";
    let rfc = json!({ "eventTime": at, session_event: { "session-id": "s", "status": "running" } });
    let array = |name: &str, status: &str| {
        let content = json!({ name: "s", "status": status });
        json!({ "event-time": at, session_event: [content] })
    };
    for (config, expected, location) in [
        (Config::default(), array("session-id", "running"), "streams"),
        (plain, rfc.clone(), "streams"),
        (old, array("identifier", "Running"), "notif"),
    ] {
        let gateway = with(|it| *it = config).await;
        let api = Api::admin(&gateway).with_session().await;
        let start = format!("{SESSIONS}/session=s/start");
        api.send("POST", &start, b"").await.has_status(204);
        gateway.pass(Duration::from_secs(5));
        for (below, expected) in [("notif", &expected), ("streams", &rfc)] {
            let path = format!("/restconf/{below}/notification-stream/{session_event}/JSON");
            let times = format!("start-time={at}&stop-time=2026-06-01T12:00:01Z");
            let events = api.get(&format!("{path}?{times}")).await.ok();
            let first = events.as_str().unwrap().split_once("data: ").unwrap().1;
            let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
            assert_eq!(first["ietf-restconf:notification"], *expected, "{below}");
        }
        let streams = "/restconf/data/ietf-restconf-monitoring:restconf-state/streams";
        let listed = api.get(streams).await.ok()["ietf-restconf-monitoring:streams"].take();
        let listed = listed["stream"][0]["access"][0]["location"]
            .as_str()
            .unwrap();
        let expected = format!("https://gw/restconf/{location}/NETCONF/JSON");
        assert_eq!(listed, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn group_parameter_can_be_switched_off() {
    let times = "start-time=2026-06-01T11:00:00Z&stop-time=2026-06-01T11:00:01Z";
    let path = format!("/restconf/streams/NETCONF/JSON?{times}&group-id=g");
    let gateway = Gateway::start().await;
    Api::admin(&gateway).get(&path).await.has_status(200);
    let strict = with(|config| config.group_id = false).await;
    Api::admin(&strict)
        .get(&path)
        .await
        .is(400, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_spelt_as_the_loaded_modules_do() {
    let modules = tempfile::tempdir().unwrap();
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/yang/accedian")).unwrap() {
        let file = file.unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        let text = text.replace("enum running", "enum Running");
        let text = text.replace("enum stopped", "enum Stopped");
        fs::write(modules.path().join(file.file_name()), text).unwrap();
    }
    let folder = modules.path().to_owned();
    let gateway = Gateway::start_with(|settings| settings.yang_dir = Some(folder)).await;
    let api = Api::admin(&gateway).with_session().await;
    let status = format!("{SESSIONS}/session=s/status");
    let shown = async || api.get(&status).await.ok()["Accedian-session:status"]["status"].take();
    assert_eq!(shown().await, "Stopped");
    let start = format!("{SESSIONS}/session=s/start");
    api.send("POST", &start, b"").await.has_status(204);
    assert_eq!(shown().await, "Running");
    let xml = Api::admin(&gateway).xml().get(&status).await.ok();
    assert!(xml.as_str().unwrap().contains(">Running<"), "{xml}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_bodies_follow_their_switches() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let absent = format!("{ENDPOINTS}/service-endpoint=x");
    let empty = api.get(ENDPOINTS).await.ok();
    assert_eq!(
        empty,
        json!({ "Accedian-service-endpoint:service-endpoints": {} })
    );
    api.delete(&absent).await.is(409, "data-missing");
    api.made(ENDPOINTS, endpoints(&["a", "b"])).await;
    let plain = |gateway| {
        let api = Api::admin(gateway).without("Content-Type");
        api.with("Content-Type", "application/json")
    };
    plain(&gateway).made(ENDPOINTS, endpoints(&["c"])).await;

    let other = with(|config| {
        config.empty_body = true;
        config.absent_delete_status = StatusCode::NOT_FOUND;
        config.several_entries = false;
        config.plain_json = false;
    });
    let other = other.await;
    let api = Api::admin(&other);
    assert_eq!(api.get(ENDPOINTS).await.ok(), "");
    api.delete(&absent).await.is(404, "data-missing");
    let several = api.post(ENDPOINTS, endpoints(&["a", "b"])).await;
    several.is(400, "malformed-message");
    let refused = plain(&other).post(ENDPOINTS, endpoints(&["a"])).await;
    refused.is(415, "invalid-value");
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let full = api.get(ENDPOINTS).await.ok();
    assert!(full.is_object(), "{full}");
}
