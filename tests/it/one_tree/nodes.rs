//! The tree after a restart, and on another node.

use serde_json::json;
use tollgate::wire::proto::gnmi as pb;
use tonic::Code;

use super::Api;
use super::ENDPOINTS;
use super::S_DESCRIPTION;
use super::changes;
use super::get_of;
use super::ietf;
use super::next_delete;
use super::next_update;
use super::provision;
use super::text;
use super::update_of;
use crate::gateway::Gateway;
use crate::nodes::two_nodes;
use crate::postgres;

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_what_was_set() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let request = pb::SetRequest {
        update: vec![update_of(S_DESCRIPTION, text("kept"))],
        ..Default::default()
    };
    let client = gateway.client().await;
    client.set(request).await.unwrap();
    let url = format!("{}/session=s/start", super::SESSIONS);
    Api::admin(&gateway)
        .send("POST", &url, b"")
        .await
        .status_is(204);
    let before = ietf(&client, "/sessions").await;
    drop(client);
    let gateway = gateway.restarted().await;
    let client = gateway.client().await;
    assert_eq!(ietf(&client, "/sessions").await, before);
    assert_eq!(ietf(&client, S_DESCRIPTION).await, "kept");
    assert_eq!(
        ietf(&client, "/sessions/session[session-id=s]/status/status").await,
        "running"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_another_node_come_too() {
    let Some(database) = postgres::database().await else {
        return;
    };
    let (one, two) = two_nodes(&database, |_| {}).await;
    provision(&one).await;
    let client = two.anonymous().await.bearer(&one.token());
    let mut stream = changes(&client, "/service-endpoints").await;
    // A Get has what was acknowledged before it, whoever has made it.
    for words in ["one", "two", "three"] {
        let request = pb::SetRequest {
            update: vec![update_of(S_DESCRIPTION, text(words))],
            ..Default::default()
        };
        one.client().await.set(request).await.unwrap();
        assert_eq!(ietf(&client, S_DESCRIPTION).await, words);
    }
    // A stream is told without being asked.
    let api = Api::new(&one, &one.token());
    let url = format!("{ENDPOINTS}/service-endpoint=n");
    let body = json!({ "Accedian-service-endpoint:service-endpoint": [{ "endpoint-id": "n" }] });
    api.put(&url, body).await.status_is(201);
    let n = "/service-endpoints/service-endpoint[endpoint-id=n]";
    let told = next_update(&mut stream).await;
    assert_eq!(told, (format!("{n}/endpoint-id"), text("n")));
    api.delete(&url).await.status_is(204);
    assert_eq!(next_delete(&mut stream).await, n);
    let missing = client.get(get_of(pb::Encoding::Json, &[n])).await;
    assert_eq!(missing.unwrap_err().code(), Code::NotFound);
}
