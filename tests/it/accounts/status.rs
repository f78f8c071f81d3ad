//! Every row of the status table, column A (iam 2.3), and the order of evaluation (iam 2.2).

use std::time::Duration;

use serde_json::json;
use tollgate::iam::Role;

use super::Api;
use super::ROOT;
use super::UNTIL;
use super::account;
use super::person;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_judged_before_all_else() {
    let gateway = Gateway::start().await;
    let search = format!("{ROOT}/search");
    let bare = Api::bare(&gateway);
    let answer = bare.send("POST", &search, b"{").await;
    answer.is(401, "missing_credentials");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.starts_with("Bearer realm=") && !challenge.contains("error"),
        "{challenge}"
    );

    let token = gateway.token();
    let typo = token.replace("tgpat_", "tgpat_0");
    for (value, code) in [
        (token.clone(), "missing_credentials"),
        (format!("Basic {token}"), "missing_credentials"),
        (format!("Bearer Bearer {token}"), "invalid_token"),
        (format!("Bearer {typo}"), "invalid_token"),
        (
            format!("Bearer {}", gateway.unknown_token()),
            "invalid_token",
        ),
    ] {
        // A bad token with a bad body, tenant, media type, id and query is 401.
        let api = Api::bare(&gateway)
            .without("Content-Type")
            .with("Content-Type", "text/plain")
            .with("Authorization", &value);
        let answer = api
            .send("POST", &format!("{ROOT}/x/pat?page=0"), b"{")
            .await;
        answer.is(401, code);
        if code == "invalid_token" {
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(
                challenge.contains(r#"error="invalid_token""#),
                "{challenge}"
            );
        }
        assert!(!answer.body.to_string().contains("tgpat_"));
    }
    let lower = Api::bare(&gateway)
        .with("Authorization", &format!("bEARER {token}"))
        .with("X-Forwarded-Tenant-Id", TENANT);
    lower.get(&format!("{ROOT}/self")).await.ok();
    let twice = Api::admin(&gateway).with("authorization", &format!("Bearer {token}"));
    twice.get(&search).await.is(400, "invalid_header");
    Api::admin(&gateway)
        .get(&format!("{ROOT}/self?access_token=x"))
        .await
        .is(400, "token_in_query");
    let answer = Api::admin(&gateway)
        .get(&format!("{ROOT}/self?a={token}"))
        .await;
    answer.is(400, "token_in_query");
    assert!(!answer.body.to_string().contains(&token));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_no_longer_count_say_why() {
    let gateway = Gateway::start().await;
    let path = format!("{ROOT}/self");
    let ttl = Some(Duration::from_secs(10));
    let (short, _) = gateway.new_token(TENANT, "tenant-admin", ttl).await;
    let answer = Api::new(&gateway, &short).get(&path).await;
    assert_eq!(
        answer.header("x-token-expires-at"),
        Some("2026-06-01T12:00:10Z")
    );
    answer.ok();
    gateway.pass(Duration::from_secs(10));
    let answer = Api::new(&gateway, &short).get(&path).await;
    answer.is(403, "token_expired");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"error="invalid_token""#),
        "{challenge}"
    );
    // Other faces differ: gNMI says UNAUTHENTICATED.
    let client = gateway.anonymous().await.bearer(&short);
    let status = client.capabilities().await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);

    let (revoked, id) = gateway.new_token(TENANT, "tenant-admin", None).await;
    gateway.revoke(TENANT, &id).await;
    let unknown = Api::new(&gateway, &gateway.unknown_token()).with("X-Request-Id", "r");
    let revoked = Api::new(&gateway, &revoked).with("X-Request-Id", "r");
    let (revoked, unknown) = (revoked.get(&path).await, unknown.get(&path).await);
    revoked.is(401, "invalid_token");
    assert_eq!(revoked.body, unknown.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_follow_one_another() {
    let gateway = Gateway::start().await;
    let user = gateway.token_of(TENANT, "tenant-user").await;
    // Tenant before role, role before media type, media type before body, body before existence.
    let api = Api::new(&gateway, &user)
        .without("X-Forwarded-Tenant-Id")
        .with("X-Forwarded-Tenant-Id", "other");
    api.send("POST", ROOT, b"{")
        .await
        .is(403, "tenant_mismatch");
    let plain = Api::new(&gateway, &user)
        .without("Content-Type")
        .with("Content-Type", "text/plain");
    plain
        .send("POST", ROOT, b"{")
        .await
        .is(403, "insufficient_role");
    let admin = Api::admin(&gateway)
        .without("Content-Type")
        .with("Content-Type", "text/plain");
    admin
        .send("POST", ROOT, b"{")
        .await
        .is(415, "unsupported_media_type");
    let nobody = format!("{ROOT}/123456789012345678/pat");
    let api = Api::admin(&gateway);
    api.send("POST", &nobody, b"{")
        .await
        .is(400, "invalid_json");
    let past = json!({ "expirationDate": "2020-01-01T00:00:00Z" });
    api.post(&nobody, past).await.is(400, "expiration_in_past");
    api.post(&nobody, json!({ "expirationDate": UNTIL }))
        .await
        .is(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_the_table() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let path = api.new_account("taken").await;
    person(&gateway, TENANT, "human", Role::TenantUser).await;
    api.post(ROOT, account("Taken"))
        .await
        .is(409, "username_conflict");
    api.post(ROOT, account("human"))
        .await
        .is(422, "username_conflicts_with_human");
    let named = json!({ "expirationDate": UNTIL, "name": "one" });
    api.post(&format!("{path}/pat"), named.clone())
        .await
        .created();
    api.post(&format!("{path}/pat"), named)
        .await
        .is(409, "pat_name_conflict");
    api.get(&format!("{ROOT}/123"))
        .await
        .is(400, "invalid_field");
    api.delete(&format!("{path}/pat/x"))
        .await
        .is(400, "invalid_field");
    api.get(&format!("{path}/nothing/here"))
        .await
        .is(404, "not_found");

    let answer = api.put(&path, json!({})).await;
    answer.is(405, "method_not_allowed");
    let allowed = answer.header("allow").unwrap();
    for method in ["GET", "PATCH", "DELETE"] {
        assert!(allowed.contains(method), "{allowed}");
    }
    let html = Api::admin(&gateway).with("Accept", "text/html");
    html.get(&path).await.is(406, "not_acceptable");
    let parameter = Api::admin(&gateway)
        .without("Content-Type")
        .with("Content-Type", "application/vnd.api+json; charset=utf-8");
    parameter
        .post(&format!("{ROOT}/search"), json!({}))
        .await
        .is(415, "unsupported_media_type");
    let charset = Api::admin(&gateway)
        .without("Content-Type")
        .with("Content-Type", "application/json; charset=utf-8");
    charset
        .post(&format!("{ROOT}/search"), json!({}))
        .await
        .ok();

    // A client that takes plain JSON alone gets its errors so, too.
    let json = Api::admin(&gateway).with("Accept", "application/json");
    let answer = json.get(&format!("{ROOT}/123456789012345678")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (404, Some("application/json"))
    );
    let found = json.send("POST", &format!("{ROOT}/search"), b"").await;
    assert_eq!(found.header("content-type"), Some("application/json"));
    let found = api.send("POST", &format!("{ROOT}/search"), b"").await;
    assert_eq!(
        found.header("content-type"),
        Some("application/vnd.api+json")
    );
    assert_eq!(found.header("vary"), Some("Accept"));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_throttled_and_successes_are_not() {
    let gateway = Gateway::start().await;
    let bad = Api::new(&gateway, "nonsense");
    let path = format!("{ROOT}/self");
    let mut throttled = None;
    for _ in 0..60 {
        let answer = bad.get(&path).await;
        if answer.status == 429 {
            throttled = Some(answer);
            break;
        }
        answer.is(401, "invalid_token");
    }
    let throttled = throttled.expect("sixty failures are too many");
    throttled.is(429, "rate_limited");
    let wait: u64 = throttled.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    Api::admin(&gateway).get(&path).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn request_ids_come_back_where_a_log_can_hold_them() {
    let gateway = Gateway::start().await;
    let path = format!("{ROOT}/self");
    let given = Api::admin(&gateway).with("X-Request-Id", "abc-1.2_3");
    assert_eq!(
        given.get(&path).await.header("x-request-id"),
        Some("abc-1.2_3")
    );
    let long = "x".repeat(129);
    for odd in ["a b", "", "\"", &long, &gateway.token()] {
        let answer = Api::admin(&gateway)
            .with("X-Request-Id", odd)
            .get(&path)
            .await;
        let minted = answer.header("x-request-id").unwrap();
        assert!(minted.len() == 16 && minted != odd, "{minted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_on_the_plain_port() {
    let gateway = Gateway::start().await;
    for path in [ROOT, "/api/v1/auth/session", "/oauth2/introspect"] {
        let answer = gateway.admin_get(path).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_token_stays_expired_when_the_clock_steps_back() {
    let gateway = Gateway::start().await;
    let ttl = Some(Duration::from_mins(1));
    let (token, _) = gateway.new_token(TENANT, "tenant-admin", ttl).await;
    let api = Api::new(&gateway, &token);
    let path = format!("{ROOT}/self");
    let began = gateway.clock.now();
    gateway.clock.advance(Duration::from_secs(59));
    api.get(&path).await.ok();
    gateway.clock.advance(Duration::from_secs(1));
    api.get(&path).await.is(403, "token_expired");
    gateway
        .clock
        .set(began.saturating_sub(Duration::from_hours(1)));
    api.get(&path).await.is(403, "token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_tokens_are_401_where_that_is_wanted() {
    for (status, wanted) in [(403, status_of(403)), (401, status_of(401))] {
        let gateway = Gateway::start_with(|settings| {
            settings.accounts.expired_pat_status = wanted;
        })
        .await;
        let ttl = Some(Duration::from_secs(5));
        let (token, _) = gateway.new_token(TENANT, "tenant-admin", ttl).await;
        gateway.pass(Duration::from_secs(5));
        let answer = Api::new(&gateway, &token)
            .get(&format!("{ROOT}/self"))
            .await;
        answer.is(status, "token_expired");
    }
}

fn status_of(status: u16) -> http::StatusCode {
    http::StatusCode::from_u16(status).unwrap()
}
