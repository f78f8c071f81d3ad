//! Policy, scopes, lifetimes by name, quotas, and revocation by value, over the wire.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tollgate::iam::Role;

use super::Api;
use super::PASSWORD;
use super::ROOT;
use super::UNTIL;
use super::account;
use super::person;
use super::text;
use crate::client::on_change;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const TENANT_POLICY: &str = "/api/v2/auth/tenant/policy";

/// A caller that sends forms.
fn form<'a>(gateway: &'a Gateway, token: Option<&str>) -> Api<'a> {
    let api = Api::bare(gateway)
        .without("Content-Type")
        .with("Content-Type", "application/x-www-form-urlencoded");
    match token {
        Some(token) => api.with("Authorization", &format!("Bearer {token}")),
        None => api,
    }
}

async fn listed(api: &Api<'_>, path: &str, filter: Value) -> Vec<Value> {
    let body = json!({ "data": { "attributes": filter } });
    let found = api.post(&format!("{path}/pat/search"), body).await.ok();
    let rows = found["data"].as_array().unwrap().iter();
    rows.map(|row| row["attributes"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_policy_is_read_changed_and_obeyed() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let open = json!({
        "tenantId": TENANT,
        "maxPatLifetimeSeconds": null,
        "tokensNotBefore": null,
        "maxPats": null,
        "maxPatsPerAccount": null,
    });
    assert_eq!(api.get(TENANT_POLICY).await.ok(), open);
    assert_eq!(api.patch(TENANT_POLICY, json!({})).await.ok(), open);

    let path = api.new_account("export").await;
    let change = json!({ "maxPatLifetimeSeconds": 86_400, "maxPatsPerAccount": 1 });
    let changed = api.patch(TENANT_POLICY, change).await.ok();
    assert_eq!(changed["maxPatLifetimeSeconds"], 86_400);
    let tokens = format!("{path}/pat");
    let beyond = json!({ "expirationDate": "2026-06-02T12:00:01Z" });
    let answer = api.post(&tokens, beyond).await;
    answer.is(422, "lifetime_exceeds_policy");
    let within = json!({ "expirationDate": "2026-06-02T12:00:00Z" });
    api.post(&tokens, within.clone()).await.created();
    api.post(&tokens, within).await.is(422, "quota_exceeded");
    // The null of JSON lifts a limit, a number sets one, what is not said stays.
    let changed = api
        .patch(TENANT_POLICY, json!({ "maxPatLifetimeSeconds": null }))
        .await
        .ok();
    assert_eq!(changed["maxPatLifetimeSeconds"], Value::Null);
    assert_eq!(changed["maxPatsPerAccount"], 1);

    for (body, pointer) in [
        (json!({ "maxPats": -1 }), "/maxPats"),
        (json!({ "maxPats": 1.5 }), "/maxPats"),
        (json!({ "maxPatsPerAccount": "2" }), "/maxPatsPerAccount"),
        (
            json!({ "maxPatLifetimeSeconds": 1_u64 << 60 }),
            "/maxPatLifetimeSeconds",
        ),
        (
            json!({ "tokensNotBefore": "yesterday" }),
            "/tokensNotBefore",
        ),
        (
            json!({ "tokensNotBefore": "2026-06-01T12:00:01Z" }),
            "/tokensNotBefore",
        ),
    ] {
        let answer = api.patch(TENANT_POLICY, body).await;
        answer.is(400, "invalid_field");
        assert_eq!(answer.pointer(), pointer);
    }
    let short = json!({ "maxPatLifetimeSeconds": 59 });
    api.patch(TENANT_POLICY, short)
        .await
        .is(400, "invalid_field");
    api.post(TENANT_POLICY, json!({}))
        .await
        .is(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_policy_is_for_admins_of_the_tenant() {
    let gateway = Gateway::start().await;
    let change = json!({ "maxPats": 100 });
    for role in Role::ALL {
        let token = gateway.token_of(TENANT, role.as_str()).await;
        let api = Api::new(&gateway, &token);
        let (read, changed) = (
            api.get(TENANT_POLICY).await,
            api.patch(TENANT_POLICY, change.clone()).await,
        );
        if matches!(role, Role::TenantAdmin | Role::SkylightAdmin) {
            read.ok();
            changed.ok();
        } else {
            read.is(403, "insufficient_role");
            changed.is(403, "insufficient_role");
        }
    }
    let foreign = gateway.token_of("other", "tenant-admin").await;
    let api = Api::new(&gateway, &foreign);
    api.patch(TENANT_POLICY, change.clone())
        .await
        .is(403, "tenant_mismatch");
    let sky = gateway.token_of("other", "skylight-admin").await;
    Api::new(&gateway, &sky)
        .patch(TENANT_POLICY, change)
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_before_now_are_void_and_their_streams_end() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("export").await;
    let (_, token) = api.new_pat(&path).await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    gateway.clock.advance(Duration::from_secs(5));
    let (_, newer) = api.new_pat(&path).await;
    let policy = format!("{path}/policy");
    let changed = api
        .patch(&policy, json!({ "tokensNotBefore": "now" }))
        .await
        .ok();
    assert_eq!(changed["tokensNotBefore"], "2026-06-01T12:00:05Z");
    assert_eq!(stream.end().await.code(), tonic::Code::Unauthenticated);
    Api::new(&gateway, &token)
        .get(&format!("{ROOT}/self"))
        .await
        .is(401, "invalid_token");
    Api::new(&gateway, &newer)
        .get(&format!("{ROOT}/self"))
        .await
        .ok();
    // What was shown may be said again; an earlier time may not.
    let again = json!({ "tokensNotBefore": changed["tokensNotBefore"] });
    api.patch(&policy, again).await.ok();
    let earlier = json!({ "tokensNotBefore": "2026-06-01T12:00:04Z" });
    api.patch(&policy, earlier).await.is(400, "invalid_field");
    // For the whole tenant, the caller's own token with it.
    api.patch(TENANT_POLICY, json!({ "tokensNotBefore": "now" }))
        .await
        .ok();
    api.get(TENANT_POLICY).await.is(401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_of_an_account_are_set_and_obeyed() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("export").await;
    let (_, token) = api.new_pat(&path).await;
    let policy = format!("{path}/policy");
    let own = Api::new(&gateway, &token);
    let elsewhere = json!({ "allowedCidrs": ["192.0.2.7/24", "2001:db8::1"] });
    let changed = api.patch(&policy, elsewhere).await.ok();
    assert_eq!(
        changed["allowedCidrs"],
        json!(["192.0.2.0/24", "2001:db8::1/128"])
    );
    assert_eq!(api.get(&policy).await.ok(), changed);
    own.get(&format!("{ROOT}/self"))
        .await
        .is(403, "ip_not_allowed");
    api.patch(&policy, json!({ "allowedCidrs": [] })).await.ok();
    own.get(&format!("{ROOT}/self")).await.ok();
    for wrong in [json!("192.0.2.0/24"), json!(["192.0.2.0/33"]), json!([7])] {
        let answer = api.patch(&policy, json!({ "allowedCidrs": wrong })).await;
        answer.is(400, "invalid_field");
    }
    // A manager has no say over who exceeds it.
    let manager = gateway.token_of(TENANT, "service-account-manager").await;
    let manager = Api::new(&gateway, &manager);
    let answer = manager.patch(&policy, json!({ "allowedCidrs": [] })).await;
    answer.is(403, "role_exceeds_caller");
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_and_networks_are_set_at_issue_and_listed() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let narrow = json!({
        "expirationDate": UNTIL,
        "scopes": ["read-only", "path:/a/b[k=1]", "target:r1", "read-only"],
        "allowedCidrs": ["127.0.0.0/8"],
    });
    let scopes = json!(["read-only", "path:/a/b[k=1]", "target:r1"]);
    let mut body = account("export");
    for (name, value) in narrow.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = api
        .post(&format!("{ROOT}?withPAT=true"), body)
        .await
        .created();
    assert_eq!(
        (&made["scopes"], &made["allowedCidrs"]),
        (&scopes, &json!(["127.0.0.0/8"]))
    );
    let path = format!("{ROOT}/{}", text(&made["machineUserId"]));
    let own = Api::new(&gateway, &text(&made["pat"]));
    assert_eq!(
        own.get(&format!("{ROOT}/self")).await.ok()["scopes"],
        scopes
    );
    // A token that is narrowed manages nobody, whatever its account may.
    own.get(&path).await.is(403, "insufficient_role");

    let second = api.post(&format!("{path}/pat"), narrow).await.created();
    assert_eq!(second["scopes"], scopes);
    let rotate = format!("{path}/pat/{}/rotate", text(&second["credentialId"]));
    let kept = api.post(&rotate, json!({})).await.created();
    assert_eq!(
        (&kept["scopes"], &kept["allowedCidrs"]),
        (&scopes, &json!(["127.0.0.0/8"]))
    );
    let rotate = format!("{path}/pat/{}/rotate", text(&kept["credentialId"]));
    let other = json!({ "scopes": ["read-only"], "allowedCidrs": [] });
    let other = api.post(&rotate, other).await.created();
    assert_eq!(
        (&other["scopes"], &other["allowedCidrs"]),
        (&json!(["read-only"]), &json!([]))
    );
    let found = listed(&api, &path, json!({})).await;
    assert_eq!(found.len(), 4);
    let last = found
        .iter()
        .find(|row| row["credentialId"] == other["credentialId"])
        .unwrap();
    assert_eq!(last["scopes"], json!(["read-only"]));
    assert_eq!(
        last["createdBy"],
        api.get(&format!("{ROOT}/self")).await.ok()["accountId"]
    );

    for (scopes, pointer) in [
        (json!("read-only"), "/scopes"),
        (json!(["read-only", "admin"]), "/scopes/1"),
        (json!(["path:/a/..."]), "/scopes/0"),
        (json!(["target:*"]), "/scopes/0"),
        (json!([null]), "/scopes/0"),
    ] {
        let body = json!({ "expirationDate": UNTIL, "scopes": scopes });
        let answer = api.post(&format!("{path}/pat"), body).await;
        answer.is(400, "invalid_field");
        assert_eq!(answer.pointer(), pointer);
    }
    let many: Vec<String> = (0..33).map(|number| format!("target:r{number}")).collect();
    let body = json!({ "expirationDate": UNTIL, "scopes": many });
    api.post(&format!("{path}/pat"), body)
        .await
        .is(400, "invalid_field");
}

#[tokio::test(flavor = "multi_thread")]
async fn lifetimes_have_names() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("export").await;
    let tokens = format!("{path}/pat");
    for (validity, until) in [
        ("30d", "2026-07-01T12:00:00Z"),
        ("90d", "2026-08-30T12:00:00Z"),
        ("180d", "2026-11-28T12:00:00Z"),
        ("365d", "2027-06-01T12:00:00Z"),
    ] {
        let made = api
            .post(&tokens, json!({ "validity": validity }))
            .await
            .created();
        assert_eq!(made["expirationDate"], until);
    }
    let both = json!({ "validity": "30d", "expirationDate": UNTIL });
    for body in [
        json!({ "validity": "31d" }),
        json!({ "validity": 30 }),
        both,
    ] {
        let answer = api.post(&tokens, body).await;
        answer.is(400, "invalid_field");
        assert_eq!(answer.pointer(), "/validity");
    }
    api.post(&tokens, json!({}))
        .await
        .is(400, "expiration_required");
    // A rotation may name one too; a first token as well.
    let (old, _) = api.new_pat(&path).await;
    let rotated = api
        .post(
            &format!("{tokens}/{old}/rotate"),
            json!({ "validity": "30d" }),
        )
        .await;
    assert_eq!(rotated.created()["expirationDate"], "2026-07-01T12:00:00Z");
    let mut body = account("second");
    body["validity"] = json!("90d");
    let made = api
        .post(&format!("{ROOT}?withPAT=true"), body)
        .await
        .created();
    assert_eq!(made["expirationDate"], "2026-08-30T12:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_tokens_are_found_and_revoked_together() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway).with("User-Agent", "curl/8");
    let path = api.new_account("export").await;
    let (stale, _) = api.new_pat(&path).await;
    let (used, token) = api.new_pat(&path).await;
    gateway.clock.advance(Duration::from_hours(24));
    Api::new(&gateway, &token)
        .with("User-Agent", "exporter/1.2")
        .get(&format!("{ROOT}/self"))
        .await
        .ok();
    let (new, _) = api.new_pat(&path).await;
    gateway.store_uses().await;
    let ids = |rows: &[Value]| -> Vec<String> {
        rows.iter().map(|row| text(&row["credentialId"])).collect()
    };
    let since = json!({ "unusedSince": { "value": "2026-06-01T13:00:00Z" } });
    assert_eq!(ids(&listed(&api, &path, since).await), [stale]);
    let before = json!({ "lastUsedBefore": { "value": "2026-06-03T00:00:00Z" } });
    let found = listed(&api, &path, before).await;
    assert_eq!(ids(&found), [used]);
    let expected = json!([{
        "at": "2026-06-02T12:00:00Z",
        "ip": "127.0.0.1",
        "protocol": "https",
        "client": "exporter/1.2",
    }]);
    assert_eq!(found[0]["lastUses"], expected);
    let accounts = json!({ "unusedSince": { "value": "2026-06-01T13:00:00Z" } });
    let accounts = json!({ "data": { "attributes": accounts } });
    let found = api.post(&format!("{ROOT}/search"), accounts).await.ok();
    assert_eq!(found["meta"]["count"], 0);

    let revoke = format!("{path}/pat/revoke-all");
    let body = json!({ "unusedSince": "2026-06-01T13:00:00Z" });
    assert_eq!(api.post(&revoke, body).await.ok()["revokedPats"], 1);
    let body = json!({ "createdBefore": "2026-06-02T00:00:00Z" });
    assert_eq!(api.post(&revoke, body).await.ok()["revokedPats"], 1);
    assert_eq!(ids(&listed(&api, &path, json!({})).await), [new]);
    let body = json!({ "createdBefore": "2026-06-09T00:00:00Z" });
    api.post(&revoke, body).await.is(400, "invalid_field");
    assert_eq!(api.send("POST", &revoke, b"").await.ok()["revokedPats"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_revoked_by_showing_it() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("export").await;
    let (id, token) = api.new_pat(&path).await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let finder = form(&gateway, None);
    let shown = format!("token={token}&token_type_hint=access_token");
    let answer = finder
        .send("POST", "/oauth2/revoke", shown.as_bytes())
        .await;
    assert_eq!((answer.status, &answer.body), (200, &json!("")));
    assert_eq!(stream.end().await.code(), tonic::Code::Unauthenticated);
    let state = json!({ "state": { "value": "revoked" } });
    assert_eq!(listed(&api, &path, state).await[0]["credentialId"], id);
    let unknown = format!("token={}", gateway.unknown_token());
    for body in [shown.as_str(), unknown.as_str(), "token=", "token=secret"] {
        let answer = finder.send("POST", "/oauth2/revoke", body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{body}");
    }
    let answer = finder
        .send("POST", "/oauth2/revoke", b"token_type_hint=x")
        .await;
    answer.is(400, "missing_field");
    let query = format!("/oauth2/revoke?token={token}");
    finder
        .send("POST", &query, b"token=x")
        .await
        .is(400, "token_in_query");
    // Who says who it is must be that.
    let (_, other) = api.new_pat(&path).await;
    let body = format!("token={other}");
    let revoked = form(&gateway, Some(&token));
    let answer = revoked
        .send("POST", "/oauth2/revoke", body.as_bytes())
        .await;
    answer.is(401, "invalid_token");
    let known = form(&gateway, Some(&gateway.token()));
    let answer = known.send("POST", "/oauth2/revoke", body.as_bytes()).await;
    assert_eq!(answer.status, 200);
    Api::new(&gateway, &other)
        .get(&format!("{ROOT}/self"))
        .await
        .is(401, "invalid_token");
    // A login's session goes the same way.
    person(&gateway, TENANT, "berta", Role::TenantUser).await;
    let login = format!("username=berta&password={}", PASSWORD.replace(' ', "+"));
    let answer = finder
        .send("POST", "/api/v1/auth/login", login.as_bytes())
        .await;
    let session = answer
        .header("authorization")
        .unwrap()
        .replace("Bearer ", "");
    let body = format!("token={session}%0A");
    finder.send("POST", "/oauth2/revoke", body.as_bytes()).await;
    let answer = form(&gateway, Some(&session))
        .get("/api/v1/auth/session")
        .await;
    answer.is(401, "invalid_token");
}
