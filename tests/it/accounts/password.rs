//! Changing one's own password, and being locked out after wrong ones.

use super::Answer;
use super::Api;
use super::text;
use crate::gateway::ADMIN_PASSWORD;
use crate::gateway::ADMIN_USERNAME;
use crate::gateway::Gateway;

const LOGIN: &str = "/api/v1/auth/login";
const PASSWORD: &str = "/api/v1/auth/password";
const LOCKOUTS: &str = "/api/v2/auth/lockouts";

async fn send(gateway: &Gateway, path: &str, form: &[(&str, &str)]) -> Answer {
    let pairs: Vec<_> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "+")))
        .collect();
    Api::bare(gateway)
        .without("Content-Type")
        .with("Content-Type", "application/x-www-form-urlencoded")
        .send("POST", path, pairs.join("&").as_bytes())
        .await
}

async fn log_in(gateway: &Gateway, password: &str) -> Answer {
    let form = [("username", ADMIN_USERNAME), ("password", password)];
    send(gateway, LOGIN, &form).await
}

async fn change(gateway: &Gateway, old: &str, new: &str) -> Answer {
    let form = [
        ("username", ADMIN_USERNAME),
        ("password", old),
        ("newPassword", new),
    ];
    send(gateway, PASSWORD, &form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn person_replaces_its_own_password_and_no_other() {
    let gateway = Gateway::start().await;
    let session = log_in(&gateway, ADMIN_PASSWORD).await;
    let bearer = session.header("authorization").unwrap().to_owned();

    let wrong = change(&gateway, "not my password", "the next password").await;
    wrong.is(401, "invalid_credentials");
    for unfit in ["short", ADMIN_PASSWORD] {
        let refused = change(&gateway, ADMIN_PASSWORD, unfit).await;
        refused.is(400, "invalid_field");
        assert_eq!(refused.pointer(), "/newPassword");
    }
    change(&gateway, ADMIN_PASSWORD, "")
        .await
        .is(400, "missing_field");
    assert_eq!(log_in(&gateway, ADMIN_PASSWORD).await.status, 200);

    let changed = change(&gateway, ADMIN_PASSWORD, "the next password").await;
    assert_eq!(changed.status, 204, "{}", changed.body);
    log_in(&gateway, ADMIN_PASSWORD)
        .await
        .is(401, "invalid_credentials");
    assert_eq!(log_in(&gateway, "the next password").await.status, 200);
    let session = Api::bare(&gateway).with("Authorization", &bearer);
    session
        .get("/api/v1/auth/session")
        .await
        .is(401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrator_sees_who_is_locked_out_and_lets_them_try_again() {
    let gateway = Gateway::start().await;
    for _ in 0..5 {
        log_in(&gateway, "wrong")
            .await
            .is(401, "invalid_credentials");
    }
    log_in(&gateway, ADMIN_PASSWORD)
        .await
        .is(401, "invalid_credentials");
    change(&gateway, ADMIN_PASSWORD, "the next password")
        .await
        .is(401, "invalid_credentials");

    let admin = Api::admin(&gateway);
    let listed = admin.get(LOCKOUTS).await.ok();
    let locked = &listed["data"][0];
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(locked["username"], ADMIN_USERNAME);
    assert_eq!(locked["network"], "127.0.0.1");
    assert_eq!(locked["lockedUntil"], "2026-06-01T12:15:00Z");
    let page = format!("{LOCKOUTS}/{}", text(&locked["accountId"]));

    // To another tenant's administrator there is no such account.
    let token = gateway.token_of("elsewhere", "tenant-admin").await;
    let other = Api::new(&gateway, &token)
        .without("X-Forwarded-Tenant-Id")
        .with("X-Forwarded-Tenant-Id", "elsewhere");
    let nobody = other.get(LOCKOUTS).await.ok();
    assert_eq!(nobody["data"], serde_json::json!([]));
    assert_eq!(other.send("DELETE", &page, b"").await.status, 404);

    assert_eq!(admin.send("DELETE", &page, b"").await.status, 204);
    while log_in(&gateway, ADMIN_PASSWORD).await.status != 200 {
        tokio::task::yield_now().await;
    }
    let told = admin
        .get("/api/v2/auth/audit?kind=account.lockout_lifted")
        .await
        .ok();
    assert_eq!(told["data"].as_array().unwrap().len(), 1, "{told}");
}
