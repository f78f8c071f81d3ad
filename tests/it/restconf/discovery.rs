//! What there is, and how it is found.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::SESSIONS;
use super::endpoints;
use crate::gateway::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn host_meta_leads_to_restconf_without_a_credential() {
    let gateway = Gateway::start().await;
    let nobody = Api::bare(&gateway);
    let xrd = nobody.get("/.well-known/host-meta").await;
    assert_eq!(xrd.header("content-type"), Some("application/xrd+xml"));
    let text = xrd.ok().to_string();
    assert_eq!(
        text.matches("<Link rel=\\\"restconf\\\" href=\\\"/restconf\\\"/>")
            .count(),
        1
    );
    let json = nobody.get("/.well-known/host-meta.json").await.ok();
    assert_eq!(
        json["links"],
        json!([{ "rel": "restconf", "href": "/restconf" }])
    );
    nobody.get("/restconf").await.is(401, "access-denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_names_its_three_resources() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let root = &api.get("/restconf").await.ok()["ietf-restconf:restconf"];
    assert!(root["data"].is_object() && root["operations"].is_object());
    assert_eq!(root["yang-library-version"], "2019-01-04");
    let version = api.get("/restconf/yang-library-version").await.ok();
    assert_eq!(version["ietf-restconf:yang-library-version"], "2019-01-04");
    let operations = api.get("/restconf/operations").await.ok();
    assert_eq!(
        operations["ietf-restconf:operations"],
        json!({
            "Accedian-alert:force-delete": [null],
            "Accedian-session:force-delete": [null],
            "Accedian-service:delete-service": [null],
        })
    );
    api.get("/restconf/nothing").await.is(404, "invalid-value");
    let xml = Api::admin(&gateway).xml();
    let operations = xml.get("/restconf/operations").await.ok().to_string();
    assert!(
        operations.contains("<delete-service xmlns="),
        "{operations}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn library_lists_modules_whose_text_can_be_fetched() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = "/restconf/data/ietf-yang-library:yang-library";
    let library = api.get(path).await.ok()["ietf-yang-library:yang-library"].take();
    let modules = library["module-set"][0]["module"].as_array().unwrap();
    let session = modules
        .iter()
        .find(|it| it["name"] == "Accedian-session")
        .unwrap();
    assert_eq!(session["namespace"], "http://accedian.com/ns/yang/session");
    let location = session["location"][0].as_str().unwrap();
    let file = location.strip_prefix("https://gw").unwrap();
    let text = api.get(file).await;
    assert_eq!(text.header("content-type"), Some("application/yang"));
    let ours =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("proto/yang/accedian/Accedian-session.yang");
    assert_eq!(text.ok(), json!(fs::read_to_string(ours).unwrap()));
    let id = format!("{path}/content-id");
    let id = api.get(&id).await.ok()["ietf-yang-library:content-id"].take();
    assert_eq!(id, library["content-id"]);
    let state = api
        .get("/restconf/data/ietf-yang-library:modules-state")
        .await
        .ok();
    assert_eq!(
        state["ietf-yang-library:modules-state"]["module-set-id"],
        id
    );
    api.get("/restconf/yang/nothing.yang")
        .await
        .is(404, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_are_those_that_the_tests_prove() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = "/restconf/data/ietf-restconf-monitoring:restconf-state/capabilities";
    let found = api.get(path).await.ok();
    let found = found["ietf-restconf-monitoring:capabilities"]["capability"]
        .as_array()
        .unwrap();
    let found: Vec<&str> = found.iter().map(|it| it.as_str().unwrap()).collect();
    let short = |uri: &str| {
        uri.trim_start_matches("urn:ietf:params:restconf:capability:")
            .to_owned()
    };
    let found: Vec<String> = found.into_iter().map(short).collect();
    assert_eq!(
        found,
        [
            "defaults:1.0?basic-mode=explicit",
            "depth:1.0",
            "fields:1.0",
            "filter:1.0",
            "replay:1.0",
            "with-defaults:1.0",
            "with-operational-defaults:1.0",
            "with-origin:1.0",
            "yang-patch:1.0"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn options_and_head_say_what_get_would() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let entry = format!("{ENDPOINTS}/service-endpoint=a");
    for (path, allow, patches) in [
        (
            "/restconf/data".to_owned(),
            "GET, HEAD, OPTIONS, PATCH, POST, PUT",
            true,
        ),
        (
            entry.clone(),
            "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
            true,
        ),
        (format!("{entry}/state"), "GET, HEAD, OPTIONS", false),
        (
            format!("{SESSIONS}/session=s/start"),
            "OPTIONS, POST",
            false,
        ),
    ] {
        let answer = api.send("OPTIONS", &path, b"").await;
        answer.has_status(204);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
        assert_eq!(answer.header("accept-patch").is_some(), patches, "{path}");
    }
    let (get, head) = (api.get(&entry).await, api.send("HEAD", &entry, b"").await);
    assert_eq!((head.status, &head.body), (200, &json!("")));
    for name in [
        "content-type",
        "etag",
        "last-modified",
        "cache-control",
        "content-length",
    ] {
        assert_eq!(get.header(name), head.header(name), "{name}");
        assert!(get.header(name).is_some(), "{name}");
    }
}
