//! The datastores of NMDA (RFC 8527).

use serde_json::json;

use super::Api;
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
    let mut all = session("s");
    all["status"] = json!({ "status": "stopped" });
    assert_eq!(get("operational").await, all);
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
