//! YANG Patch (RFC 8072).

use serde_json::Value;
use serde_json::json;

use super::Answer;
use super::Api;
use super::ENDPOINTS;
use super::SESSIONS;
use super::session;
use crate::gateway::Gateway;

fn patcher(gateway: &Gateway) -> Api<'_> {
    Api::admin(gateway)
        .without("Content-Type")
        .with("Content-Type", "application/yang-patch+json")
}

fn patch(edits: &[Value]) -> Value {
    json!({ "ietf-yang-patch:yang-patch": { "patch-id": "p", "edit": edits } })
}

fn edit(id: &str, operation: &str, target: &str, more: Value) -> Value {
    let mut edit = json!({ "edit-id": id, "operation": operation, "target": target });
    edit.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    edit
}

fn endpoint(id: &str, text: &str) -> Value {
    json!({ "value": { "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": id, "description": text }] } })
}

#[track_caller]
fn status(answer: &Answer) -> &Value {
    let status = &answer.body["ietf-yang-patch:yang-patch-status"];
    assert_eq!(status["patch-id"], "p", "{}", answer.body);
    status
}

/// The patch failed with this status, by this edit and for this reason.
#[track_caller]
fn failed(answer: &Answer, code: u16, edit: &str, tag: &str) {
    assert_eq!(answer.status, code, "{}", answer.body);
    let failed = &status(answer)["edit-status"]["edit"];
    assert_eq!(failed.as_array().unwrap().len(), 1);
    assert_eq!(failed[0]["edit-id"], edit, "{failed}");
    assert_eq!(
        failed[0]["errors"]["error"][0]["error-tag"], tag,
        "{failed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_of_a_patch_are_made_in_order() {
    let gateway = Gateway::start().await;
    let api = patcher(&gateway);
    let edits = [
        edit("1", "create", "/service-endpoint=a", endpoint("a", "first")),
        edit("2", "merge", "/service-endpoint=b", endpoint("b", "merged")),
        edit(
            "3",
            "replace",
            "/service-endpoint=a",
            endpoint("a", "replaced"),
        ),
        edit(
            "4",
            "create",
            "/service-endpoint=c",
            endpoint("c", "short-lived"),
        ),
        edit("5", "delete", "/service-endpoint=c", json!({})),
        edit("6", "remove", "/service-endpoint=nobody", json!({})),
        edit(
            "7",
            "replace",
            "/service-endpoint=b/description",
            json!({ "value": { "Accedian-service-endpoint:description": "leaf" } }),
        ),
    ];
    let answer = api.patch(ENDPOINTS, patch(&edits)).await;
    answer.has_status(200);
    assert_eq!(status(&answer)["ok"], json!([null]));
    let found = api.get(&format!("{ENDPOINTS}?content=config")).await.ok();
    assert_eq!(
        found["Accedian-service-endpoint:service-endpoints"]["service-endpoint"],
        json!([{ "endpoint-id": "a", "description": "replaced" }, { "endpoint-id": "b", "description": "leaf" }])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_edit_undoes_all_and_is_named() {
    let gateway = Gateway::start().await;
    let api = patcher(&gateway);
    let good = || edit("good", "create", "/service-endpoint=a", endpoint("a", "x"));
    let dangling = json!({ "value": { "Accedian-session:session": [session("s")] } });
    for (bad, code, tag) in [
        (
            edit("bad", "create", "/service-endpoint=a", endpoint("a", "x")),
            409,
            "data-exists",
        ),
        (
            edit("bad", "delete", "/service-endpoint=b", json!({})),
            409,
            "data-missing",
        ),
        (
            edit("bad", "delete", "/nothing", json!({})),
            404,
            "invalid-value",
        ),
        (
            edit("bad", "create", "/service-endpoint=b", json!({})),
            400,
            "missing-element",
        ),
        (
            edit("bad", "create", "/service-endpoint=b", endpoint("c", "x")),
            400,
            "invalid-value",
        ),
        (
            edit("bad", "other", "/service-endpoint=b", json!({})),
            400,
            "invalid-value",
        ),
        (
            edit(
                "bad",
                "move",
                "/service-endpoint=a",
                json!({ "where": "first" }),
            ),
            400,
            "invalid-value",
        ),
        (
            edit("bad", "delete", "/service-endpoint=a", endpoint("a", "x")),
            400,
            "invalid-value",
        ),
    ] {
        let answer = api.patch(ENDPOINTS, patch(&[good(), bad])).await;
        failed(&answer, code, "bad", tag);
        let empty = api.get(ENDPOINTS).await.ok();
        assert_eq!(
            empty,
            json!({ "Accedian-service-endpoint:service-endpoints": {} })
        );
    }
    let in_sessions = edit(
        "bad",
        "create",
        "/Accedian-session:sessions/session=s",
        dangling,
    );
    let other = edit(
        "good",
        "create",
        "/Accedian-service-endpoint:service-endpoints/service-endpoint=a",
        endpoint("a", "x"),
    );
    let answer = api
        .patch("/restconf/data", patch(&[in_sessions, other]))
        .await;
    failed(&answer, 409, "bad", "data-missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn insert_and_move_place_entries() {
    let gateway = Gateway::start().await;
    let api = patcher(&gateway);
    let _ = Api::admin(&gateway).with_session().await;
    let tag = |tag: &str| json!({ "value": { "Accedian-session:topology": [tag] } });
    let with = |mut value: Value, place: &str, point: Option<&str>| {
        value["where"] = json!(place);
        if let Some(point) = point {
            value["point"] = json!(point);
        }
        value
    };
    let edits = [
        edit("1", "insert", "/topology=b", tag("b")),
        edit("2", "insert", "/topology=a", with(tag("a"), "first", None)),
        edit(
            "3",
            "insert",
            "/topology=d",
            with(tag("d"), "after", Some("/topology=b")),
        ),
        edit(
            "4",
            "insert",
            "/topology=c",
            with(tag("c"), "before", Some("/topology=d")),
        ),
        edit("5", "move", "/topology=a", with(json!({}), "last", None)),
    ];
    let metadata = format!("{SESSIONS}/session=s/metadata");
    api.patch(&metadata, patch(&edits)).await.has_status(200);
    let found = api.get(&metadata).await.ok();
    assert_eq!(
        found["Accedian-session:metadata"]["topology"],
        json!(["b", "c", "d", "a"])
    );
    let lost = edit(
        "1",
        "move",
        "/topology=a",
        with(json!({}), "after", Some("/topology=x")),
    );
    failed(
        &api.patch(&metadata, patch(&[lost])).await,
        400,
        "1",
        "invalid-value",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_that_is_none_is_refused() {
    let gateway = Gateway::start().await;
    let api = patcher(&gateway);
    api.patch(ENDPOINTS, json!({}))
        .await
        .is(400, "malformed-message");
    let no_id = json!({ "ietf-yang-patch:yang-patch": { "edit": [] } });
    api.patch(ENDPOINTS, no_id).await.is(400, "missing-element");
    let twice = patch(&[
        edit("1", "delete", "/service-endpoint=a", json!({})),
        edit("1", "delete", "/service-endpoint=a", json!({})),
    ]);
    api.patch(ENDPOINTS, twice).await.is(400, "invalid-value");
    let stale = patcher(&gateway).with("If-Match", "\"other\"");
    let edits = patch(&[edit(
        "1",
        "create",
        "/service-endpoint=a",
        endpoint("a", "x"),
    )]);
    stale
        .patch(ENDPOINTS, edits)
        .await
        .is(412, "operation-failed");
}

/// Longer than what is searched without an index, and more edits than are made where they are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn many_edits_of_a_long_list_are_made_in_order() {
    let gateway = Gateway::start().await;
    let ids: Vec<String> = (0..600).map(|number| format!("e{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (old, new) = ids.split_at(300);
    let api = Api::admin(&gateway);
    let endpoints = super::endpoints(&ids);
    let all = json!({ "Accedian-service-endpoint:service-endpoints": {
        "service-endpoint": endpoints["Accedian-service-endpoint:service-endpoint"],
    }});
    let answer = api.put(ENDPOINTS, all).await;
    assert!(matches!(answer.status, 201 | 204), "{}", answer.body);
    let own = |ids: &[&str]| -> Vec<Value> {
        ids.iter().map(|id| json!({ "endpoint-id": id })).collect()
    };
    let session = json!({ "Accedian-session:session": [{
        "session-id": "s", "session-type": "Accedian-session-type:echo",
        "service-endpoints": own(old),
    }]});
    api.made(SESSIONS, session).await;
    let at = |id: &str| format!("/session=s/service-endpoints={id}");
    let value = |id: &str| json!({ "value": { "Accedian-session:service-endpoints": own(&[id]) } });
    let mut edits = Vec::new();
    for (old, new) in old.iter().zip(new) {
        edits.push(edit(old, "delete", &at(old), json!({})));
        edits.push(edit(new, "create", &at(new), value(new)));
    }
    let patching = patcher(&gateway);
    let answer = patching.patch(SESSIONS, patch(&edits)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let shown = async || {
        let answer = api.get(&format!("{SESSIONS}/session=s")).await;
        answer.ok()["Accedian-session:session"][0]["service-endpoints"].clone()
    };
    assert_eq!(shown().await, json!(own(new)));

    // The last of many is wrong: none is made, and it is named.
    let deletes = new.iter().map(|id| edit(id, "delete", &at(id), json!({})));
    let mut edits: Vec<_> = deletes.take(100).collect();
    edits.push(edit("again", "delete", &at(new[0]), json!({})));
    let answer = patching.patch(SESSIONS, patch(&edits)).await;
    failed(&answer, 409, "again", "data-missing");
    assert_eq!(shown().await, json!(own(new)));
}
