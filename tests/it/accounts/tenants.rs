//! The wall between tenants, and the headers by which one might climb it (iam section 8, 7; iam 3.4).

use serde_json::json;

use super::Api;
use super::ROOT;
use super::UNTIL;
use super::account;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

fn named<'a>(gateway: &'a Gateway, token: &str, tenant: &str) -> Api<'a> {
    Api::new(gateway, token)
        .without("X-Forwarded-Tenant-Id")
        .with("X-Forwarded-Tenant-Id", tenant)
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_header_confirms_and_nothing_else() {
    let gateway = Gateway::start().await;
    gateway.new_account("other", "tenant-user").await;
    let path = format!("{ROOT}/search");
    let token = gateway.token();
    let api = Api::admin(&gateway).without("X-Forwarded-Tenant-Id");
    api.send("POST", &path, b"")
        .await
        .is(403, "tenant_header_missing");
    api.get(&format!("{ROOT}/self"))
        .await
        .is(403, "tenant_header_missing");
    for wrong in ["other", "PCA", "nowhere", "", "pca,pca"] {
        let api = named(&gateway, &token, wrong);
        api.send("POST", &path, b"")
            .await
            .is(403, "tenant_mismatch");
    }
    let twice = Api::admin(&gateway).with("x-forwarded-tenant-id", "other");
    twice
        .send("POST", &path, b"")
        .await
        .is(403, "tenant_mismatch");
    let same_twice = Api::admin(&gateway).with("x-forwarded-tenant-id", TENANT);
    same_twice.send("POST", &path, b"").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn skylight_admin_chooses_a_tenant_that_exists() {
    let gateway = Gateway::start().await;
    gateway.new_account("other", "tenant-user").await;
    let token = gateway.token_of(TENANT, "skylight-admin").await;
    let api = named(&gateway, &token, "other");
    let made = api.post(ROOT, account("guest")).await.created();
    assert_eq!(made["tenantId"], "other");
    let nowhere = named(&gateway, &token, "nowhere");
    nowhere
        .send("POST", &format!("{ROOT}/search"), b"")
        .await
        .is(403, "tenant_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_ids_are_as_unknown_ones() {
    let gateway = Gateway::start().await;
    let foreign = gateway.new_account("other", "tenant-user").await;
    let (_, foreign_pat) = gateway.new_token("other", "tenant-user", None).await;
    let api = Api::admin(&gateway).with("X-Request-Id", "same");
    let own = api.new_account("mine").await;
    let unknown = "123456789012345678";
    let until = json!({ "expirationDate": UNTIL }).to_string();
    for (method, tail, body) in [
        ("GET", "", ""),
        ("PATCH", "", r#"{"name":"x"}"#),
        ("DELETE", "", ""),
        ("POST", "/disable", ""),
        ("POST", "/enable", ""),
        ("PUT", "/roles", r#"{"roles":["tenant-admin"]}"#),
        ("POST", "/pat", until.as_str()),
        ("POST", "/pat/search", ""),
        ("POST", "/pat/revoke-all", ""),
    ] {
        let path = |id: &str| format!("{ROOT}/{id}{tail}");
        let theirs = api
            .send(method, &path(&foreign.to_string()), body.as_bytes())
            .await;
        let nobodys = api.send(method, &path(unknown), body.as_bytes()).await;
        theirs.is(404, "not_found");
        assert_eq!(theirs.body, nobodys.body, "{method} {tail}");
    }
    // A token of another account, of another tenant, and of nobody.
    let path = api.new_account("second").await;
    let (pat, _) = api.new_pat(&path).await;
    for id in [pat.as_str(), &foreign_pat, unknown] {
        api.delete(&format!("{own}/pat/{id}"))
            .await
            .is(404, "not_found");
        api.send("POST", &format!("{own}/pat/{id}/rotate"), b"")
            .await
            .is(404, "not_found");
    }
    api.delete(&format!("{path}/pat/{pat}")).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn host_name_of_another_tenant_is_refused() {
    let gateway = Gateway::start().await;
    gateway.new_account("acme", "tenant-user").await;
    let sky = gateway.token_of(TENANT, "skylight-admin").await;
    let own = gateway.token();
    for (host, token, status) in [
        ("pca.gateway.example", &own, 200),
        ("PCA.gateway.example:443", &own, 200),
        ("gateway.example", &own, 200),
        ("acme", &own, 200),
        ("acme.gateway.example", &own, 403),
        ("ACME.gateway.example", &own, 403),
        ("acme.gateway.example", &sky, 200),
    ] {
        let api = Api::new(&gateway, token).with("Host", host);
        for path in [&format!("{ROOT}/self"), "/api/v1/auth/validate"] {
            let answer = api.get(path).await;
            assert_eq!(answer.status, status, "{host} {path}: {}", answer.body);
            if status == 403 {
                answer.is(403, "tenant_mismatch");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_confirms_no_tenant_that_there_is_not() {
    let gateway = Gateway::start().await;
    gateway.new_account("acme", "tenant-user").await;
    let sky = gateway.token_of(TENANT, "skylight-admin").await;
    let validate = async |tenant: &str| {
        let api = Api::new(&gateway, &sky).without("X-Forwarded-Tenant-Id");
        let api = api.with("X-Forwarded-Tenant-Id", tenant);
        api.get("/api/v1/auth/validate").await
    };
    let answer = validate("acme").await;
    assert_eq!(answer.header("x-forwarded-tenant-id"), Some("acme"));
    validate("nowhere").await.is(403, "tenant_mismatch");
}
