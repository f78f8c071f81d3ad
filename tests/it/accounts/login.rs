//! Logging in and out, forward authentication.

use std::time::Duration;

use serde_json::json;
use tollgate::iam::Caller;
use tollgate::model::TenantId;
use tollgate::secret::Secret;
use tonic::Code;
use tower::Service as _;
use tower::ServiceExt as _;

use super::Answer;
use super::Api;
use super::ROOT;
use super::account;
use super::text;
use crate::client::on_change;
use crate::gateway::ADMIN_PASSWORD;
use crate::gateway::ADMIN_USERNAME;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const LOGIN: &str = "/api/v1/auth/login";
const LOGOUT: &str = "/api/v1/auth/logout";
const SESSION: &str = "/api/v1/auth/session";
const VALIDATE: &str = "/api/v1/auth/validate";

fn form(gateway: &Gateway) -> Api<'_> {
    Api::bare(gateway)
        .without("Content-Type")
        .with("Content-Type", "application/x-www-form-urlencoded")
}

async fn log_in(gateway: &Gateway, username: &str, password: &str) -> Answer {
    let body = format!(
        "username={username}&password={}",
        password.replace(' ', "+")
    );
    form(gateway).send("POST", LOGIN, body.as_bytes()).await
}

async fn session_token(gateway: &Gateway) -> String {
    let answer = log_in(gateway, ADMIN_USERNAME, ADMIN_PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let header = answer.header("authorization").unwrap();
    header.strip_prefix("Bearer ").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn login_gives_a_token_for_every_face_until_logout() {
    let gateway = Gateway::start().await;
    let answer = log_in(&gateway, ADMIN_USERNAME, ADMIN_PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    for part in [
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        "Max-Age=43200",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let token = answer
        .header("authorization")
        .unwrap()
        .replace("Bearer ", "");
    assert!(token.starts_with("tgses_"));
    let body = answer.ok();
    assert!(!body.to_string().contains("tgses_"));
    assert_eq!(body["expiresAt"], "2026-06-02T00:00:00Z");

    let api = Api::new(&gateway, &token);
    api.post(ROOT, account("by-session")).await.created();
    let pair = cookie.split(';').next().unwrap();
    let by_cookie = Api::bare(&gateway).with("Cookie", pair);
    let session = by_cookie.get(SESSION).await.ok();
    assert_eq!(session["username"], ADMIN_USERNAME);
    assert_eq!(session["tokenKind"], "session");
    // The cookie is for the login's own pages alone.
    by_cookie
        .get(&format!("{ROOT}/self"))
        .await
        .is(401, "missing_credentials");

    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let answer = by_cookie.send("POST", LOGOUT, b"").await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    api.get(&format!("{ROOT}/self"))
        .await
        .is(401, "invalid_token");
    by_cookie
        .send("POST", LOGOUT, b"")
        .await
        .is(401, "invalid_token");
    Api::admin(&gateway)
        .send("POST", LOGOUT, b"")
        .await
        .is(400, "not_a_session");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ends_with_its_time_and_with_its_password() {
    let gateway = Gateway::start().await;
    let token = session_token(&gateway).await;
    let bearer = Api::bare(&gateway).with("Authorization", &format!("Bearer {token}"));
    let id = text(&bearer.get(SESSION).await.ok()["accountId"])
        .parse()
        .unwrap();
    let tenant = TenantId::new(TENANT);
    gateway
        .accounts()
        .set_password(
            &Caller::operator(),
            &tenant,
            id,
            Secret::new("another password"),
        )
        .await
        .unwrap();
    bearer.get(SESSION).await.is(401, "invalid_token");

    let answer = log_in(&gateway, ADMIN_USERNAME, "another password").await;
    let token = answer.header("authorization").unwrap().to_owned();
    let bearer = Api::bare(&gateway).with("Authorization", &token);
    gateway.pass(Duration::from_secs(12 * 3_600 - 1));
    bearer.get(SESSION).await.ok();
    gateway.pass(Duration::from_secs(1));
    bearer.get(SESSION).await.is(403, "token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_refuses_alike_whatever_is_wrong() {
    let gateway = Gateway::start().await;
    let details: Vec<_> = [
        log_in(&gateway, ADMIN_USERNAME, "wrong password").await,
        log_in(&gateway, "nobody", "wrong password").await,
        log_in(&gateway, "exporter", "wrong password").await,
        // A PAT would become a session that outlives it.
        log_in(&gateway, "exporter", &gateway.token()).await,
    ]
    .into_iter()
    .map(|answer| {
        answer.is(401, "invalid_credentials");
        answer.body["errors"][0]["detail"].clone()
    })
    .collect();
    assert!(details.iter().all(|detail| *detail == details[0]));

    let api = form(&gateway);
    api.send("POST", LOGIN, b"username=anna")
        .await
        .is(400, "missing_field");
    api.send("POST", LOGIN, b"username=a&username=b&password=c")
        .await
        .is(400, "invalid_field");
    api.send("POST", LOGIN, b"username=%zz&password=c")
        .await
        .is(400, "invalid_form");
    let json = json!({ "username": ADMIN_USERNAME, "password": ADMIN_PASSWORD });
    Api::bare(&gateway)
        .post(LOGIN, json)
        .await
        .is(415, "unsupported_media_type");
    api.get(LOGIN).await.is(405, "method_not_allowed");
    let with_tenant =
        format!("username={ADMIN_USERNAME}&password={ADMIN_PASSWORD}&tenant={TENANT}");
    let with_tenant = with_tenant.replace(' ', "%20");
    api.send("POST", LOGIN, with_tenant.as_bytes()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_tells_a_proxy_what_the_token_says_and_nothing_that_was_asserted() {
    let gateway = Gateway::start().await;
    let api = Api::bare(&gateway)
        .with("Authorization", &format!("Bearer {}", gateway.token()))
        .with("X-Forwarded-User-Id", "1")
        .with("x_forwarded_user_roles", "skylight-admin")
        .with("X-FORWARDED-USERGROUPS", "skylight-admin")
        .with("x-Forwarded-JWT", "e30.e30.");
    let answer = api.get(VALIDATE).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-forwarded-tenant-id"), Some(TENANT));
    assert_eq!(answer.header("x-forwarded-user-username"), Some("exporter"));
    assert_eq!(
        answer.header("x-forwarded-user-roles"),
        Some("tenant-admin")
    );
    assert_eq!(
        answer.header("x-forwarded-usergroups"),
        Some("tenant-admin")
    );
    assert!(answer.header("x-forwarded-user-id").unwrap().len() >= 18);
    assert_ne!(answer.header("x-forwarded-jwt"), Some("e30.e30."));
    let names = [
        "x-forwarded-user-id",
        "x_forwarded_user_roles",
        "x-forwarded-jwt",
    ];
    let mut request = http::Request::get(VALIDATE)
        .header("authorization", format!("Bearer {}", gateway.token()))
        .body(tonic::body::Body::empty())
        .unwrap();
    for name in names {
        request.headers_mut().insert(name, "root".parse().unwrap());
    }
    let mut h2 = gateway.channel().await;
    let answer = h2.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(answer.headers()["x-forwarded-user-roles"], "tenant-admin");
    assert!(answer.headers().values().all(|value| value != "root"));

    let foreign = Api::admin(&gateway)
        .without("X-Forwarded-Tenant-Id")
        .with("X-Forwarded-Tenant-Id", "other");
    foreign.get(VALIDATE).await.is(403, "tenant_mismatch");
    Api::bare(&gateway)
        .get(VALIDATE)
        .await
        .is(401, "missing_credentials");
}
