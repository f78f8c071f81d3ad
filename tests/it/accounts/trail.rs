//! What the audit trail tells of those who were refused, and of streams that ended (iam A1, A2, L6).

use serde_json::Value;
use serde_json::json;
use tollgate::audit::EventQuery;
use tollgate::audit::Kind;
use tollgate::iam::Caller;
use tollgate::iam::NewPat;
use tollgate::model::Expiry;
use tollgate::model::TenantId;

use super::Api;
use super::PASSWORD;
use super::ROOT;
use super::account;
use super::person;
use super::text;
use crate::client::first;
use crate::client::in_time;
use crate::client::on_change;
use crate::client::once;
use crate::gateway::ADMIN_USERNAME;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

/// The newest event of a kind and with a reason. What is no mutation is stored within a second.
async fn told(gateway: &Gateway, kind: Kind, reason: &str) -> Value {
    let query = EventQuery {
        kind: Some(kind),
        ..EventQuery::of(None)
    };
    let found = async {
        loop {
            let operator = Caller::operator();
            let links = gateway.accounts().events(&operator, &query).await.unwrap();
            let bodies = links.iter().rev();
            let mut events = bodies.map(|link| serde_json::from_str::<Value>(&link.body).unwrap());
            if let Some(event) = events.find(|event| event["reason"] == reason) {
                return event;
            }
            tokio::task::yield_now().await;
        }
    };
    in_time(found).await
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_told_with_class_token_and_tenant() {
    let gateway = Gateway::start().await;
    let (token, id) = gateway.new_token(TENANT, "tenant-user", None).await;
    gateway.revoke(TENANT, &id).await;
    let client = gateway.anonymous().await;
    client
        .clone()
        .bearer(&token)
        .capabilities()
        .await
        .unwrap_err();
    let event = told(&gateway, Kind::AuthenticationFailed, "token_revoked").await;
    assert_eq!(event["outcome"], "failure");
    assert_eq!(event["subjectId"], id, "{event}");
    assert_eq!(event["tenant"], TENANT, "whose it is shows in the store");
    assert_eq!(event["protocol"], "gnmi");
    assert_eq!(event["address"], "127.0.0.1");
    assert!(event["userAgent"].as_str().unwrap().contains("tonic"));

    let unknown = gateway.unknown_token();
    client.bearer(&unknown).capabilities().await.unwrap_err();
    let event = told(&gateway, Kind::AuthenticationFailed, "unknown").await;
    assert!(event.get("subjectId").is_none() && event.get("tenant").is_none());

    // Whose password is guessed shows to its tenant, and to nobody else.
    let anna = gateway.anonymous().await.with("username", ADMIN_USERNAME);
    let wrong = anna.with("password", "a guess").capabilities().await;
    assert_eq!(wrong.unwrap_err().message(), "invalid credentials");
    let event = told(&gateway, Kind::AuthenticationFailed, "wrong_password").await;
    assert_eq!(
        (&event["tenant"], &event["subjectName"]),
        (&json!(TENANT), &json!(ADMIN_USERNAME))
    );

    let garbled = Api::new(&gateway, "nonsense").with("X-Request-Id", "ticket-8");
    garbled
        .get(&format!("{ROOT}/self"))
        .await
        .is(401, "invalid_token");
    let event = told(&gateway, Kind::AuthenticationFailed, "garbled").await;
    assert_eq!(event["protocol"], "https");
    assert_eq!(event["request"], "ticket-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn good_token_from_a_wrong_address_is_of_high_severity() {
    let gateway = Gateway::start().await;
    let account = gateway.new_account(TENANT, "tenant-user").await;
    let new = NewPat {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        ..NewPat::until(Expiry::NEVER)
    };
    let (operator, tenant) = (Caller::operator(), TenantId::new(TENANT));
    let issued = gateway
        .accounts()
        .create_pat(&operator, &tenant, account, new)
        .await
        .unwrap();
    let client = gateway.anonymous().await.bearer(issued.token.expose());
    let refused = client.capabilities().await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied);
    let event = told(&gateway, Kind::AddressNotAllowed, "ip_not_allowed").await;
    assert_eq!(event["severity"], "high");
    assert_eq!(event["subjectId"], issued.record.id.to_string());
    assert_eq!(event["account"], account.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn denials_are_told_on_every_face() {
    let gateway = Gateway::start().await;
    gateway.new_account("other", "tenant-user").await;
    let (token, id) = gateway
        .new_token(TENANT, "service-account-manager", None)
        .await;
    let client = gateway.anonymous().await.bearer(&token);
    let kind = Kind::AccessDenied;

    let foreign = client.clone().with("x-forwarded-tenant-id", "other");
    foreign.refused(first(once(&["/a"]))).await;
    let event = told(&gateway, kind, "tenant_mismatch").await;
    assert_eq!(
        (&event["tenant"], &event["actorToken"]),
        (&json!(TENANT), &json!(id))
    );
    assert_eq!(event["protocol"], "gnmi");
    client.refused(first(once(&["/a"]))).await;
    let event = told(&gateway, kind, "insufficient_role").await;
    assert_eq!(event["outcome"], "failure");

    // Asking for more than it has itself: on the account API, then on the other.
    let api = Api::new(&gateway, &token);
    api.post(ROOT, account("more"))
        .await
        .is(403, "role_exceeds_caller");
    let event = told(&gateway, kind, "role_exceeds_caller").await;
    assert_eq!(event["protocol"], "https");

    let (user, id) = gateway.new_token(TENANT, "tenant-user", None).await;
    let request = format!(
        "POST /management/v1/users/machine HTTP/1.1\r\nhost: iam\r\nconnection: close\r\n\
         authorization: Bearer {user}\r\nx-request-id: ticket-9\r\ncontent-length: 0\r\n\r\n"
    );
    let answer = gateway.iam_exchange(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let told_of = async {
        loop {
            let event = told(&gateway, kind, "insufficient_role").await;
            if event["actorToken"] == id {
                return event;
            }
        }
    };
    assert_eq!(in_time(told_of).await["request"], "ticket-9");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_logins_and_introspections_leave_their_events() {
    let gateway = Gateway::start().await;
    let (token, id) = gateway.new_token(TENANT, "tenant-user", None).await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
        stream.until_sync().await;
        streams.push(stream);
    }
    gateway.revoke(TENANT, &id).await;
    for stream in &mut streams {
        stream.end().await;
    }
    let event = told(&gateway, Kind::StreamsEnded, "token_revoked").await;
    assert_eq!(event["detail"], "3 streams", "one event for all of them");
    assert_eq!(
        (&event["actor"], &event["subjectId"], &event["tenant"]),
        (&json!("gateway"), &json!(id), &json!(TENANT))
    );

    // The same as numbers (iam R10). A revocation by this process is in its log too.
    let metrics = async {
        loop {
            let metrics = gateway.admin_get("/metrics").await;
            if metrics.contains("tollgate_auth_revocation_propagation_seconds_count") {
                return metrics;
            }
        }
    };
    let metrics = in_time(metrics).await;
    for name in [
        r#"tollgate_auth_streams_closed_total{reason="token_revoked"}"#,
        "tollgate_auth_cache_hits_total",
        "tollgate_auth_cache_misses_total",
        "tollgate_auth_cache_negatives_total",
        "tollgate_auth_live_sessions",
        "tollgate_auth_failures_total",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }

    person(&gateway, TENANT, "berta", tollgate::iam::Role::TenantUser).await;
    let form = format!("username=berta&password={}", PASSWORD.replace(' ', "+"));
    let bare = Api::bare(&gateway).without("Content-Type");
    let login = bare
        .with("Content-Type", "application/x-www-form-urlencoded")
        .send("POST", "/api/v1/auth/login", form.as_bytes())
        .await;
    let bearer = login.header("authorization").unwrap().to_owned();
    let session = Api::bare(&gateway).with("Authorization", &bearer);
    assert_eq!(
        session
            .send("POST", "/api/v1/auth/logout", b"")
            .await
            .status,
        204
    );
    let query = format!(
        "/api/v2/auth/audit?account={}",
        text(&login.ok()["accountId"])
    );
    let page = Api::admin(&gateway).get(&query).await.ok();
    let events = page["data"].as_array().unwrap();
    let words: Vec<_> = events.iter().map(|event| &event["event"]).collect();
    assert_eq!(
        words,
        ["account.created", "session.opened", "session.ended"]
    );

    let ask = Api::admin(&gateway)
        .without("Content-Type")
        .with("Content-Type", "application/x-www-form-urlencoded");
    let body = format!("token={token}");
    let answer = ask
        .send("POST", "/oauth2/introspect", body.as_bytes())
        .await;
    assert_eq!(answer.ok(), json!({ "active": false }));
    let event = told(&gateway, Kind::IntrospectionRefused, "not_active").await;
    assert_eq!(event["tenant"], TENANT);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_in_another_tenant_leaves_a_trace_in_both() {
    let gateway = Gateway::start().await;
    let (token, id) = gateway.new_token("root", "skylight-admin", None).await;
    let client = gateway.anonymous().await.bearer(&token);
    client
        .with("x-forwarded-tenant-id", TENANT)
        .subscribe(on_change(&["/a"]))
        .await
        .unwrap();
    let visits = async |tenant: &str| {
        let query = EventQuery {
            kind: Some(Kind::TenantVisited),
            ..EventQuery::of(Some(TenantId::new(tenant)))
        };
        let operator = Caller::operator();
        let links = gateway.accounts().events(&operator, &query).await.unwrap();
        let bodies = links.iter().map(|link| serde_json::from_str(&link.body));
        bodies.map(Result::unwrap).collect::<Vec<Value>>()
    };
    in_time(async {
        while visits(TENANT).await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (there, home) = (visits(TENANT).await, visits("root").await);
    assert_eq!(there, home, "one event, which both may read");
    assert_eq!(there.len(), 1);
    assert_eq!(
        (&there[0]["actorToken"], &there[0]["actorTenant"]),
        (&json!(id), &json!("root"))
    );
}
