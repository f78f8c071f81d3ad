//! Authorizations that are deactivated (iam 2.5, B8): their roles are there, but do not count.

use std::net::IpAddr;

use serde_json::Value;
use serde_json::json;
use tollgate::audit::EventQuery;
use tollgate::audit::Kind;
use tollgate::iam::Caller;
use tollgate::iam::Credential;
use tollgate::secret::Secret;
use tonic::Code;
use tonic::Status;

use crate::client::Client;
use crate::client::in_time;
use crate::client::once;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::http;
use crate::http::Face;

use super::Api;
use super::pats;
use super::text;

const SEARCH: &str = "/management/v1/users/grants/_search";

async fn reads(client: &Client) -> Result<(), Code> {
    let read = async {
        let mut stream = client.subscribe(once(&["/a"])).await?;
        stream.try_next().await.map(drop)
    };
    read.await.map_err(|status: Status| status.code())
}

/// What changes of roles the audit trail tells of.
async fn told(gateway: &Gateway) -> Vec<String> {
    let query = EventQuery {
        kind: Some(Kind::RolesChanged),
        ..EventQuery::of(None)
    };
    let links = gateway.accounts().events(&Caller::operator(), &query).await;
    let detail = |body: &str| {
        let event: Value = serde_json::from_str(body).unwrap();
        text(&event["detail"])
    };
    let links = links.unwrap();
    links.iter().map(|link| detail(&link.body)).collect()
}

/// The vendor's API, on the gateway's port.
pub(super) struct Vendor;

impl Face for Vendor {
    const ON_IAM_PORT: bool = false;
}

#[tokio::test]
async fn inactive_grant_gives_no_role_until_it_is_reactivated() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a", crate::client::int(1));
    gateway.core.pump();
    let api = Api::new(&gateway, &gateway.token());
    let user = gateway.new_account(TENANT, "tenant-user").await.to_string();
    let token = text(&api.post(&pats(&user), json!({})).await.ok()["token"]);
    let client = gateway.anonymous().await.bearer(&token);
    reads(&client).await.unwrap();

    let grants = format!("/management/v1/users/{user}/grants");
    let grant = format!("{grants}/{user}");
    let (off, on) = (
        format!("{grant}/_deactivate"),
        format!("{grant}/_reactivate"),
    );
    let answer = api.post(&on, json!({})).await;
    answer.is(400, 9);
    assert_eq!(answer.body["details"][0]["id"], "GW-GrantActive");
    let changed = api.post(&off, json!({})).await.ok();
    assert_eq!(changed["details"]["sequence"], "2");
    let answer = api.post(&off, json!({})).await;
    answer.is(400, 9);
    assert_eq!(answer.body["details"][0]["id"], "GW-GrantInactive");
    assert_eq!(reads(&client).await, Err(Code::PermissionDenied));
    // The token itself is as good as before.
    Api::new(&gateway, &token).get(super::ME).await.ok();

    // It is there, with its roles, and found by them.
    let read = api.get(&grant).await.ok()["userGrant"].clone();
    assert_eq!(read["state"], "USER_GRANT_STATE_INACTIVE");
    assert_eq!(read["roleKeys"], json!(["tenant-user"]));
    let by_role = json!({ "queries": [{ "roleKeyQuery": { "roleKey": "tenant-user" } }] });
    assert_eq!(
        api.post(SEARCH, by_role).await.ok()["result"],
        json!([read])
    );
    let again = json!({ "projectId": "analytics", "roleKeys": ["tenant-user"] });
    api.post(&grants, again).await.is(409, 6);

    // Other roles do not make it active.
    let other = json!({ "roleKeys": ["tenant-contributor"] });
    api.put(&grant, other).await.ok();
    assert_eq!(reads(&client).await, Err(Code::PermissionDenied));
    api.post(&on, json!({})).await.ok();
    reads(&client).await.unwrap();
    let read = api.get(&grant).await.ok()["userGrant"].clone();
    assert_eq!(read["state"], "USER_GRANT_STATE_ACTIVE");
    assert_eq!(read["roleKeys"], json!(["tenant-contributor"]));

    // One that is removed while it is inactive is gone for good.
    api.post(&off, json!({})).await.ok();
    api.delete(&grant).await.ok();
    for path in [&off, &on] {
        api.post(path, json!({})).await.is(404, 5);
    }
    assert_eq!(
        told(&gateway).await,
        [
            "from tenant-user to tenant-user (suspended)",
            "from tenant-user (suspended) to tenant-contributor (suspended)",
            "from tenant-contributor (suspended) to tenant-contributor",
            "from tenant-contributor to tenant-contributor (suspended)",
            "from tenant-contributor (suspended) to none",
        ]
    );
}

#[tokio::test]
async fn service_account_api_shows_the_roles_that_count() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token());
    let user = gateway.new_account(TENANT, "tenant-user").await;
    let grant = format!("/management/v1/users/{user}/grants/{user}");
    let path = format!("{grant}/_deactivate");
    api.post(&path, json!({})).await.ok();
    let bearer = format!("Bearer {}", gateway.token());
    let vendor = http::Api::<Vendor>::bare(&gateway)
        .with("Authorization", &bearer)
        .with("X-Forwarded-Tenant-Id", TENANT);
    let account = format!("/api/v2/auth/serviceaccount/{user}");
    assert_eq!(vendor.get(&account).await.ok()["roles"], json!([]));
    // Roles that are given there count at once.
    gateway.set_roles(TENANT, &user, &["tenant-portal"]).await;
    let read = api.get(&grant).await.ok()["userGrant"].clone();
    assert_eq!(read["state"], "USER_GRANT_STATE_ACTIVE");
    assert_eq!(read["roleKeys"], json!(["tenant-portal"]));
    let roles = vendor.get(&account).await.ok()["roles"].clone();
    assert_eq!(roles, json!(["tenant-portal"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn inactive_grant_narrows_introspection_and_another_node_at_once() {
    let gateway = Gateway::start().await;
    let other = gateway.another_node().await;
    let api = Api::new(&gateway, &gateway.token());
    let account = gateway.new_account(TENANT, "tenant-user").await;
    let token = gateway.token_for(TENANT, &account).await;
    let asking = http::Api::<Vendor>::bare(&gateway)
        .without("Content-Type")
        .with("Content-Type", "application/x-www-form-urlencoded")
        .with("Authorization", &format!("Bearer {}", gateway.token()));
    let introspected = async || {
        let body = format!("token={token}");
        let told = asking.send("POST", "/oauth2/introspect", body.as_bytes());
        told.await.ok()["roles"].clone()
    };
    let elsewhere = async || {
        let shown = Credential::Bearer(Secret::new(token.as_str()));
        let here = IpAddr::from([127, 0, 0, 1]);
        let known = other.identity().authenticator.authenticate(shown, here);
        known.await.unwrap().roles.is_empty()
    };
    assert_eq!(introspected().await, json!(["tenant-user"]));
    assert!(!elsewhere().await);
    let grant = format!("/management/v1/users/{account}/grants/{account}");
    for (verb, roles) in [
        ("_deactivate", json!([])),
        ("_reactivate", json!(["tenant-user"])),
    ] {
        api.post(&format!("{grant}/{verb}"), json!({})).await.ok();
        assert_eq!(introspected().await, roles, "{verb}");
        // The other node follows the log, long before its cache's time is over: its clock stands.
        in_time(async { while elsewhere().await != (roles == json!([])) {} }).await;
    }
    other.drain().await;
    gateway.drain().await;
}
