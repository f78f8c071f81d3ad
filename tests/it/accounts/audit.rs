//! The audit trail as administrators read it (iam 3.5; iam section 8, 15).

use serde_json::Value;
use serde_json::json;

use super::Api;
use super::ROOT;
use super::UNTIL;
use super::account;
use super::text;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

const TRAIL: &str = "/api/v2/auth/audit";

/// The words of a page's events.
fn words(page: &Value) -> Vec<&str> {
    let events = page["data"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect()
}

/// The numbers of all events, read a page at a time, as a collector would.
async fn numbers(api: &Api<'_>, first: &str) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(at) = path {
        let page = api.get(&at).await.ok();
        let events = page["data"].as_array().unwrap();
        numbers.extend(events.iter().map(|event| event["seq"].as_u64().unwrap()));
        path = page["links"]["next"].as_str().map(str::to_owned);
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mutation_over_http_is_one_event_with_who_what_and_how() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway)
        .with("X-Request-Id", "ticket-7")
        .with("User-Agent", "curl/8");
    let before = gateway.newest_event().await;
    let query = format!("{ROOT}?withPAT=true&roles=service-account-manager");
    let mut body = account("streamer");
    body["expirationDate"] = UNTIL.into();
    let made = api.post(&query, body).await.created();
    let id = text(&made["machineUserId"]);
    let path = format!("{ROOT}/{id}");
    let (pat, _) = api.new_pat(&path).await;
    let rotated = api
        .post(&format!("{path}/pat/{pat}/rotate"), json!({}))
        .await
        .created();
    api.patch(&path, json!({ "name": "other" })).await.ok();
    api.put(
        &format!("{path}/roles"),
        json!({ "roles": ["tenant-admin"] }),
    )
    .await
    .ok();
    api.post(&format!("{path}/disable"), json!({})).await.ok();
    api.post(&format!("{path}/enable"), json!({})).await.ok();
    let rotated = text(&rotated["credentialId"]);
    api.delete(&format!("{path}/pat/{rotated}")).await.ok();
    api.post(&format!("{path}/pat/revoke-all"), json!({}))
        .await
        .ok();
    api.delete(&path).await.ok();
    // What is refused changes nothing, and is no mutation.
    api.delete(&path).await.is(404, "not_found");

    let page = api.get(&format!("{TRAIL}?after={before}")).await.ok();
    assert_eq!(
        words(&page),
        [
            "account.created",
            "pat.created",
            "pat.rotated",
            "account.updated",
            "account.roles_changed",
            "account.disabled",
            "account.enabled",
            "pat.revoked",
            "pat.revoked",
            "account.deleted",
        ]
    );
    for event in page["data"].as_array().unwrap() {
        assert_eq!(event["outcome"], "success", "{event}");
        assert_eq!(event["actor"], "account", "{event}");
        assert_eq!(event["tenant"], TENANT, "{event}");
        assert_eq!(event["address"], "127.0.0.1", "{event}");
        assert_eq!(event["protocol"], "https", "{event}");
        assert_eq!(event["request"], "ticket-7", "{event}");
        assert_eq!(event["userAgent"], "curl/8", "{event}");
        assert!(event["actorToken"].is_string(), "{event}");
        let about = [&event["account"], &event["subjectId"]];
        assert!(about.contains(&&json!(id)), "{event}");
    }
    let of_account = api.get(&format!("{TRAIL}?account={id}")).await.ok();
    assert_eq!(words(&of_account), words(&page));
    gateway.accounts().verify_events().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_end_by_one_act_are_named_in_its_event() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let before = gateway.newest_event().await;
    let path = api.new_account("streamer").await;
    let mut ended = Vec::new();
    for _ in 0..2 {
        ended.push(api.new_pat(&path).await.0);
    }
    ended.sort_unstable();
    api.post(&format!("{path}/pat/revoke-all"), json!({}))
        .await
        .ok();
    let (alone, _) = api.new_pat(&path).await;
    api.delete(&format!("{path}/pat/{alone}")).await.ok();
    let (last, _) = api.new_pat(&path).await;
    api.delete(&path).await.ok();

    let page = api.get(&format!("{TRAIL}?after={before}")).await.ok();
    let told = page["data"].as_array().unwrap().iter().map(|event| {
        let tokens = event["tokens"].as_array();
        let mut tokens: Vec<_> = tokens.into_iter().flatten().map(text).collect();
        tokens.sort_unstable();
        (event["event"].as_str().unwrap(), tokens)
    });
    let told: Vec<_> = told.filter(|(word, _)| *word != "pat.created").collect();
    assert_eq!(
        told,
        [
            ("account.created", Vec::new()),
            ("pat.revoked", ended),
            // The token itself is the subject.
            ("pat.revoked", Vec::new()),
            ("account.deleted", vec![last]),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn trail_is_read_in_pages_that_miss_and_repeat_nothing() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    for number in 0..7 {
        api.new_account(&format!("account-{number}")).await;
    }
    let all = numbers(&api, TRAIL).await;
    assert!(all.len() >= 7 && all.is_sorted_by(|one, next| one < next));
    assert_eq!(numbers(&api, &format!("{TRAIL}?limit=2")).await, all);
    let created = format!("{TRAIL}?limit=1&kind=account.created&from=2026-06-01T12%3A00%3A00Z");
    let created = numbers(&api, &created).await;
    // Two came with the gateway.
    assert_eq!(created.len(), 9);
    let none = format!("{TRAIL}?to=2026-06-01T12%3A00%3A00Z");
    assert!(numbers(&api, &none).await.is_empty());

    for wrong in [
        "after=-1",
        "after=x",
        "after=99999999999999999999",
        "limit=0",
        "limit=501",
        "kind=nothing",
        "from=yesterday",
        "to=",
        "allTenants=maybe",
        "sort=at",
        "limit=1&limit=2",
    ] {
        api.get(&format!("{TRAIL}?{wrong}"))
            .await
            .is(400, "invalid_parameter");
    }
    let answer = api.post(TRAIL, json!({})).await;
    assert_eq!(answer.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn trail_is_for_administrators_of_its_tenant() {
    let gateway = Gateway::start().await;
    let other = gateway.token_of("other", "tenant-admin").await;
    let root = gateway.token_of("root", "skylight-admin").await;
    Api::bare(&gateway)
        .get(TRAIL)
        .await
        .is(401, "missing_credentials");
    for role in [
        "service-account-manager",
        "tenant-user",
        "tenant-contributor",
    ] {
        let token = gateway.token_of(TENANT, role).await;
        Api::new(&gateway, &token)
            .get(TRAIL)
            .await
            .is(403, "insufficient_role");
    }
    Api::new(&gateway, &other)
        .get(TRAIL)
        .await
        .is(403, "tenant_mismatch");
    let all = format!("{TRAIL}?allTenants=true");
    Api::admin(&gateway)
        .get(&all)
        .await
        .is(403, "insufficient_role");

    // Who acts in another tenant leaves a trace in both (iam X6).
    let in_pca = Api::new(&gateway, &root);
    let made = in_pca.post(ROOT, account("guest")).await.created();
    let by_guest = format!("{TRAIL}?account={}", text(&made["machineUserId"]));
    let at = |token: &str, tenant: &str| {
        Api::new(&gateway, token)
            .without("X-Forwarded-Tenant-Id")
            .with("X-Forwarded-Tenant-Id", tenant)
    };
    for (reader, tenant, sees) in [
        (gateway.token(), TENANT, 1),
        (root.clone(), "root", 1),
        (other.clone(), "other", 0),
    ] {
        let page = at(&reader, tenant).get(&by_guest).await.ok();
        assert_eq!(words(&page).len(), sees, "{tenant}: {page}");
        if let Some(event) = page["data"].get(0) {
            assert_eq!(event["tenant"], TENANT);
            assert_eq!(event["actorTenant"], "root");
        }
    }
    let page = at(&root, "root").get(&all).await.ok();
    assert!(words(&page).contains(&"tenant.created"));
}
