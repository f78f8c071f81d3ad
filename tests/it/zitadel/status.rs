//! Every row of the status table (iam 2.3, column B), and the order of evaluation.

use std::time::Duration;

use serde_json::json;

use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::http;

use super::Api;
use super::MACHINES;
use super::ME;
use super::grants::Vendor;
use super::pats;
use super::person;
use super::text;

#[tokio::test]
async fn missing_and_wrong_credentials_are_401_with_a_challenge() {
    let gateway = Gateway::start().await;
    let bare = r#"Bearer realm="tollgate""#;
    let answer = Api::bare(&gateway).get(ME).await;
    answer.is(401, 16);
    assert_eq!(
        answer.body,
        json!({ "code": 16, "message": "auth header missing" })
    );
    assert_eq!(answer.header("www-authenticate").unwrap(), bare);
    let token = gateway.token();
    for value in [token.clone(), format!("Basic {token}"), "Bearer".to_owned()] {
        let answer = Api::bare(&gateway)
            .with("authorization", &value)
            .get(ME)
            .await;
        answer.is(401, 16);
        assert_eq!(answer.header("www-authenticate").unwrap(), bare);
    }
    let (revoked, id) = gateway.new_token(TENANT, "tenant-admin", None).await;
    gateway.revoke(TENANT, &id).await;
    for (token, word) in [
        (format!("Bearer {token}"), "invalid credentials"),
        ("nonsense".to_owned(), "invalid credentials"),
        (gateway.unknown_token(), "invalid credentials"),
        (revoked, "token revoked"),
    ] {
        let answer = Api::new(&gateway, &token).get(ME).await;
        answer.is(401, 16);
        let expected = format!(r#"{bare}, error="invalid_token", error_description="{word}""#);
        assert_eq!(answer.header("www-authenticate").unwrap(), expected);
        assert!(!answer.body.to_string().contains(&token));
    }
    let lower = Api::bare(&gateway).with("authorization", &format!("bearer {token}"));
    assert_eq!(lower.get(ME).await.status, 200);
}

#[tokio::test]
async fn expired_token_is_401_here() {
    let gateway = Gateway::start().await;
    let ttl = Some(Duration::from_mins(1));
    let (token, _) = gateway.new_token(TENANT, "tenant-admin", ttl).await;
    let api = Api::new(&gateway, &token);
    assert_eq!(
        api.get(ME).await.header("x-token-expires-at").unwrap(),
        "2026-06-01T12:01:00Z"
    );
    gateway.pass(Duration::from_mins(1));
    let answer = api.get(ME).await;
    answer.is(401, 16);
    assert_eq!(answer.body["details"][0]["id"], "GW-TokenExpired");
}

#[tokio::test]
async fn two_headers_and_tokens_in_the_address_are_400() {
    let gateway = Gateway::start().await;
    let token = gateway.token();
    let bearer = format!("Bearer {token}");
    let twice = Api::new(&gateway, &token).with("authorization", &bearer);
    twice.get(ME).await.is(400, 3);
    let answer = Api::bare(&gateway)
        .get(&format!("{ME}?access_token={token}"))
        .await;
    answer.is(400, 3);
    assert!(!answer.body.to_string().contains(&token));
}

#[tokio::test]
async fn order_is_credential_permission_message_store() {
    let gateway = Gateway::start().await;
    let bad = b"{ not json";
    let unknown = gateway.unknown_token();
    let nobody = pats("123456789012345678");
    Api::new(&gateway, &unknown)
        .send("POST", &nobody, bad)
        .await
        .is(401, 16);
    let user = gateway.token_of(TENANT, "tenant-user").await;
    Api::new(&gateway, &user)
        .send("POST", &nobody, bad)
        .await
        .is(403, 7);
    let admin = Api::new(&gateway, &gateway.token());
    admin.send("POST", &nobody, bad).await.is(400, 3);
    admin
        .post(&nobody, json!({ "expirationDate": "2020-01-01T00:00:00Z" }))
        .await
        .is(400, 3);
    admin.post(&nobody, json!({})).await.is(400, 9);
}

#[tokio::test]
async fn malformed_messages_are_400() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = api.new_machine("target").await;
    let name = |length: usize| "n".repeat(length);
    for body in [
        json!({}),
        json!([]),
        json!({ "userName": "u" }),
        json!({ "name": "n" }),
        json!({ "userName": "  ", "name": "n" }),
        json!({ "userName": null, "name": "n" }),
        json!({ "userName": name(201), "name": "n" }),
        json!({ "userName": "u", "name": name(201) }),
        json!({ "userName": "u\u{0}", "name": "n" }),
        json!({ "userName": 1, "name": "n" }),
        json!({ "userName": "u", "name": "n", "description": "ü".repeat(501) }),
        json!({ "userName": "u", "name": "n", "accessTokenType": "ACCESS_TOKEN_TYPE_JWT" }),
        json!({ "userName": "u", "name": "n", "accessTokenType": 7 }),
    ] {
        let answer = api.post(MACHINES, body).await;
        answer.is(400, 3);
        assert!(answer.body.get("details").is_none(), "{}", answer.body);
    }
    for body in [
        &br#"{"userName":"a","userName":"b","name":"n"}"#[..],
        br#"{"userName":"\ud800","name":"n"}"#,
        b"\xff",
    ] {
        api.send("POST", MACHINES, body).await.is(400, 3);
    }
    for date in [
        "2026-06-01T12:00:00Z",
        "2026-06-01T11:59:59Z",
        "2026-06-01",
        "",
        "10000-01-01T00:00:00Z",
        "2026-06-01T14:00:00+02:00",
    ] {
        api.post(&pats(&user), json!({ "expirationDate": date }))
            .await
            .is(400, 3);
    }
    for date in [
        "2026-06-01T12:00:01Z",
        "2026-06-01T14:00:01.5+02:00",
        "9999-12-31T23:59:59Z",
    ] {
        api.post(&pats(&user), json!({ "expiration_date": date }))
            .await
            .ok();
    }
    api.post(&pats(&name(201)), json!({})).await.is(400, 3);
    let deep = format!(
        r#"{{"userName":"deep","name":"n","x":{}{}}}"#,
        "[".repeat(30_000),
        "]".repeat(30_000)
    );
    assert_eq!(
        api.send("POST", MACHINES, deep.as_bytes()).await.status,
        200
    );
    let large = format!(r#"{{"userName":"u","name":"n","x":"{}"}}"#, name(64 << 10));
    api.send("POST", MACHINES, large.as_bytes())
        .await
        .is(413, 8);
}

#[tokio::test]
async fn roles_decide_and_are_never_exceeded() {
    let gateway = Gateway::start().await;
    for role in ["tenant-contributor", "tenant-user", "tenant-portal"] {
        let api = Api::new(&gateway, &gateway.token_of(TENANT, role).await);
        for path in [
            MACHINES,
            "/management/v1/users/_search",
            "/management/v1/users/grants/_search",
        ] {
            api.post(path, json!({})).await.is(403, 7);
        }
        api.get("/management/v1/orgs/me").await.is(403, 7);
        // A service user issues no token to itself without the right to manage.
        let own = text(&api.get(ME).await.ok()["user"]["id"]);
        api.post(&pats(&own), json!({})).await.is(403, 7);
        api.send("POST", &format!("{}/_search", pats(&own)), b"")
            .await
            .ok();
    }
    let manager = Api::new(
        &gateway,
        &gateway.token_of(TENANT, "service-account-manager").await,
    );
    let admin = gateway
        .new_account(TENANT, "tenant-admin")
        .await
        .to_string();
    manager.post(&pats(&admin), json!({})).await.is(403, 7);
    manager
        .delete(&format!("/management/v1/users/{admin}"))
        .await
        .is(403, 7);
    let made = manager.new_machine("managed").await;
    let grants = format!("/management/v1/users/{made}/grants");
    let grant = |role: &str| json!({ "projectId": "analytics", "roleKeys": [role] });
    let answer = manager.post(&grants, grant("tenant-portal")).await;
    answer.is(403, 7);
    assert_eq!(answer.body["details"][0]["id"], "GW-RolesExceed");
    manager
        .post(&grants, grant("service-account-manager"))
        .await
        .ok();
    let tenant_admin = Api::new(&gateway, &gateway.token());
    tenant_admin
        .put(&format!("{grants}/{made}"), grant("skylight-admin"))
        .await
        .is(403, 7);
}

#[tokio::test]
async fn a_persons_tokens_are_that_persons_alone() {
    let gateway = Gateway::start().await;
    let (paula, paulas) = person(&gateway, "paula", "tenant-user").await;
    let (peter, _) = person(&gateway, "peter", "tenant-portal").await;
    let own = Api::new(&gateway, &paulas);
    own.post(&pats(&paula.to_string()), json!({})).await.ok();
    own.post(&pats(&peter.to_string()), json!({}))
        .await
        .is(403, 7);
    let admin = Api::new(&gateway, &gateway.token());
    let answer = admin.post(&pats(&peter.to_string()), json!({})).await;
    answer.is(400, 9);
    assert_eq!(answer.body["details"][0]["id"], "GW-UserType");
    // A person revokes its own, too.
    let made = own.post(&pats(&paula.to_string()), json!({})).await.ok();
    let pat = format!("{}/{}", pats(&paula.to_string()), text(&made["tokenId"]));
    own.delete(&pat).await.ok();
}

#[tokio::test]
async fn other_tenants_are_not_there() {
    let gateway = Gateway::start().await;
    let foreign = gateway
        .new_account("globex", "tenant-user")
        .await
        .to_string();
    let admin = Api::new(&gateway, &gateway.token());
    let unknown = "123456789012345678";
    let path = |user: &str| format!("/management/v1/users/{user}");
    let answers = [
        admin.get(&path(&foreign)).await,
        admin.get(&path(unknown)).await,
    ];
    answers[0].is(404, 5);
    assert_eq!(answers[0].body, answers[1].body);
    assert_eq!(answers[0].body, admin.get(&path("x")).await.body);
    admin.post(&pats(&foreign), json!({})).await.is(400, 9);
    admin.post(&pats(unknown), json!({})).await.is(400, 9);
    for organization in ["globex", "nowhere", "PCA"] {
        let api = Api::new(&gateway, &gateway.token()).with("x-zitadel-orgid", organization);
        api.post(MACHINES, json!({})).await.is(403, 7);
        // The auth API is about the caller alone.
        assert_eq!(api.get(ME).await.status, 200);
    }
    let token = gateway.token_of(TENANT, "skylight-admin").await;
    let api = Api::new(&gateway, &token).with("x-zitadel-orgid", "globex");
    assert_eq!(api.get(&path(&foreign)).await.status, 200);
    assert_eq!(
        api.get("/management/v1/orgs/me").await.ok()["org"]["id"],
        "globex"
    );
    let api = Api::new(&gateway, &token).with("x-zitadel-orgid", "nowhere");
    api.get(&path(&foreign)).await.is(403, 7);
    // Forwarded identities count for nothing.
    let user = gateway.token_of(TENANT, "tenant-user").await;
    let api = Api::new(&gateway, &user)
        .with("X-Forwarded-User-Roles", "skylight-admin")
        .with("x-forwarded-tenant-id", "globex");
    api.post(MACHINES, json!({})).await.is(403, 7);
}

#[tokio::test]
async fn tokens_beyond_the_tenants_policy_are_400() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = api.new_machine("export").await;
    let policy = json!({ "maxPatLifetimeSeconds": 86_400, "maxPatsPerAccount": 1 });
    http::Api::<Vendor>::bare(&gateway)
        .with("Authorization", &format!("Bearer {}", gateway.token()))
        .with("X-Forwarded-Tenant-Id", TENANT)
        .patch("/api/v2/auth/tenant/policy", policy)
        .await
        .ok();
    let within = json!({ "expirationDate": "2026-06-02T12:00:00Z" });
    let beyond = json!({ "expirationDate": "2026-06-02T12:00:01Z" });
    for (body, refused) in [
        (json!({}), Some("GW-Lifetime")),
        (beyond, Some("GW-Lifetime")),
        (within.clone(), None),
        (within, Some("GW-Quota")),
    ] {
        let answer = api.post(&pats(&user), body).await;
        if let Some(id) = refused {
            answer.is(400, 9);
            assert_eq!(answer.body["details"][0]["id"], id);
        } else {
            answer.ok();
        }
    }
}

#[tokio::test]
async fn usernames_are_one_namespace() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    api.new_machine("taken").await;
    person(&gateway, "paula", "tenant-user").await;
    for name in ["taken", "TAKEN", "paula"] {
        let answer = api
            .post(MACHINES, json!({ "userName": name, "name": "n" }))
            .await;
        answer.is(409, 6);
        assert_eq!(answer.body["details"][0]["id"], "GW-UserExists");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    for path in [
        "/",
        "/management/v1",
        "/management/v1/nothing",
        "/v2/x",
        "/auth/v1/users/me/x",
    ] {
        api.get(path).await.is(404, 5);
    }
    let answer = api.delete(ME).await;
    answer.is(405, 12);
    assert_eq!(answer.header("allow").unwrap(), "GET,HEAD");
    api.get(MACHINES).await.is(405, 12);
    api.send("PATCH", &pats("1"), b"").await.is(405, 12);
    let health = Api::bare(&gateway).get("/healthz").await;
    assert_eq!((health.status, health.body), (200, json!("ok\n")));
    let request_id = Api::bare(&gateway)
        .with("x-request-id", "r-1")
        .get(ME)
        .await;
    assert_eq!(request_id.header("x-request-id").unwrap(), "r-1");
}

#[tokio::test]
async fn too_many_failures_are_429() {
    let gateway = Gateway::start_with(|settings| settings.iam.throttle.failure_burst = 3).await;
    let unknown = Api::new(&gateway, &gateway.unknown_token());
    let mut answer = unknown.get(ME).await;
    for _ in 0..5 {
        answer = unknown.get(ME).await;
    }
    answer.is(429, 8);
    assert!(
        answer
            .header("retry-after")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    // Those with a good token behind the same address do not notice.
    assert_eq!(
        Api::new(&gateway, &gateway.token()).get(ME).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn host_name_of_another_tenant_is_refused() {
    let gateway = Gateway::start().await;
    gateway.new_account("acme", "tenant-user").await;
    let api = Api::new(&gateway, &gateway.token()).with("Host", "acme.gateway.example");
    api.get(ME).await.is(403, 7);
    let api = Api::new(&gateway, &gateway.token()).with("Host", "pca.gateway.example");
    api.get(ME).await.ok();
}
