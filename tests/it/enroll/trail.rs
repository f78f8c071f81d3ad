//! Every decision is in the audit trail before it is answered (restconf-pki 3.2.16).

use super::csr;
use super::events;
use super::sign;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

#[tokio::test]
async fn every_decision_is_told_with_all_that_it_rests_on() {
    let gateway = Gateway::start().await;
    let token = gateway.token();
    let reply = sign(&gateway, &token, "", csr(gateway.account()).as_bytes()).await;
    let identity = reply.identity();
    let issued = events(&gateway, "certificate.issued").await;
    assert_eq!(issued.len(), 1);
    let event = &issued[0];
    assert_eq!(event["outcome"], "success");
    assert_eq!(event["subject"], "certificate");
    assert_eq!(event["subjectId"], identity.serial.to_string());
    assert_eq!(event["subjectName"], gateway.account());
    assert_eq!(event["actorId"], identity.account.to_string());
    assert_eq!(event["tenant"], TENANT);
    assert_eq!(event["address"], "127.0.0.1");
    assert_eq!(event["request"], reply.header("x-request-id").unwrap());
    assert!(event["actorToken"].is_string() && event["at"].is_string());
    let detail = event["detail"].as_str().unwrap();
    let key = tollgate::pki::hex(&identity.key_hash);
    for part in [
        "csr ",
        &format!("key {key}"),
        &format!("user {}", gateway.account()),
        "roles tenant-admin",
        "rule own",
        &format!("from {}", identity.not_before),
        &format!("until {}", identity.not_after),
    ] {
        assert!(detail.contains(part), "{part} {detail}");
    }
    assert!(!event.to_string().contains(&token));

    let refused = sign(&gateway, &token, "", csr("nobody").as_bytes()).await;
    refused.is(404, "not_found");
    let weak = gateway.token_of(TENANT, "tenant-user").await;
    let refused = sign(&gateway, &weak, "", csr("nobody").as_bytes()).await;
    refused.is(403, "insufficient_role");
    let events = events(&gateway, "certificate.refused").await;
    let reasons: Vec<_> = events.iter().map(|event| &event["reason"]).collect();
    assert_eq!(reasons, ["not_found", "insufficient_role"]);
    assert_eq!(events[0]["outcome"], "failure");
    assert!(
        events[0]["detail"]
            .as_str()
            .unwrap()
            .contains("user nobody")
    );
}

#[tokio::test]
async fn what_cannot_be_told_is_not_done() {
    let gateway = Gateway::start().await;
    let database = gateway.data_dir().join("tollgate.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("ALTER TABLE audit RENAME TO hidden")
        .execute(&pool)
        .await
        .unwrap();
    let token = gateway.token();
    let reply = sign(&gateway, &token, "", csr(gateway.account()).as_bytes()).await;
    reply.is(503, "unavailable");
    assert_eq!(reply.header("retry-after"), Some("1"));
    let refused = sign(&gateway, &token, "", b"garbage").await;
    refused.is(503, "unavailable");
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM certificates")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, 0);
}
