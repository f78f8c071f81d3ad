//! POST, PUT, PATCH and DELETE.

use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::POLICIES;
use super::SESSIONS;
use super::endpoints;
use super::session;
use crate::gateway::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn post_creates_once_and_tells_where() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let policy = json!({ "Accedian-alert:alert-policy": [{
        "policy-id": "a/b,c", "policy-type": "Accedian-alert-type:metric",
        "policy": { "Accedian-alert-metric:metric-policy": { "conditions": [{
            "condition-id": "1", "metric-type": "delay-avg", "triggers-on": { "threshold": "1.5" },
        }]}},
    }]});
    let made = api.post(POLICIES, policy.clone()).await;
    made.has_status(201);
    let location = made.header("location").unwrap();
    assert_eq!(location, format!("{POLICIES}/alert-policy=a%2Fb%2Cc"));
    let found = api.get(location).await.ok();
    assert_eq!(found, policy);
    api.post(POLICIES, policy).await.is(409, "data-exists");
    api.post(POLICIES, json!({}))
        .await
        .is(400, "malformed-message");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_entries_are_created_all_or_none() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a", "b"])).await;
    api.post(ENDPOINTS, endpoints(&["c", "a"]))
        .await
        .is(409, "data-exists");
    api.get(&format!("{ENDPOINTS}/service-endpoint=c"))
        .await
        .is(404, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn put_creates_then_replaces() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = format!("{ENDPOINTS}/service-endpoint=a");
    let entry = |more: serde_json::Value| {
        let mut entry = json!({ "endpoint-id": "a" });
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "Accedian-service-endpoint:service-endpoint": [entry] })
    };
    api.put(&path, entry(json!({ "description": "x" })))
        .await
        .has_status(201);
    api.put(&path, entry(json!({ "group-id": "g" })))
        .await
        .has_status(204);
    assert_eq!(api.get(&path).await.ok(), entry(json!({ "group-id": "g" })));
    let other = format!("{ENDPOINTS}/service-endpoint=b");
    api.put(&other, entry(json!({})))
        .await
        .is(400, "invalid-value");
    let leaf = format!("{path}/description");
    let body = json!({ "Accedian-service-endpoint:description": "y" });
    api.put(&leaf, body.clone()).await.has_status(201);
    api.put(&leaf, body.clone()).await.has_status(204);
    assert_eq!(api.get(&leaf).await.ok(), body);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_on_the_datastore_replaces_everything() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let all = json!({ "ietf-restconf:data": {
        "Accedian-service-endpoint:service-endpoints": { "service-endpoint": [{ "endpoint-id": "z" }] },
    }});
    api.put("/restconf/data", all.clone()).await.has_status(204);
    let config = api.get("/restconf/data?content=config").await.ok();
    assert_eq!(config, all);
    let dangling = json!({ "ietf-restconf:data": {
        "Accedian-session:sessions": { "session": [session("s")] },
    }});
    api.put("/restconf/data", dangling)
        .await
        .is(409, "data-missing");
    assert_eq!(api.get("/restconf/data?content=config").await.ok(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_merges_into_what_is_there() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let path = format!("{SESSIONS}/session=s");
    let body = json!({ "Accedian-session:session": [{
        "session-id": "s", "description": "d",
        "service-endpoints": [{ "endpoint-id": "a", "session-protocol": {
            "Accedian-session-twamp-light:twamp-light": { "session-sender": { "report-interval": 60 } },
        }}],
    }]});
    api.patch(&path, body).await.has_status(204);
    let found = api.get(&format!("{path}?content=config")).await.ok();
    let mut expected = session("s");
    expected["description"] = json!("d");
    let sender = &mut expected["service-endpoints"][0]["session-protocol"]["Accedian-session-twamp-light:twamp-light"]
        ["session-sender"];
    sender["report-interval"] = json!(60);
    assert_eq!(found, json!({ "Accedian-session:session": [expected] }));
    let absent = json!({ "Accedian-session:session": [{ "session-id": "x" }] });
    api.patch(&format!("{SESSIONS}/session=x"), absent)
        .await
        .is(404, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_patch_of_the_datastore_gathers_many_edits() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let body = json!({ "ietf-restconf:data": {
        "Accedian-session:sessions": { "session": [session("s")] },
        "Accedian-service-endpoint:service-endpoints": {
            "service-endpoint": [{ "endpoint-id": "a" }, { "endpoint-id": "b" }],
        },
    }});
    api.patch("/restconf/data", body).await.has_status(204);
    api.get(&format!("{SESSIONS}/session=s"))
        .await
        .has_status(200);
    let broken = json!({ "ietf-restconf:data": {
        "Accedian-service-endpoint:service-endpoints": { "service-endpoint": [{ "endpoint-id": "c" }] },
        "Accedian-session:sessions": { "session": [{ "session-id": "t" }] },
    }});
    api.patch("/restconf/data", broken)
        .await
        .is(400, "missing-element");
    api.get(&format!("{ENDPOINTS}/service-endpoint=c"))
        .await
        .is(404, "invalid-value");
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_spares_what_is_referred_to() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let endpoint = format!("{ENDPOINTS}/service-endpoint=a");
    let used = api.delete(&endpoint).await;
    used.is(409, "in-use");
    assert_eq!(
        used.error()["error-path"],
        "/Accedian-session:sessions/session[session-id='s']/service-endpoints[endpoint-id='a']/endpoint-id"
    );
    api.delete(&format!("{SESSIONS}/session=s"))
        .await
        .has_status(204);
    api.delete(&endpoint).await.has_status(204);
    api.delete(&endpoint).await.is(409, "data-missing");
    api.delete("/restconf/data")
        .await
        .is(405, "operation-not-supported");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_user_ordered_lists_go_where_they_are_put() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with_session().await;
    let metadata = format!("{SESSIONS}/session=s/metadata");
    let topology = |tag: &str| json!({ "Accedian-session:topology": [tag] });
    let point = |tag: &str| {
        format!("%2FAccedian-session%3Asessions%2Fsession%3Ds%2Fmetadata%2Ftopology%3D{tag}")
    };
    for (tag, insert) in [
        ("m", String::new()),
        ("z", "?insert=last".to_owned()),
        ("a", "?insert=first".to_owned()),
        ("l", format!("?insert=before&point={}", point("m"))),
        ("n", format!("?insert=after&point={}", point("m"))),
    ] {
        api.post(&format!("{metadata}{insert}"), topology(tag))
            .await
            .has_status(201);
    }
    let found = api.get(&format!("{metadata}/topology")).await.ok();
    assert_eq!(
        found["Accedian-session:topology"],
        json!(["a", "l", "m", "n", "z"])
    );
    for query in [
        "?insert=before".to_owned(),
        "?insert=middle".to_owned(),
        format!("?insert=first&point={}", point("m")),
        format!("?insert=after&point={}", point("nobody")),
        "?insert=after&point=%2FAccedian-session%3Asessions".to_owned(),
    ] {
        let refused = api.post(&format!("{metadata}{query}"), topology("x")).await;
        refused.is(400, "invalid-value");
    }
    let unordered = api
        .post(&format!("{ENDPOINTS}?insert=first"), endpoints(&["c"]))
        .await;
    unordered.is(400, "invalid-value");
    api.delete(&format!("{metadata}/topology=m"))
        .await
        .has_status(204);
    let entry = api.get(&format!("{metadata}/topology=n")).await.ok();
    assert_eq!(entry["Accedian-session:topology"], json!(["n"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_goes_in_and_out_as_json_does() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let xml = Api::admin(&gateway).xml();
    let endpoint = "<service-endpoint xmlns=\"http://accedian.com/ns/yang/service/endpoint\">\
                    <endpoint-id>a</endpoint-id><description>x &lt; y</description></service-endpoint>";
    let made = xml.send("POST", ENDPOINTS, endpoint.as_bytes()).await;
    made.has_status(201);
    let path = format!("{ENDPOINTS}/service-endpoint=a");
    let found = api.get(&path).await.ok();
    assert_eq!(
        found["Accedian-service-endpoint:service-endpoint"][0]["description"],
        "x < y"
    );
    assert_eq!(xml.get(&path).await.ok(), json!(endpoint));
    let whole = xml.get(ENDPOINTS).await.ok();
    let whole = whole.as_str().unwrap();
    assert!(
        whole.starts_with("<service-endpoints xmlns=") && whole.contains(endpoint),
        "{whole}"
    );
    let all = xml.get("/restconf/data?content=config").await.ok();
    assert!(all.as_str().unwrap().starts_with("<data xmlns="), "{all}");
    let put = xml
        .send("PUT", "/restconf/data", all.as_str().unwrap().as_bytes())
        .await;
    put.has_status(204);
    assert_eq!(xml.get(&path).await.ok(), json!(endpoint));
    let broken = xml.send("POST", ENDPOINTS, b"<service-endpoint>").await;
    assert_eq!(broken.status, 400);
    let text = broken.body.as_str().unwrap();
    assert!(
        text.starts_with("<errors xmlns=\"urn:ietf:params:xml:ns:yang:ietf-restconf\">"),
        "{text}"
    );
    let list = xml.get(&format!("{ENDPOINTS}/service-endpoint")).await;
    assert_eq!(list.status, 400);
}
