//! Tokens of a whole tenant, revoked or counted (iam 1, row 22).

use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tollgate::audit::EventQuery;
use tollgate::audit::Kind;
use tollgate::iam::Caller;
use tollgate::model::TenantId;

use super::Api;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const SWEEP: &str = "/api/v2/auth/tenant/pat/revoke-all";

fn counts(answer: &Value) -> (u64, u64, u64) {
    let count = |name: &str| answer[name].as_u64().unwrap();
    (
        count("matchedPats"),
        count("revokedPats"),
        count("skippedPats"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_then_revoked_each_with_its_event() {
    let gateway = Gateway::start().await;
    gateway.clock.advance(Duration::from_hours(24));
    let (caller, _) = gateway.new_token(TENANT, "tenant-admin", None).await;
    let (used, _) = gateway.new_token(TENANT, "tenant-user", None).await;
    let (idle, idle_id) = gateway.new_token(TENANT, "tenant-user", None).await;
    let (mighty, _) = gateway.new_token(TENANT, "skylight-admin", None).await;
    let (foreign, _) = gateway.new_token("other", "tenant-user", None).await;
    gateway.clock.advance(Duration::from_hours(24 * 40));
    let api = Api::new(&gateway, &caller);
    let client = async |token: &str| gateway.anonymous().await.bearer(token);
    for token in [&used, &mighty, &foreign] {
        client(token).await.capabilities().await.unwrap();
    }
    gateway.store_uses().await;
    gateway.clock.advance(Duration::from_hours(24 * 40));
    client(&caller).await.capabilities().await.unwrap();
    gateway.store_uses().await;
    let before = gateway.newest_event().await;

    // Of the gateway's first account's token, `idle`, and `mighty`, which a tenant's administrator must not touch.
    let unused = json!({ "unusedSince": "2026-07-25T00:00:00Z" });
    let told = api
        .post(&format!("{SWEEP}?dryRun=true"), unused.clone())
        .await
        .ok();
    assert_eq!(counts(&told), (3, 0, 1), "{told}");
    assert_eq!(
        (&told["dryRun"], &told["tenantId"]),
        (&json!(true), &json!(TENANT))
    );
    assert_eq!(gateway.newest_event().await, before);

    let narrower = json!({ "unusedSince": "2026-07-01T00:00:00Z", "createdBefore": "now" });
    let told = api.post(SWEEP, narrower).await.ok();
    assert_eq!(counts(&told), (2, 2, 0), "{told}");
    client(&idle).await.capabilities().await.unwrap_err();
    client(&used).await.capabilities().await.unwrap();
    client(&foreign).await.capabilities().await.unwrap();

    let query = EventQuery {
        after: before,
        kind: Some(Kind::PatRevoked),
        ..EventQuery::of(Some(TenantId::new(TENANT)))
    };
    let operator = Caller::operator();
    let events = gateway.accounts().events(&operator, &query).await.unwrap();
    let members: Vec<_> = events
        .iter()
        .map(tollgate::audit::Link::to_members)
        .collect();
    assert_eq!(members.len(), 2);
    assert!(members.iter().any(|event| event["subjectId"] == idle_id));
    assert!(
        members
            .iter()
            .all(|event| event["reason"] == "bulk_revocation")
    );
    gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sweep_without_a_condition_or_right_is_refused() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    api.post(SWEEP, json!({})).await.is(400, "missing_field");
    let wrong = json!({ "expiresBefore": "soon" });
    api.post(SWEEP, wrong).await.is(400, "invalid_field");
    let ahead = json!({ "createdBefore": "2099-01-01T00:00:00Z" });
    api.post(SWEEP, ahead).await.is(400, "invalid_field");
    let all = json!({ "expiresBefore": "9999-12-31T23:59:59Z" });
    let path = format!("{SWEEP}?dryRun=maybe");
    assert_eq!(api.post(&path, all.clone()).await.status, 400);
    let reader = gateway.token_of(TENANT, "tenant-user").await;
    let reader = Api::new(&gateway, &reader);
    reader.post(SWEEP, all).await.is(403, "insufficient_role");
    gateway.drain().await;
}
