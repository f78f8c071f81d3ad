//! The requests of Cisco NSO's NED for this product (restconf-pki 2.6), over a token and over mutual TLS.

use serde_json::Value;
use serde_json::json;

use super::Api;
use super::ENDPOINTS;
use super::POLICIES;
use super::SERVICES;
use super::SESSIONS;
use super::session;
use crate::gateway::Gateway;
use crate::mtls::device;

/// Wraps an entry as the NED does: in a one-element array.
fn one(list: &str, entry: &Value) -> Value {
    json!({ list: [entry] })
}

#[tokio::test(flavor = "multi_thread")]
async fn ned_sequence_passes_and_reads_back_what_it_sent() {
    let gateway = Gateway::start().await;
    sequence(Api::admin(&gateway)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ned_sequence_passes_over_mutual_tls() {
    let gateway = Gateway::start().await;
    let nso = device(&gateway, "nso", "tenant-contributor").await;
    let api = Api::bare(&gateway).on(&nso);
    sequence(api).await;
    let reader = device(&gateway, "reader", "tenant-user").await;
    let api = Api::bare(&gateway).on(&reader);
    api.get(ENDPOINTS).await.has_status(200);
    api.delete(ENDPOINTS).await.is(403, "access-denied");
}

async fn sequence(api: Api<'_>) {
    let streams = "/restconf/data/ietf-restconf-monitoring:restconf-state/streams";
    api.get(streams).await.has_status(200);
    for top in [ENDPOINTS, SESSIONS, SERVICES, POLICIES] {
        api.get(top).await.has_status(200);
    }
    let endpoint = |id: &str, ip: &str| {
        json!({
            "endpoint-id": id, "endpoint-name": format!("{id}-name"),
            "type": "Accedian-service-endpoint-type:ne-endpoint",
            "config": { "Accedian-service-endpoint-ne:ne-config": { "ne-id": id, "vlan-id": 123, "ip": ip } },
        })
    };
    let endpoints = [endpoint("a", "192.0.2.1"), endpoint("b", "2001:db8::1")];
    for entry in &endpoints {
        api.made(
            ENDPOINTS,
            one("Accedian-service-endpoint:service-endpoint", entry),
        )
        .await;
    }
    let mut entry = session("s");
    api.made(SESSIONS, one("Accedian-session:session", &entry))
        .await;
    let service =
        json!({ "service-id": "v", "service-name": "v-name", "sessions": [{ "session-id": "s" }] });
    api.made(SERVICES, one("Accedian-service:service", &service))
        .await;

    entry["description"] = json!("updated");
    let path = format!("{SESSIONS}/session=s");
    api.put(&path, one("Accedian-session:session", &entry))
        .await
        .has_status(204);
    api.send("POST", &format!("{path}/start"), b"")
        .await
        .has_status(204);
    let live = api.get(&format!("{path}/status")).await.ok();
    assert_eq!(
        live["Accedian-session:status"],
        json!({ "status": "running" })
    );

    let read = async |path: &str, container: &str| {
        let path = format!("{path}?content=config");
        api.get(&path).await.ok()[container].take()
    };
    assert_eq!(
        read(ENDPOINTS, "Accedian-service-endpoint:service-endpoints").await,
        json!({ "service-endpoint": endpoints })
    );
    assert_eq!(
        read(SESSIONS, "Accedian-session:sessions").await,
        json!({ "session": [entry] })
    );
    assert_eq!(
        read(SERVICES, "Accedian-service:services").await,
        json!({ "service": [service] })
    );

    for path in [
        format!("{SERVICES}/service=v"),
        path,
        format!("{ENDPOINTS}/service-endpoint=a"),
        format!("{ENDPOINTS}/service-endpoint=b"),
    ] {
        api.delete(&path).await.has_status(204);
    }
    let config = api.get("/restconf/data?content=config").await.ok();
    assert_eq!(config, json!({ "ietf-restconf:data": {} }));
}

#[tokio::test(flavor = "multi_thread")]
async fn ned_may_log_in_with_basic() {
    let gateway = Gateway::start().await;
    let encoded = {
        use base64::Engine as _;
        let pair = format!("token:{}", gateway.token());
        base64::engine::general_purpose::STANDARD.encode(pair)
    };
    let api = Api::bare(&gateway).with("Authorization", &format!("Basic {encoded}"));
    api.get(ENDPOINTS).await.has_status(200);
    let wrong = Api::bare(&gateway).with("Authorization", "Basic dTpw");
    wrong.get(ENDPOINTS).await.is(401, "access-denied");
}
