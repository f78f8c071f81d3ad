//! `/api/v2/auth/certificates`: seeing what was issued, and revoking it (restconf-pki 3.5.1).

use serde_json::Value;
use serde_json::json;
use tollgate::iam::Caller;
use tollgate::model::TenantId;

use super::Reply;
use super::csr_of;
use super::enrolled;
use super::events;
use super::send;
use super::sign;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::mtls::VALIDATE;
use crate::mtls::account;

const CERTIFICATES: &str = "/api/v2/auth/certificates";

async fn call(gateway: &Gateway, token: &str, method: &str, path: &str, body: Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let path = format!("{CERTIFICATES}{path}");
    send(gateway, (method, &path), &headers, body.as_bytes()).await
}

async fn revoke(gateway: &Gateway, body: Value) -> Vec<String> {
    let reply = call(gateway, &gateway.token(), "POST", "/revoke", body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let serials = reply.json()["revoked"].as_array().unwrap().clone();
    serials
        .iter()
        .map(|serial| serial.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn certificate_is_revoked_by_serial_and_refused_from_then_on() {
    let gateway = Gateway::start().await;
    account(&gateway, "device-7", "tenant-user").await;
    let token = gateway.token();
    let device = enrolled(&gateway, &token, "device-7", "").await;
    assert_eq!(device.get(&gateway, VALIDATE, "").await.status, 200);
    let path = format!("/{}", device.serial);
    let shown = call(&gateway, &token, "GET", &path, Value::Null)
        .await
        .json();
    assert_eq!(shown["state"], "active");
    assert_eq!(shown["username"], "device-7");
    assert_eq!(shown["roles"], json!(["tenant-user"]));

    let path = format!("{path}/revoke");
    let body = json!({ "reason": "keyCompromise" });
    let done = call(&gateway, &token, "POST", &path, body.clone()).await;
    assert_eq!(done.json()["revoked"], json!([device.serial.to_string()]));
    let again = call(&gateway, &token, "POST", &path, body).await;
    assert_eq!(again.json()["revoked"], json!([]), "idempotent");
    let refused = crate::mtls::alert(&gateway, device.config(&gateway, &[b"http/1.1"])).await;
    assert!(refused.contains("CertificateRevoked"), "{refused}");
    let path = format!("/{}", device.serial);
    let shown = call(&gateway, &token, "GET", &path, Value::Null)
        .await
        .json();
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("revoked"), &json!("keyCompromise"))
    );

    let key = rcgen::KeyPair::try_from(&device.key).unwrap();
    let csr = csr_of(&key, Some("device-7"));
    let reply = sign(&gateway, &token, "?certduration=7", csr.as_bytes()).await;
    reply.is(400, "key_blocked");
    let told = events(&gateway, "certificate.revoked").await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["subjectId"], device.serial.to_string());
}

#[tokio::test]
async fn certificates_are_revoked_by_user_token_and_time() {
    let gateway = Gateway::start().await;
    for name in ["device-7", "device-8"] {
        account(&gateway, name, "tenant-user").await;
    }
    let (other, id) = gateway.new_token(TENANT, "tenant-admin", None).await;
    let one = enrolled(&gateway, &gateway.token(), "device-7", "").await;
    let two = enrolled(&gateway, &other, "device-8", "").await;
    let listed = call(&gateway, &other, "GET", "?active=true", Value::Null).await;
    assert_eq!(listed.json()["certificates"].as_array().unwrap().len(), 2);
    let by_user = revoke(&gateway, json!({ "username": "device-7" })).await;
    assert_eq!(by_user, [one.serial.to_string()]);
    let by_token = revoke(&gateway, json!({ "tokenId": id })).await;
    assert_eq!(by_token, [two.serial.to_string()]);
    gateway.pass(std::time::Duration::from_secs(1));
    let three = enrolled(&gateway, &other, "device-8", "").await;
    gateway.pass(std::time::Duration::from_secs(1));
    let now = gateway.clock.now().to_string();
    let by_time = revoke(
        &gateway,
        json!({ "issuedBefore": now, "reason": "superseded" }),
    )
    .await;
    assert_eq!(by_time, [three.serial.to_string()]);
    let listed = call(&gateway, &other, "GET", "?active=true", Value::Null).await;
    assert_eq!(listed.json()["certificates"], json!([]));
    let query = "?username=device-8&limit=1&offset=1";
    let listed = call(&gateway, &other, "GET", query, Value::Null).await;
    assert_eq!(
        listed.json()["certificates"][0]["serial"],
        two.serial.to_string()
    );
}

#[tokio::test]
async fn deleting_an_account_revokes_its_certificates_unless_told_otherwise() {
    for cascades in [true, false] {
        let gateway =
            Gateway::start_with(|settings| settings.enroll.revoke_with_token = cascades).await;
        account(&gateway, "device-7", "tenant-user").await;
        let device = enrolled(&gateway, &gateway.token(), "device-7", "").await;
        gateway
            .accounts()
            .delete(&Caller::operator(), &TenantId::new(TENANT), device.account)
            .await
            .unwrap();
        let path = format!("/{}", device.serial);
        let shown = call(&gateway, &gateway.token(), "GET", &path, Value::Null).await;
        let state = if cascades { "revoked" } else { "active" };
        assert_eq!(shown.json()["state"], state);
        let told = events(&gateway, "certificate.revoked").await;
        assert_eq!(told.len(), usize::from(cascades));
    }
}

#[tokio::test]
async fn only_administrators_of_the_tenant_see_and_revoke() {
    let gateway = Gateway::start().await;
    account(&gateway, "device-7", "tenant-user").await;
    let device = enrolled(&gateway, &gateway.token(), "device-7", "").await;
    let path = format!("/{}", device.serial);
    let user = gateway.token_of(TENANT, "tenant-contributor").await;
    let reply = call(&gateway, &user, "GET", "", Value::Null).await;
    reply.is(403, "insufficient_role");
    let foreign = gateway.token_of("other", "tenant-admin").await;
    let reply = call(&gateway, &foreign, "GET", &path, Value::Null).await;
    reply.is(404, "not_found");
    let revoke = format!("{path}/revoke");
    let reply = call(&gateway, &foreign, "POST", &revoke, Value::Null).await;
    reply.is(404, "not_found");
    let body = json!({ "issuedBefore": "2099-01-01T00:00:00Z" });
    let reply = call(&gateway, &foreign, "POST", "/revoke", body).await;
    assert_eq!(reply.json()["revoked"], json!([]));
    let bare = send(&gateway, ("GET", CERTIFICATES), &[], b"").await;
    bare.is(401, "missing_credentials");
    for body in [
        json!({}),
        json!({ "serial": "01", "username": "x" }),
        json!({ "serial": "zz" }),
        json!({ "serial": "01", "reason": "boredom" }),
        json!({ "issuedBefore": "yesterday" }),
        json!({ "tokenId": "1" }),
        json!({ "everything": "yes" }),
    ] {
        let reply = call(&gateway, &gateway.token(), "POST", "/revoke", body).await;
        reply.is(400, "invalid_field");
    }
}
