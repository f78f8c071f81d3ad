//! The endpoints, as the vendor documents them and beyond.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tonic::Code;

use super::Api;
use super::ROOT;
use super::UNTIL;
use super::account;
use super::text;
use crate::client::on_change;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

#[tokio::test(flavor = "multi_thread")]
async fn seed_commands_work_as_printed() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let body = br#"{
    "username": "streamer-export",
    "name": "Streamer Export",
    "accessTokenType": "Bearer",
    "description": "Used by analytics streamer for gNMI export",
    "expirationDate": "2026-12-31T23:59:59Z"
  }"#;
    let path = format!("{ROOT}?withPAT=true&roles=tenant-admin");
    let answer = api.send("POST", &path, body).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let made = answer.created();
    assert_eq!(made["username"], "streamer-export");
    assert_eq!(made["name"], "Streamer Export");
    assert_eq!(made["roles"], json!(["tenant-admin"]));
    assert_eq!(made["expirationDate"], UNTIL);
    let (id, token) = (text(&made["machineUserId"]), text(&made["pat"]));
    assert!(matches!(id.len(), 18 | 19), "{id}");

    // The token is good on this API and on gNMI.
    Api::new(&gateway, &token)
        .get(&format!("{ROOT}/self"))
        .await
        .ok();
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;

    let second = api.new_pat(&format!("{ROOT}/{id}")).await;
    let json_api = Api::admin(&gateway)
        .without("Content-Type")
        .with("Content-Type", "application/vnd.api+json");
    let path = format!("{ROOT}/{id}/pat/search?page=1&pageSize=25");
    let listed = json_api.send("POST", &path, b"").await.ok();
    assert_eq!(listed["meta"]["count"], 2);
    let first = text(&made["credentialId"]);
    for entry in listed["data"].as_array().unwrap() {
        assert_eq!(entry["type"], "personalAccessTokens");
        assert_eq!(entry["attributes"]["expirationDate"], UNTIL);
        assert!([&first, &second.0].contains(&&text(&entry["id"])));
    }
    assert!(!listed.to_string().contains("tgpat_"), "{listed}");
    let entry = &listed["data"][0];
    let linked = api.get(entry["links"]["self"].as_str().unwrap()).await.ok();
    assert_eq!(linked["credentialId"], entry["id"]);

    let path = format!("{ROOT}/search?page=1&pageSize=25");
    let body = br#"{"data": {"attributes": {"username": { "value": "streamer-export" }}}}"#;
    let found = json_api.send("POST", &path, body).await.ok();
    assert_eq!(found["data"][0]["id"], id);
    assert_eq!(found["data"][0]["attributes"]["patCount"], 2);

    let plain = Api::admin(&gateway).without("Content-Type");
    let path = format!("{ROOT}/{id}");
    let body =
        json!({ "name": "Streamer Export (Production)", "description": "Updated description" });
    let changed = api.patch(&path, body).await.ok();
    assert_eq!(changed["name"], "Streamer Export (Production)");
    assert_eq!(
        plain.get(&path).await.ok()["description"],
        "Updated description"
    );

    let path = format!("{ROOT}/{id}/pat/{first}");
    let gone = plain.delete(&path).await.ok();
    assert_eq!(gone["credentialId"], first);
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    plain.delete(&path).await.is(404, "not_found");
    Api::new(&gateway, &token)
        .get(&format!("{ROOT}/{id}"))
        .await
        .is(401, "invalid_token");
    let gone = plain.delete(&format!("{ROOT}/{id}")).await.ok();
    assert_eq!(gone["revokedPats"], 1);
    Api::new(&gateway, &second.1)
        .get(&format!("{ROOT}/self"))
        .await
        .is(401, "invalid_token");
    plain
        .get(&format!("{ROOT}/{id}"))
        .await
        .is(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn account_without_token_has_no_pat_member() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let mut body = account("quiet");
    body["expirationDate"] = json!("not even a time");
    let made = api.post(ROOT, body).await.created();
    assert!(made.get("pat").is_none(), "{made}");
    assert_eq!(made["description"], "");
    let read = api
        .get(&format!("{ROOT}/{}", text(&made["machineUserId"])))
        .await
        .ok();
    assert_eq!(read["patCount"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_lets_the_old_token_hold_on_for_the_overlap() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("rotating").await;
    let (old, old_token) = api.new_pat(&path).await;
    let client = gateway.anonymous().await.bearer(&old_token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;

    let rotate = format!("{path}/pat/{old}/rotate");
    let body = json!({ "overlapSeconds": 60, "expirationDate": UNTIL });
    let made = api.post(&rotate, body).await.created();
    assert_eq!(made["replaces"], old);
    assert_eq!(made["replacedExpirationDate"], "2026-06-01T12:01:00Z");
    let new_token = text(&made["pat"]);
    gateway.pass(Duration::from_secs(59));
    for token in [&old_token, &new_token] {
        Api::new(&gateway, token)
            .get(&format!("{ROOT}/self"))
            .await
            .ok();
    }
    assert_eq!(gateway.live_sessions(), 1);
    gateway.pass(Duration::from_secs(1));
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    Api::new(&gateway, &old_token)
        .get(&format!("{ROOT}/self"))
        .await
        .is(403, "token_expired");

    // Without overlap the old one is gone at once, and an old one cannot be rotated again.
    let new = text(&made["credentialId"]);
    let rotate_new = format!("{path}/pat/{new}/rotate");
    let third = api
        .post(&rotate_new, json!({ "overlapSeconds": 0 }))
        .await
        .created();
    assert_eq!(third["expirationDate"], "2027-01-01T00:00:59Z");
    Api::new(&gateway, &new_token)
        .get(&format!("{ROOT}/self"))
        .await
        .is(401, "invalid_token");
    api.post(&rotate_new, json!({})).await.is(404, "not_found");
    api.post(&rotate, json!({})).await.is(404, "not_found");
    let last = text(&third["credentialId"]);
    let too_long = json!({ "overlapSeconds": 604_801 });
    api.post(&format!("{path}/pat/{last}/rotate"), too_long)
        .await
        .is(400, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_disabled_enabled_and_emptied() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("switched").await;
    let (_, token) = api.new_pat(&path).await;
    let own = Api::new(&gateway, &token);
    let myself = format!("{ROOT}/self");
    assert_eq!(own.get(&myself).await.ok()["username"], "switched");

    let disabled = api.post(&format!("{path}/disable"), json!({})).await.ok();
    assert_eq!(disabled["state"], "disabled");
    own.get(&myself).await.is(401, "account_disabled");
    let enabled = api.send("POST", &format!("{path}/enable"), b"").await.ok();
    assert_eq!(enabled["state"], "active");
    own.get(&myself).await.ok();

    let body = json!({ "roles": ["service-account-manager"] });
    let changed = api.put(&format!("{path}/roles"), body).await.ok();
    assert_eq!(changed["roles"], json!(["service-account-manager"]));
    assert_eq!(
        own.get(&myself).await.ok()["roles"],
        json!(["service-account-manager"])
    );
    for wrong in [
        json!({}),
        json!({ "roles": [] }),
        json!({ "roles": ["tenant-user"] }),
    ] {
        api.put(&format!("{path}/roles"), wrong)
            .await
            .is(400, "invalid_role");
    }

    api.new_pat(&path).await;
    let emptied = api
        .send("POST", &format!("{path}/pat/revoke-all"), b"")
        .await
        .ok();
    assert_eq!(emptied["revokedPats"], 2);
    own.get(&myself).await.is(401, "invalid_token");
    let listed = api
        .post(&format!("{path}/pat/search"), json!({}))
        .await
        .ok();
    assert_eq!(listed["data"], json!([]));
    let state = json!({ "data": { "attributes": { "state": { "value": "revoked" } } } });
    let listed = api.post(&format!("{path}/pat/search"), state).await.ok();
    assert_eq!(listed["meta"]["count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_filters_sorts_and_pages() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for (name, second) in [("delta", 1), ("Alpha", 2), ("charlie", 3), ("bravo", 4)] {
        gateway.pass(Duration::from_secs(1));
        let path = api.new_account(name).await;
        let expires = format!("2026-07-01T00:00:0{second}Z");
        let body = json!({ "expirationDate": expires });
        api.post(&format!("{path}/pat"), body).await.created();
    }
    let names = |found: &Value| -> Vec<String> {
        let data = found["data"].as_array().unwrap();
        data.iter()
            .map(|entry| text(&entry["attributes"]["username"]))
            .collect()
    };
    let search = format!("{ROOT}/search");
    let all = api.send("POST", &search, b"").await.ok();
    assert_eq!(
        names(&all),
        ["bravo", "charlie", "Alpha", "delta", "exporter"]
    );
    for empty in [
        json!({}),
        json!({ "data": {} }),
        json!({ "data": { "attributes": {} } }),
    ] {
        assert_eq!(api.post(&search, empty).await.ok()["meta"]["count"], 5);
    }

    let second = format!("{search}?sort=username&pageSize=2&page=2");
    let sorted = api.post(&second, json!({})).await.ok();
    assert_eq!(names(&sorted), ["charlie", "delta"]);
    let links = &sorted["links"];
    let page = |number: u8| format!("{search}?page={number}&pageSize=2&sort=username");
    assert_eq!(links["self"], page(2));
    assert_eq!(links["first"], page(1));
    assert_eq!(links["prev"], page(1));
    assert_eq!(links["next"], page(3));
    assert_eq!(links["last"], page(3));
    let meta = json!({ "number": 2, "size": 2, "totalPages": 3, "totalElements": 5 });
    assert_eq!(sorted["meta"]["page"], meta);
    assert_eq!(sorted["jsonapi"]["version"], "1.1");
    let beyond = api
        .post(&format!("{search}?page=9&pageSize=2"), json!({}))
        .await
        .ok();
    assert_eq!(
        (&beyond["data"], &beyond["links"]["next"]),
        (&json!([]), &Value::Null)
    );
    let soonest = api
        .post(&format!("{search}?sort=expirationDate"), json!({}))
        .await
        .ok();
    assert_eq!(
        names(&soonest),
        ["delta", "Alpha", "charlie", "bravo", "exporter"]
    );

    for (filter, expected) in [
        (json!({ "username": { "value": "ALPHA" } }), vec!["Alpha"]),
        (
            json!({ "username": { "value": ["alpha", "bravo"], "op": "in" } }),
            vec!["bravo", "Alpha"],
        ),
        (
            json!({ "name": { "value": "ha", "op": "contains" } }),
            vec!["charlie", "Alpha"],
        ),
        (
            json!({ "username": { "value": "%", "op": "contains" } }),
            vec![],
        ),
        (
            json!({ "name": { "value": "br", "op": "startsWith" } }),
            vec!["bravo"],
        ),
        (json!({ "role": { "value": "skylight-admin" } }), vec![]),
        (json!({ "state": { "value": "disabled" } }), vec![]),
        (
            json!({ "expiresBefore": { "value": "2026-07-01T00:00:02Z" } }),
            vec!["delta"],
        ),
        (
            json!({ "createdAfter": { "value": "2026-06-01T12:00:03+00:00" } }),
            vec!["bravo"],
        ),
        (
            json!({ "name": { "value": "a", "op": "contains" }, "username": { "value": "delta" } }),
            vec!["delta"],
        ),
    ] {
        let body = json!({ "data": { "attributes": filter } });
        let found = api.post(&search, body).await.ok();
        assert_eq!(names(&found), expected, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn creation_that_is_sent_again_with_its_key_is_not_made_again() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with("Idempotency-Key", "a1");
    let query = format!("{ROOT}?withPAT=true");
    let mut body = account("streamer");
    body["expirationDate"] = UNTIL.into();
    let first = api.post(&query, body.clone()).await.created();
    let again = api.post(&query, body.clone()).await.created();
    assert_eq!(again["machineUserId"], first["machineUserId"]);
    assert_eq!(again["credentialId"], first["credentialId"]);
    assert_eq!(
        (&again["pat"], &again["code"]),
        (&json!(null), &json!("idempotent_replay"))
    );
    body["name"] = "other".into();
    let other = api.post(&query, body.clone()).await;
    other.is(422, "idempotency_key_reused");

    // Another page and another caller have keys of their own.
    let path = format!("{ROOT}/{}/pat", text(&first["machineUserId"]));
    let pat = json!({ "expirationDate": UNTIL });
    let made = api.post(&path, pat.clone()).await.created();
    let again = api.post(&path, pat.clone()).await.created();
    assert_eq!(again["credentialId"], made["credentialId"]);
    assert!(made["pat"].is_string() && again["pat"].is_null());
    let token = gateway.token_of(TENANT, "tenant-admin").await;
    let stranger = Api::new(&gateway, &token).with("Idempotency-Key", "a1");
    let own = stranger.post(&path, pat).await.created();
    assert_ne!(own["credentialId"], made["credentialId"]);

    // What has failed may be tried again.
    let api = Api::admin(&gateway).with("Idempotency-Key", "a2");
    api.post(ROOT, account("streamer"))
        .await
        .is(409, "username_conflict");
    api.delete(&format!("{ROOT}/{}", text(&first["machineUserId"])))
        .await
        .ok();
    api.post(ROOT, account("streamer")).await.created();
    let odd = Api::admin(&gateway).with("Idempotency-Key", &"x".repeat(256));
    odd.post(ROOT, account("odd"))
        .await
        .is(400, "invalid_header");
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_tokens_are_held_to_their_rates() {
    let gateway = Gateway::start_with(|settings| {
        let throttle = &mut settings.iam.throttle;
        throttle.writes_per_second = 3.try_into().unwrap();
        throttle.pats_per_minute = 2.try_into().unwrap();
    })
    .await;
    let api = Api::admin(&gateway);
    let path = api.new_account("one").await;
    for name in ["two", "three"] {
        api.post(ROOT, account(name)).await.created();
    }
    let refused = api.post(ROOT, account("four")).await;
    refused.is(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Reads are free, and so are other writers, on either port.
    api.get(&path).await.ok();
    api.post(&format!("{ROOT}/search"), json!({})).await.ok();
    let token = gateway.token_of(TENANT, "tenant-admin").await;
    let other = Api::new(&gateway, &token);
    for _ in 0..2 {
        other.new_pat(&path).await;
    }
    let pat = json!({ "expirationDate": UNTIL });
    let refused = other.post(&format!("{path}/pat"), pat.clone()).await;
    refused.is(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("30"));
    gateway.pass(Duration::from_secs(31));
    other.post(&format!("{path}/pat"), pat).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_warn_in_the_last_week_of_a_token() {
    let gateway = Gateway::start().await;
    for (days, warns) in [(8, false), (6, true)] {
        let ttl = Some(Duration::from_hours(24 * days));
        let (token, _) = gateway.new_token(TENANT, "tenant-admin", ttl).await;
        let answer = Api::new(&gateway, &token)
            .get(&format!("{ROOT}/self"))
            .await;
        let expires = answer.header("x-token-expires-at").unwrap();
        let warning = format!("299 tollgate \"token expires at {expires}\"");
        assert_eq!(
            answer.header("warning"),
            warns.then_some(&*warning),
            "{days}"
        );
    }
}
