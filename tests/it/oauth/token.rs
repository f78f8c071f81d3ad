//! `/oauth/v2/token`.

use std::time::Duration;

use serde_json::json;
use tollgate::iam::Role;
use tonic::Code;

use super::Api;
use super::Iam;
use super::Port;
use super::TOKEN;
use super::access_token;
use super::basic;
use super::client;
use super::form;
use super::iam;
use super::new_secret;
use super::secret_of;
use crate::client::first;
use crate::client::on_change;
use crate::gateway::ADMIN_PASSWORD;
use crate::gateway::ADMIN_USERNAME;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::http::text;

const ME: &str = "/auth/v1/users/me";

#[tokio::test(flavor = "multi_thread")]
async fn secret_gives_a_token_for_every_face_until_it_is_replaced() {
    let gateway = Gateway::start().await;
    let (account, id, secret) = client(&gateway, "tenant-admin").await;
    let answer = form::<Iam>(&gateway)
        .with("Authorization", &basic(&id, &secret))
        .send(
            "POST",
            TOKEN,
            b"grant_type=client_credentials&scope=openid+urn:x",
        )
        .await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.ok();
    let token = text(&body["access_token"]);
    assert_eq!(
        body,
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": 12 * 3_600 })
    );

    let bearer = format!("Bearer {token}");
    let me = Api::<Iam>::bare(&gateway).with("Authorization", &bearer);
    let machine = me.get(ME).await.ok()["user"]["machine"].clone();
    assert_eq!(machine["hasSecret"], true);
    let own = Api::<Port>::bare(&gateway)
        .with("Authorization", &bearer)
        .with("X-Forwarded-Tenant-Id", TENANT);
    let own = own.get("/api/v2/auth/serviceaccount/self").await.ok();
    assert_eq!(own["accountId"], account.to_string());
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();

    let (_, newer) = new_secret(&gateway, &account).await;
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    me.get(ME).await.status_is(401);
    form::<Iam>(&gateway)
        .with("Authorization", &basic(&id, &secret))
        .send("POST", TOKEN, b"grant_type=client_credentials")
        .await
        .refuses(401, "invalid_client");
    let token = access_token(&gateway, &id, &newer).await;

    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    iam(&gateway).delete(&secret_of(account)).await.ok();
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    iam(&gateway)
        .delete(&secret_of(account))
        .await
        .status_is(404);
    let user = format!("/management/v1/users/{account}");
    let machine = iam(&gateway).get(&user).await.ok()["user"]["machine"].clone();
    assert!(machine.get("hasSecret").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_a_client_ends_with_its_account_and_its_time() {
    let gateway = Gateway::start().await;
    for change in ["disable", "delete", "expire"] {
        let (account, id, secret) = client(&gateway, "tenant-user").await;
        let token = access_token(&gateway, &id, &secret).await;
        let client = gateway.anonymous().await.bearer(&token);
        let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
        match change {
            "disable" => gateway.disable(TENANT, &account).await,
            "delete" => {
                let user = format!("/management/v1/users/{account}");
                iam(&gateway).delete(&user).await.ok();
            }
            _ => gateway.pass(Duration::from_hours(12)),
        }
        assert_eq!(stream.end().await.code(), Code::Unauthenticated, "{change}");
        let status = client.refused(first(on_change(&["/a"]))).await;
        assert_eq!(status.code(), Code::Unauthenticated, "{change}");
        let again = form::<Iam>(&gateway)
            .with("Authorization", &basic(&id, &secret))
            .send("POST", TOKEN, b"grant_type=client_credentials")
            .await;
        if change == "expire" {
            again.ok();
        } else {
            again.refuses(401, "invalid_client");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_shows_its_secret_in_one_way() {
    let gateway = Gateway::start().await;
    let (account, id, secret) = client(&gateway, "tenant-user").await;
    let grant = "grant_type=client_credentials";
    let named = |name: &str| format!("{grant}&client_id={name}&client_secret={secret}");
    let login_name = format!("{id}%40{TENANT}");
    for good in [named(&id), named(&login_name), named(&account.to_string())] {
        let api = form::<Iam>(&gateway);
        let answer = api.send("POST", TOKEN, good.as_bytes()).await;
        answer.ok();
    }
    for (body, status, error) in [
        (named("exporter"), 401, "invalid_client"),
        (named("token"), 401, "invalid_client"),
        (
            format!("{grant}&client_id={id}&client_secret=x"),
            401,
            "invalid_client",
        ),
        (format!("{grant}&client_id={id}"), 401, "invalid_client"),
        (grant.to_owned(), 401, "invalid_client"),
        (
            format!("{grant}&client_secret={secret}"),
            400,
            "invalid_request",
        ),
        (format!("{}&{grant}", named(&id)), 400, "invalid_request"),
        (named(&id).replace(grant, "a=b"), 400, "invalid_request"),
        (
            named(&id).replace("client_credentials", "password"),
            400,
            "unsupported_grant_type",
        ),
        (
            named(&id).replace("client_credentials", "authorization_code"),
            400,
            "unsupported_grant_type",
        ),
        (format!("{}&scope=a%22", named(&id)), 400, "invalid_scope"),
        ("%zz".to_owned(), 400, "invalid_request"),
        ("a".repeat(65 << 10), 400, "invalid_request"),
    ] {
        let api = form::<Iam>(&gateway);
        let answer = api.send("POST", TOKEN, body.as_bytes()).await;
        answer.refuses(status, error);
    }
    let twice = form::<Iam>(&gateway).with("Authorization", &basic(&id, &secret));
    let answer = twice.send("POST", TOKEN, named(&id).as_bytes()).await;
    answer.refuses(400, "invalid_request");
    let bearer = form::<Iam>(&gateway).with("Authorization", &format!("Bearer {secret}"));
    let answer = bearer.send("POST", TOKEN, grant.as_bytes()).await;
    answer.refuses(401, "invalid_client");
    let json = Api::<Iam>::bare(&gateway).post(TOKEN, json!({})).await;
    json.refuses(400, "invalid_request");
    form::<Iam>(&gateway)
        .get(TOKEN)
        .await
        .refuses(405, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_is_no_bearer_token_and_no_password() {
    let gateway = Gateway::start().await;
    let (_, id, secret) = client(&gateway, "tenant-user").await;
    let anonymous = gateway.anonymous().await;
    for client in [
        anonymous.clone().bearer(&secret),
        anonymous.with("username", &id).with("password", &secret),
    ] {
        let status = client.capabilities().await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn password_grant_is_off_unless_it_is_wanted() {
    let password = ADMIN_PASSWORD.replace(' ', "+");
    let body = format!("grant_type=password&username={ADMIN_USERNAME}&password={password}");
    let gateway = Gateway::start().await;
    let api = form::<Iam>(&gateway);
    let answer = api.send("POST", TOKEN, body.as_bytes()).await;
    answer.refuses(400, "unsupported_grant_type");

    let gateway = Gateway::start_with(|settings| settings.oauth.password_grant = true).await;
    let api = form::<Iam>(&gateway);
    let answer = api.send("POST", TOKEN, body.as_bytes()).await;
    let token = text(&answer.ok()["access_token"]);
    let me = Api::<Iam>::bare(&gateway).with("Authorization", &format!("Bearer {token}"));
    assert_eq!(me.get(ME).await.ok()["user"]["userName"], ADMIN_USERNAME);
    let pat = gateway.token();
    for (username, password, status, error) in [
        (ADMIN_USERNAME, "wrong", 400, "invalid_grant"),
        ("nobody", "wrong", 400, "invalid_grant"),
        (gateway.account(), &*pat, 400, "invalid_grant"),
        (ADMIN_USERNAME, "", 400, "invalid_request"),
    ] {
        let body = format!("grant_type=password&username={username}&password={password}");
        let api = form::<Iam>(&gateway);
        let answer = api.send("POST", TOKEN, body.as_bytes()).await;
        answer.refuses(status, error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_can_be_narrowed_below_its_account() {
    let gateway = Gateway::start().await;
    let (_, id, secret) = client(&gateway, "tenant-admin").await;
    let api = form::<Iam>(&gateway).with("Authorization", &basic(&id, &secret));
    let body = b"grant_type=client_credentials&scope=openid+read-only";
    let body = api.send("POST", TOKEN, body).await.ok();
    assert_eq!(body["scope"], "read-only");
    let token = text(&body["access_token"]);
    let client = gateway.anonymous().await.bearer(&token);
    let status = client.set(tollgate::wire::proto::gnmi::SetRequest::default());
    assert_eq!(status.await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_are_throttled_as_logins_are() {
    let gateway = Gateway::start_with(|settings| settings.iam.throttle.failure_burst = 3).await;
    let (_, id, secret) = client(&gateway, "tenant-user").await;
    for (attempt, status) in [(1, 401), (2, 401), (3, 401), (4, 429)] {
        let answer = form::<Iam>(&gateway)
            .with("Authorization", &basic(&id, "wrong"))
            .send("POST", TOKEN, b"grant_type=client_credentials")
            .await;
        assert_eq!(answer.status, status, "{attempt}");
    }
    let held_off = form::<Iam>(&gateway)
        .with("Authorization", &basic(&id, &secret))
        .send("POST", TOKEN, b"grant_type=client_credentials")
        .await;
    held_off.refuses(429, "temporarily_unavailable");
    assert!(held_off.header("retry-after").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_managed_by_who_manages_the_account() {
    let gateway = Gateway::start().await;
    let account = gateway.new_account(TENANT, "tenant-admin").await;
    let foreign = gateway.new_account("acme", "tenant-user").await;
    for (role, account, status) in [
        ("tenant-user", &account, 403),
        ("service-account-manager", &account, 403),
        ("tenant-admin", &foreign, 404),
        ("tenant-admin", &account, 200),
    ] {
        let token = gateway.token_of(TENANT, role).await;
        let api = Api::<Iam>::bare(&gateway).with("Authorization", &format!("Bearer {token}"));
        let answer = api.put(&secret_of(*account), json!({})).await;
        assert_eq!(answer.status, status, "{role}: {}", answer.body);
    }
    let person = gateway
        .accounts()
        .account_named(
            &tollgate::iam::Caller::operator(),
            &tollgate::model::TenantId::new(TENANT),
            ADMIN_USERNAME,
        )
        .await
        .unwrap();
    assert!(person.roles.contains(Role::TenantAdmin));
    let answer = iam(&gateway).put(&secret_of(person.id), json!({})).await;
    answer.status_is(400);
}
