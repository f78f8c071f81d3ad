//! What is refused, and with which words.

use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::SESSIONS;
use super::endpoints;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

#[tokio::test(flavor = "multi_thread")]
async fn roles_decide_who_reads_and_who_writes() {
    let gateway = Gateway::start().await;
    for (role, reads, writes) in [
        ("tenant-admin", 200, 201),
        ("tenant-contributor", 200, 201),
        ("tenant-user", 200, 403),
        ("tenant-portal", 403, 403),
        ("service-account-manager", 403, 403),
    ] {
        let token = gateway.token_of(TENANT, role).await;
        let api = Api::new(&gateway, &token);
        assert_eq!(api.get("/restconf/data").await.status, reads, "{role}");
        let made = api.post(ENDPOINTS, endpoints(&[role])).await;
        assert_eq!(made.status, writes, "{role}");
        if writes == 403 {
            made.is(403, "access-denied");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_is_denied_every_change() {
    let gateway = Gateway::start().await;
    let admin = Api::admin(&gateway).with_session().await;
    let token = gateway.token_of(TENANT, "tenant-user").await;
    let before = admin.get("/restconf/data").await;
    let session = format!("{SESSIONS}/session=s");
    let start = format!("{session}/start");
    let operation = "/restconf/operations/Accedian-session:force-delete";
    for (method, path) in [
        ("POST", SESSIONS),
        ("PUT", &session),
        ("PATCH", &session),
        ("DELETE", &session),
        ("POST", &start),
        ("POST", operation),
        ("PUT", "/restconf/ds/ietf-datastores:running"),
        // Whether it is there does not matter, nor whether the body is right.
        ("DELETE", "/restconf/data/nothing:here"),
    ] {
        let reader = Api::new(&gateway, &token);
        reader
            .send(method, path, b"{")
            .await
            .is(403, "access-denied");
        let patch = Api::new(&gateway, &token)
            .without("Content-Type")
            .with("Content-Type", "application/yang-patch+xml");
        let patched = patch.send("PATCH", SESSIONS, b"").await;
        assert_eq!(patched.status, 403);
        assert!(patched.body.as_str().unwrap().contains("access-denied"));
    }
    let reader = Api::new(&gateway, &token);
    reader.get(&session).await.has_status(200);
    reader.send("OPTIONS", &session, b"").await.has_status(204);
    let after = admin.get("/restconf/data").await;
    assert_eq!(after.header("etag"), before.header("etag"));
    assert_eq!(after.body, before.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_see_each_other() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let token = gateway.token_of("other", "tenant-admin").await;
    let other = Api::new(&gateway, &token);
    other
        .get(&format!("{ENDPOINTS}/service-endpoint=a"))
        .await
        .is(404, "invalid-value");
    let foreign = Api::new(&gateway, &token).with("X-Forwarded-Tenant-Id", TENANT);
    foreign.get(ENDPOINTS).await.is(403, "access-denied");
    other.made(ENDPOINTS, endpoints(&["a"])).await;
    api.delete(&format!("{ENDPOINTS}/service-endpoint=a"))
        .await
        .has_status(204);
    other
        .get(&format!("{ENDPOINTS}/service-endpoint=a"))
        .await
        .has_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_comes_before_everything_else() {
    let gateway = Gateway::start().await;
    let nobody = Api::bare(&gateway);
    let missing = nobody.get("/restconf/data/nothing").await;
    missing.is(401, "access-denied");
    assert_eq!(
        missing.header("www-authenticate"),
        Some("Bearer realm=\"tollgate\"")
    );
    let unknown = Api::new(&gateway, &gateway.unknown_token());
    let refused = unknown.send("POST", ENDPOINTS, b"not json").await;
    refused.is(401, "access-denied");
    assert!(!refused.body.to_string().contains(&gateway.unknown_token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn media_types_are_negotiated() {
    let gateway = Gateway::start().await;
    let admin = || Api::admin(&gateway).without("Content-Type");
    for (accept, status, media) in [
        (
            "application/yang-data+json",
            200,
            "application/yang-data+json",
        ),
        ("*/*", 200, "application/yang-data+json"),
        ("application/json", 200, "application/json"),
        (
            "application/yang-data+json;q=0.2, application/yang-data+xml",
            200,
            "application/yang-data+xml",
        ),
        ("text/html", 406, "application/yang-data+json"),
    ] {
        let answer = admin().with("Accept", accept).get(ENDPOINTS).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some(media)),
            "{accept}"
        );
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
    }
    for (media, status) in [
        ("", 415),
        ("text/plain", 415),
        ("application/json", 201),
        ("application/yang-data+json; charset=utf-8", 201),
    ] {
        let api = if media.is_empty() {
            admin()
        } else {
            admin().with("Content-Type", media)
        };
        let id = format!("e{}", media.len());
        let answer = api.post(ENDPOINTS, endpoints(&[id.as_str()])).await;
        assert_eq!(answer.status, status, "{media}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_lead_nowhere_are_refused() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for (path, status) in [
        (format!("{ENDPOINTS}/service-endpoint=x"), 404),
        (format!("{ENDPOINTS}/service-endpoint=x,y"), 400),
        (format!("{ENDPOINTS}/nothing"), 404),
        ("/restconf/data/nothing:at-all".to_owned(), 404),
        ("/restconf/data/service-endpoints".to_owned(), 404),
        (format!("{ENDPOINTS}/service-endpoint=%00"), 400),
        (format!("{ENDPOINTS}/../x"), 404),
        (format!("{ENDPOINTS}/service-endpoint"), 404),
        (format!("/restconf/data/{}", "x".repeat(9_000)), 414),
    ] {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        answer.error();
    }
    let empty = api.get(ENDPOINTS).await.ok();
    assert_eq!(
        empty,
        json!({ "Accedian-service-endpoint:service-endpoints": {} })
    );
    api.send("TRACE", ENDPOINTS, b"")
        .await
        .is(405, "operation-not-supported");
    let wrong = api.delete(&format!("{SESSIONS}/session=s/status")).await;
    wrong.is(405, "operation-not-supported");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_change_nothing() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let entry = |inside: &str| {
        format!(
            "{{\"Accedian-service-endpoint:service-endpoint\":[{{\"endpoint-id\":\"a\",{inside}}}]}}"
        )
    };
    let deep = format!("{}{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    for (body, status) in [
        (deep.into_bytes(), 400),
        (b"{\"a\":\"\0\"}".to_vec(), 400),
        (b"\xef\xbb\xbf{}".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (entry("\"description\":\"\\ud800\"").into_bytes(), 400),
        (entry("\"description\":\"\\u0000\"").into_bytes(), 400),
        (
            entry("\"description\":\"a\",\"description\":\"b\"").into_bytes(),
            400,
        ),
        (entry("\"description\":1").into_bytes(), 400),
        (entry("\"@description\":{\"x:y\":1}").into_bytes(), 400),
        (
            entry("\"description\":\"a\"}],\"x\":[{\"b\":1").into_bytes(),
            400,
        ),
        (vec![b'['; 100], 400),
        (vec![b' '; 5 << 20], 413),
    ] {
        let answer = api.send("POST", ENDPOINTS, &body).await;
        assert_eq!(
            answer.status,
            status,
            "{:?}: {}",
            String::from_utf8_lossy(&body[..body.len().min(80)]),
            answer.body
        );
        answer.error();
    }
    let smuggled = "POST /restconf/data HTTP/1.1\r\nhost: gw\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = gateway.exchange(smuggled.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let empty = api.get(ENDPOINTS).await.ok();
    assert_eq!(
        empty,
        json!({ "Accedian-service-endpoint:service-endpoints": {} })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_documents_in_the_clients_format() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.made(ENDPOINTS, endpoints(&["a"])).await;
    let named = |id: &str| json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": id, "endpoint-name": "n" }] });
    api.made(ENDPOINTS, named("b")).await;
    let twice = api.post(ENDPOINTS, named("c")).await;
    twice.is(412, "operation-failed");
    assert_eq!(twice.error()["error-app-tag"], "data-not-unique");
    let dangling = json!({ "Accedian-session:session": [{ "session-id": "s", "session-type": "Accedian-session-type:echo", "service-endpoints": [{ "endpoint-id": "x" }] }] });
    let dangling = api.post(SESSIONS, dangling).await;
    dangling.is(409, "data-missing");
    assert_eq!(dangling.error()["error-app-tag"], "instance-required");
    assert_eq!(dangling.error()["error-type"], "application");
    let path = "/Accedian-session:sessions/session[session-id='s']/service-endpoints[endpoint-id='x']/endpoint-id";
    assert_eq!(dangling.error()["error-path"], path);
    let place = json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": "d", "geo-location": { "latitude": "1.0" } }] });
    let place = api.post(ENDPOINTS, place).await;
    place.is(412, "operation-failed");
    assert_eq!(place.error()["error-message"], "latitude needs longitude.");
    assert_eq!(place.error()["error-app-tag"], "must-violation");
    let xml = Api::admin(&gateway).xml();
    let refused = xml.delete(&format!("{ENDPOINTS}/service-endpoint=x")).await;
    let text = refused.body.as_str().unwrap();
    assert!(
        text.contains("<error-tag>data-missing</error-tag>"),
        "{text}"
    );
    assert!(
        text.contains("<error-path xmlns:Accedian-service-endpoint="),
        "{text}"
    );
}
