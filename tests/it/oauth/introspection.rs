//! RFC 7662, on both ports.

use std::time::Duration;

use serde_json::json;

use super::Iam;
use super::Port;
use super::access_token;
use super::basic;
use super::client;
use super::form;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const INTROSPECT: &str = "/oauth2/introspect";

#[tokio::test(flavor = "multi_thread")]
async fn introspection_tells_of_active_tokens_alone() {
    let gateway = Gateway::start().await;
    let api = form::<Port>(&gateway).with("Authorization", &format!("Bearer {}", gateway.token()));
    let ask = async |token: &str| {
        let body = format!("token={token}&token_type_hint=access_token");
        api.send("POST", INTROSPECT, body.as_bytes()).await.ok()
    };
    let (token, id) = gateway.new_token(TENANT, "tenant-user", None).await;
    let told = ask(&token).await;
    assert_eq!((&told["active"], &told["jti"]), (&json!(true), &json!(id)));
    assert_eq!(told["roles"], json!(["tenant-user"]));
    assert_eq!(told["exp"], 253_402_300_799_i64);
    let (_, id2, secret) = client(&gateway, "tenant-user").await;
    let session = access_token(&gateway, &id2, &secret).await;
    assert_eq!(ask(&session).await["username"], id2);

    let inactive = json!({ "active": false });
    let (foreign, _) = gateway.new_token("other", "tenant-user", None).await;
    let ttl = Some(Duration::from_secs(5));
    let (short, _) = gateway.new_token(TENANT, "tenant-user", ttl).await;
    gateway.revoke(TENANT, &id).await;
    gateway.pass(Duration::from_secs(5));
    for token in [
        &token,
        &foreign,
        &short,
        &gateway.unknown_token(),
        "garbage",
    ] {
        assert_eq!(ask(token).await, inactive, "{token}");
    }
    let sky = gateway.token_of(TENANT, "skylight-admin").await;
    let sky = form::<Port>(&gateway).with("Authorization", &format!("Bearer {sky}"));
    let body = format!("token={foreign}");
    let told = sky.send("POST", INTROSPECT, body.as_bytes()).await.ok();
    assert_eq!(told["tenant_id"], "other");
    form::<Port>(&gateway)
        .send("POST", INTROSPECT, body.as_bytes())
        .await
        .refuses(401, "invalid_client");
    form::<Port>(&gateway)
        .with(
            "Authorization",
            &format!("Bearer {}", gateway.unknown_token()),
        )
        .send("POST", INTROSPECT, body.as_bytes())
        .await
        .refuses(401, "invalid_token");
    api.send("POST", INTROSPECT, b"")
        .await
        .refuses(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_is_for_managers_and_of_itself_for_everybody() {
    let gateway = Gateway::start().await;
    for (role, may_ask) in [
        ("tenant-admin", true),
        ("service-account-manager", true),
        ("tenant-contributor", false),
        ("tenant-user", false),
    ] {
        let token = gateway.token_of(TENANT, role).await;
        let api = form::<Port>(&gateway).with("Authorization", &format!("Bearer {token}"));
        let ask = async |body: &str| api.send("POST", INTROSPECT, body.as_bytes()).await;
        let own = ask(&format!("token={token}")).await.ok();
        assert_eq!(own["roles"], json!([role]));
        for body in [format!("token={}", gateway.token()), String::new()] {
            let answer = ask(&body).await;
            match (may_ask, body.is_empty()) {
                (false, _) => answer.refuses(403, "insufficient_scope"),
                (true, true) => answer.refuses(400, "invalid_request"),
                (true, false) => assert_eq!(answer.ok()["active"], true),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_may_ask_with_its_secret_on_both_ports() {
    let gateway = Gateway::start().await;
    let (_, id, secret) = client(&gateway, "service-account-manager").await;
    let token = gateway.token();
    let body = format!("token={token}");
    let basic = basic(&id, &secret);
    let port = form::<Port>(&gateway).with("Authorization", &basic);
    let told = port.send("POST", INTROSPECT, body.as_bytes()).await.ok();
    let iam = form::<Iam>(&gateway).with("Authorization", &basic);
    let zitadel = "/oauth/v2/introspect";
    assert_eq!(iam.send("POST", zitadel, body.as_bytes()).await.ok(), told);
    let by_form = format!("{body}&client_id={id}&client_secret={secret}");
    let iam = form::<Iam>(&gateway);
    assert_eq!(
        iam.send("POST", zitadel, by_form.as_bytes()).await.ok(),
        told
    );
    assert_eq!(told["active"], true);

    let (_, id, secret) = client(&gateway, "tenant-user").await;
    let by_form = format!("{body}&client_id={id}&client_secret={secret}");
    let api = form::<Iam>(&gateway);
    let answer = api.send("POST", zitadel, by_form.as_bytes()).await;
    answer.refuses(403, "insufficient_scope");
}
