//! Nobody gives what it does not have (iam section 8, 6).

use serde_json::json;
use tollgate::iam::Role;

use super::Api;
use super::ROOT;
use super::UNTIL;
use super::account;
use super::person;
use super::text;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

async fn with_role<'a>(gateway: &'a Gateway, role: &str) -> Api<'a> {
    let token = gateway.token_of(TENANT, role).await;
    Api::new(gateway, &token)
}

#[tokio::test(flavor = "multi_thread")]
async fn manager_grants_itself_alone() {
    let gateway = Gateway::start().await;
    let manager = with_role(&gateway, "service-account-manager").await;
    // The vendor's default is more than a manager has.
    manager
        .post(ROOT, account("m1"))
        .await
        .is(403, "role_exceeds_caller");
    let asks = format!("{ROOT}?roles=tenant-admin");
    manager
        .post(&asks, account("m2"))
        .await
        .is(403, "role_exceeds_caller");
    let own = format!("{ROOT}?roles=service-account-manager");
    let made = manager.post(&own, account("m3")).await.created();
    let path = format!("{ROOT}/{}", text(&made["machineUserId"]));
    manager.new_pat(&path).await;

    let admin = Api::admin(&gateway);
    let path = admin.new_account("mighty").await;
    let body = json!({ "expirationDate": UNTIL });
    manager
        .post(&format!("{path}/pat"), body)
        .await
        .is(403, "role_exceeds_caller");
    manager
        .patch(&path, json!({ "name": "x" }))
        .await
        .is(403, "role_exceeds_caller");
    manager.delete(&path).await.is(403, "role_exceeds_caller");
    manager
        .send("POST", &format!("{path}/disable"), b"")
        .await
        .is(403, "role_exceeds_caller");
    let (pat, _) = admin.new_pat(&path).await;
    let rotate = format!("{path}/pat/{pat}/rotate");
    manager
        .post(&rotate, json!({}))
        .await
        .is(403, "role_exceeds_caller");
    manager
        .delete(&format!("{path}/pat/{pat}"))
        .await
        .is(403, "role_exceeds_caller");
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_cannot_make_a_skylight_admin() {
    let gateway = Gateway::start().await;
    let admin = Api::admin(&gateway);
    let asks = format!("{ROOT}?roles=tenant-admin,skylight-admin");
    admin
        .post(&asks, account("a1"))
        .await
        .is(403, "role_exceeds_caller");
    let path = admin.new_account("a2").await;
    let body = json!({ "roles": ["skylight-admin"] });
    admin
        .put(&format!("{path}/roles"), body)
        .await
        .is(403, "role_exceeds_caller");
    // A conflict is told before a missing right.
    admin
        .post(&asks, account("A2"))
        .await
        .is(409, "username_conflict");
    let sky = with_role(&gateway, "skylight-admin").await;
    sky.post(&asks, account("a1")).await.created();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_manage_has_self_alone() {
    let gateway = Gateway::start().await;
    for role in ["tenant-contributor", "tenant-user", "tenant-portal"] {
        let api = with_role(&gateway, role).await;
        api.post(ROOT, account("u"))
            .await
            .is(403, "insufficient_role");
        api.send("POST", &format!("{ROOT}/search"), b"")
            .await
            .is(403, "insufficient_role");
        let own = api.get(&format!("{ROOT}/self")).await.ok();
        assert_eq!(own["roles"], json!([role]));
        let path = format!("{ROOT}/{}", text(&own["accountId"]));
        api.get(&path).await.is(403, "insufficient_role");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn demoted_creator_loses_what_it_could_do() {
    let gateway = Gateway::start().await;
    let account_id = gateway.new_account(TENANT, "tenant-admin").await;
    let token = gateway.token_for(TENANT, &account_id).await;
    let api = Api::new(&gateway, &token);
    let path = api.new_account("child").await;
    gateway
        .set_roles(TENANT, &account_id, &["service-account-manager"])
        .await;
    let body = json!({ "expirationDate": UNTIL });
    api.post(&format!("{path}/pat"), body)
        .await
        .is(403, "role_exceeds_caller");
    gateway
        .set_roles(TENANT, &account_id, &["tenant-user"])
        .await;
    api.get(&path).await.is(403, "insufficient_role");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_not_service_accounts() {
    let gateway = Gateway::start().await;
    let id = person(&gateway, TENANT, "berta", Role::TenantUser).await;
    let api = Api::admin(&gateway);
    let path = format!("{ROOT}/{id}");
    api.get(&path).await.is(404, "not_found");
    api.delete(&path).await.is(404, "not_found");
    let body = json!({ "expirationDate": UNTIL });
    api.post(&format!("{path}/pat"), body)
        .await
        .is(404, "not_found");
    api.post(ROOT, account("BERTA"))
        .await
        .is(422, "username_conflicts_with_human");
    let found = api.send("POST", &format!("{ROOT}/search"), b"").await.ok();
    assert_eq!(found["meta"]["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_writers_of_one_name_wins() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let answers =
        futures_util::future::join_all((0..20).map(|_| api.post(ROOT, account("contested")))).await;
    let won = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(won, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.is(409, "username_conflict");
    }
}

/// Everything that writes to an account or its token.
fn writes(path: &str, pat: &str) -> Vec<(&'static str, String, serde_json::Value)> {
    let pat = format!("{path}/pat/{pat}");
    vec![
        ("PATCH", path.to_owned(), json!({ "name": "x" })),
        (
            "PUT",
            format!("{path}/roles"),
            json!({ "roles": ["service-account-manager"] }),
        ),
        (
            "PATCH",
            format!("{path}/policy"),
            json!({ "allowedCidrs": [] }),
        ),
        (
            "POST",
            format!("{path}/pat"),
            json!({ "expirationDate": UNTIL }),
        ),
        ("POST", format!("{pat}/rotate"), json!({})),
        ("DELETE", pat, json!({})),
        ("POST", format!("{path}/pat/revoke-all"), json!({})),
        ("POST", format!("{path}/disable"), json!({})),
        ("POST", format!("{path}/enable"), json!({})),
        ("DELETE", path.to_owned(), json!({})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_to_more_than_ones_own_roles() {
    let gateway = Gateway::start().await;
    let creator = gateway.new_account(TENANT, "tenant-admin").await;
    let token = gateway.token_for(TENANT, &creator).await;
    let api = Api::new(&gateway, &token);
    let path = api.new_account("mighty").await;
    let (pat, _) = api.new_pat(&path).await;
    let send = async |(method, path, body): &(&str, String, serde_json::Value)| {
        api.send(method, path, body.to_string().as_bytes()).await
    };
    // The creator is demoted: what it has made is above it now.
    for (role, code) in [
        ("service-account-manager", "role_exceeds_caller"),
        ("tenant-contributor", "insufficient_role"),
    ] {
        gateway.set_roles(TENANT, &creator, &[role]).await;
        for write in writes(&path, &pat) {
            let answer = send(&write).await;
            assert_eq!(answer.status, 403, "{write:?}: {}", answer.body);
            answer.is(403, code);
        }
    }
    // And back: each of them works, so that none was refused for another reason.
    gateway.set_roles(TENANT, &creator, &["tenant-admin"]).await;
    for write in writes(&path, &pat) {
        let answer = send(&write).await;
        assert!(
            matches!(answer.status, 200 | 201),
            "{write:?}: {}",
            answer.body
        );
    }
}
