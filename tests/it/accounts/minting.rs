//! Whether a Personal Access Token may issue tokens (iam 1, row 14).

use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tollgate::iam::Minting;

use super::Api;
use super::PASSWORD;
use super::ROOT;
use super::UNTIL;
use super::account;
use super::person;
use super::text;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const MONTH: Duration = Duration::from_hours(30 * 24);

async fn start(minting: Minting) -> Gateway {
    Gateway::start_with(|settings| settings.iam.minting = minting).await
}

async fn counts(gateway: &Gateway, token: &str) -> bool {
    let client = gateway.anonymous().await.bearer(token);
    client.capabilities().await.is_ok()
}

/// Makes an account and a token of it. The page of its tokens, and what was answered.
async fn issue(api: &Api<'_>) -> (String, Value) {
    let pats = format!("{}/pat", api.new_account("export").await);
    let until = json!({ "expirationDate": UNTIL });
    let child = api.post(&pats, until).await.created();
    (pats, child)
}

#[tokio::test(flavor = "multi_thread")]
async fn token_issues_none_where_that_is_off_and_a_person_does() {
    let gateway = start(Minting::Off).await;
    let api = Api::admin(&gateway);
    let made = api.post(ROOT, account("export")).await.created();
    let one = format!("{ROOT}/{}", text(&made["machineUserId"]));
    let pats = format!("{one}/pat");
    let body = json!({ "expirationDate": UNTIL });
    api.post(&pats, body.clone())
        .await
        .is(403, "pat_minting_off");
    let mut with = account("other");
    with["expirationDate"] = UNTIL.into();
    let create = format!("{ROOT}?withPAT=true");
    api.post(&create, with).await.is(403, "pat_minting_off");

    let role = "tenant-admin".parse().unwrap();
    person(&gateway, TENANT, "boss", role).await;
    let form = Api::bare(&gateway)
        .without("Content-Type")
        .with("Content-Type", "application/x-www-form-urlencoded");
    let sent = format!("username=boss&password={}", PASSWORD.replace(' ', "+"));
    let answer = form
        .send("POST", "/api/v1/auth/login", sent.as_bytes())
        .await;
    let session = answer.header("authorization").unwrap();
    let session = session.strip_prefix("Bearer ").unwrap();
    let issued = Api::new(&gateway, session)
        .post(&pats, body)
        .await
        .created();
    let rotate = format!("{pats}/{}/rotate", text(&issued["credentialId"]));
    api.post(&rotate, json!({}))
        .await
        .is(403, "pat_minting_off");
    assert!(counts(&gateway, &text(&issued["pat"])).await);
    gateway.drain().await;
}

/// With a client secret sessions are opened, which issue tokens that are nobody's children.
#[tokio::test(flavor = "multi_thread")]
async fn token_gives_out_no_client_secret_unless_it_may_issue_any() {
    for (minting, status) in [
        (Minting::On, "200"),
        (Minting::Child, "403"),
        (Minting::Off, "403"),
    ] {
        let gateway = start(minting).await;
        let account = gateway.new_account(TENANT, "tenant-user").await;
        let (token, _) = gateway.new_token(TENANT, "tenant-admin", Some(MONTH)).await;
        let request = format!(
            "PUT /management/v1/users/{account}/secret HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        let answer = gateway.iam_exchange(request.as_bytes()).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        gateway.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn child_ends_with_its_parent() {
    let gateway = start(Minting::Child).await;
    let (parent, parent_id) = gateway.new_token(TENANT, "tenant-admin", Some(MONTH)).await;
    let api = Api::new(&gateway, &parent);
    let (pats, child) = issue(&api).await;
    assert_eq!(child["expirationDate"], "2026-07-01T12:00:00Z");
    let sooner = json!({ "expirationDate": "2026-06-02T00:00:00Z" });
    let sooner = api.post(&pats, sooner).await.created();
    assert_eq!(sooner["expirationDate"], "2026-06-02T00:00:00Z");

    // A child that is replaced hands its own child, and its parent, on to what replaces it.
    let rotate = format!("{pats}/{}/rotate", text(&child["credentialId"]));
    let child = text(&child["pat"]);
    let by_child = Api::new(&gateway, &child);
    let grandchild = by_child
        .post(&pats, json!({ "expirationDate": UNTIL }))
        .await;
    let grandchild = text(&grandchild.created()["pat"]);
    let at_once = json!({ "overlapSeconds": 0, "expirationDate": UNTIL });
    let replaced = by_child.post(&rotate, at_once).await.created();
    assert_eq!(replaced["expirationDate"], "2026-07-01T12:00:00Z");
    let replaced = text(&replaced["pat"]);
    for (token, expected) in [(&child, false), (&replaced, true), (&grandchild, true)] {
        assert_eq!(counts(&gateway, token).await, expected);
    }

    let before = gateway.newest_event().await;
    gateway.revoke(TENANT, &parent_id).await;
    let trail = format!("/api/v2/auth/audit?after={before}&kind=pat.revoked");
    let trail = Api::admin(&gateway).get(&trail).await.ok();
    assert_eq!(trail["data"].as_array().unwrap().len(), 1, "{trail}");
    let told = trail["data"][0]["tokens"].as_array().unwrap();
    assert_eq!(told.len(), 3, "{trail}");
    assert!(told.contains(&sooner["credentialId"]), "{trail}");
    for token in [&parent, &replaced, &grandchild, &text(&sooner["pat"])] {
        assert!(!counts(&gateway, token).await);
    }
    assert!(counts(&gateway, &gateway.token()).await);
    gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn child_is_made_no_longer_whoever_replaces_it() {
    let gateway = start(Minting::Child).await;
    let (parent, _) = gateway.new_token(TENANT, "tenant-admin", Some(MONTH)).await;
    let api = Api::new(&gateway, &parent);
    let (pats, child) = issue(&api).await;
    let rotate = format!("{pats}/{}/rotate", text(&child["credentialId"]));
    let at_once = json!({ "overlapSeconds": 0, "expirationDate": UNTIL });
    let admin = Api::admin(&gateway);
    let replaced = admin.post(&rotate, at_once).await.created();
    assert_eq!(replaced["expirationDate"], "2026-07-01T12:00:00Z");
    gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_issues_what_it_likes_by_default() {
    let gateway = start(Minting::default()).await;
    let (parent, parent_id) = gateway.new_token(TENANT, "tenant-admin", Some(MONTH)).await;
    let api = Api::new(&gateway, &parent);
    let (_, child) = issue(&api).await;
    assert_eq!(child["expirationDate"], UNTIL);
    gateway.revoke(TENANT, &parent_id).await;
    assert!(counts(&gateway, &text(&child["pat"])).await);
    gateway.drain().await;
}
