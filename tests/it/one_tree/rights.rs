//! Who sees and changes configuration in the tree.

use tollgate::wire::proto::gnmi as pb;
use tonic::Code;

use super::S_DESCRIPTION;
use super::at;
use super::changes;
use super::get_of;
use super::ietf;
use super::provision;
use super::text;
use super::update_of;
use crate::client::Event;
use crate::client::assert_status;
use crate::client::first;
use crate::client::in_time;
use crate::client::int;
use crate::client::on_change;
use crate::client::once;
use crate::client::update;
use crate::enroll::events;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::scopes::narrowed;

fn set(value: &str) -> pb::SetRequest {
    pb::SetRequest {
        update: vec![update_of(S_DESCRIPTION, text(value))],
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_nothing_and_changes_nothing() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = gateway.client().await;
    client.set(set("ours")).await.unwrap();
    let token = gateway.token_of("other", "tenant-admin").await;
    let other = gateway.anonymous().await.bearer(&token);
    let missing = other.get(get_of(pb::Encoding::Json, &["/sessions"])).await;
    assert_eq!(missing.unwrap_err().code(), Code::NotFound);
    let mut stream = changes(&other, "/").await;
    client.set(set("still ours")).await.unwrap();
    // Theirs is an entry of its own, without a type.
    let refused = other.set(set("theirs")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let endpoint = "/service-endpoints/service-endpoint[endpoint-id=e]/endpoint-id";
    let request = pb::SetRequest {
        update: vec![update_of(endpoint, text("e"))],
        ..Default::default()
    };
    other.set(request).await.unwrap();
    let told = stream.update().await;
    assert_eq!(told.path, endpoint);
    assert_eq!(ietf(&client, S_DESCRIPTION).await, "still ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_have_the_rights_that_they_have_over_restconf() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    gateway.publish("", "/other", int(1));
    for (role, reads, writes) in [
        ("tenant-admin", true, true),
        ("tenant-contributor", true, true),
        ("tenant-user", true, false),
        ("tenant-portal", false, false),
    ] {
        let token = gateway.token_of(TENANT, role).await;
        let client = gateway.anonymous().await.bearer(&token);
        let read = client.get(get_of(pb::Encoding::Json, &["/sessions"])).await;
        let code = read.map_or_else(|status| status.code(), |_| Code::Ok);
        let expected = if reads {
            Code::Ok
        } else {
            Code::PermissionDenied
        };
        assert_eq!(code, expected, "{role}");
        let written = client.set(set(role)).await;
        let code = written.map_or_else(|status| status.code(), |_| Code::Ok);
        let expected = if writes {
            Code::Ok
        } else {
            Code::PermissionDenied
        };
        assert_eq!(code, expected, "{role}");
        // Of everything, the telemetry is left.
        let mut stream = client.subscribe(once(&["/"])).await.unwrap();
        let leaves = stream.until_sync().await;
        assert!(leaves.iter().any(|leaf| leaf.path == "/other"), "{role}");
        let sees = leaves.iter().any(|leaf| leaf.origin == "rfc7951");
        assert_eq!(sees, reads, "{role}");
    }
    let token = gateway.token_of(TENANT, "tenant-portal").await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut list = on_change(&["/"]);
    list.subscription[0].path = Some(at("/sessions"));
    let refused = client.refused(first(list)).await;
    assert_status(&refused, Code::PermissionDenied, "configuration");
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_configuration_is_in_the_audit_trail() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    // One account each: the trail tells of each once a second.
    let mut asked = Vec::new();
    for rpc in ["get", "subscribe", "set"] {
        let account = gateway.new_account(TENANT, "tenant-portal").await;
        let token = gateway.token_for(TENANT, &account).await;
        let client = gateway.anonymous().await.bearer(&token);
        let code = match rpc {
            "get" => {
                let read = client.get(get_of(pb::Encoding::Json, &["/sessions"])).await;
                read.unwrap_err().code()
            }
            "set" => client.set(set("x")).await.unwrap_err().code(),
            _ => {
                let mut list = on_change(&["/"]);
                list.subscription[0].path = Some(at("/sessions"));
                client.refused(first(list)).await.code()
            }
        };
        assert_eq!(code, Code::PermissionDenied, "{rpc}");
        asked.push(account.to_string());
    }
    let client = narrowed(&gateway, &["path:rfc7951:/sessions"]).await;
    let outside = get_of(pb::Encoding::Json, &["/service-endpoints"]);
    client.get(outside).await.unwrap_err();
    let told = in_time(async {
        loop {
            let told = Box::pin(events(&gateway, "authorization.denied")).await;
            if told.len() > asked.len() {
                break told;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    for (account, event) in asked.iter().zip(&told) {
        assert_eq!(event["reason"], "insufficient_role", "{event}");
        assert_eq!(event["protocol"], "gnmi", "{event}");
        assert!(event.to_string().contains(account), "{event}");
    }
    assert_eq!(told[asked.len()]["reason"], "out_of_reach");
    assert_eq!(told.len(), asked.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn portal_that_names_no_origin_reads_those_of_telemetry() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    gateway.publish_origin("vendor", "/own", int(1));
    let token = gateway.token_of(TENANT, "tenant-portal").await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/"])).await.unwrap();
    let leaves = stream.until_sync().await;
    let origins: Vec<_> = leaves.iter().map(|leaf| leaf.origin.as_str()).collect();
    assert_eq!(origins, ["vendor"]);
    // Of these two it hears from the beginning on, also where there was nothing.
    for origin in ["", "accedian", "vendor"] {
        gateway.publish_origin(origin, "/own", int(2));
        assert_eq!(stream.update().await.origin, origin);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_ends_when_its_role_no_longer_reads_configuration() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let account = gateway.new_account(TENANT, "tenant-user").await;
    let token = gateway.token_for(TENANT, &account).await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = changes(&client, "/sessions").await;
    gateway
        .set_roles(TENANT, &account, &["tenant-portal"])
        .await;
    assert_eq!(stream.end().await.code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_of_a_token_narrow_configuration_too() {
    let gateway = Gateway::start().await;
    provision(&gateway).await;
    let client = narrowed(&gateway, &["path:rfc7951:/sessions"]).await;
    client.set(set("within")).await.unwrap();
    assert_eq!(ietf(&client, S_DESCRIPTION).await, "within");
    let outside = client
        .get(get_of(pb::Encoding::Json, &["/service-endpoints"]))
        .await;
    assert_eq!(outside.unwrap_err().code(), Code::PermissionDenied);
    let endpoint = "/service-endpoints/service-endpoint[endpoint-id=a]/description";
    let request = pb::SetRequest {
        update: vec![update_of(endpoint, text("x"))],
        ..Default::default()
    };
    let refused = client.set(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let telemetry = pb::SetRequest {
        update: vec![update("/telemetry", int(1))],
        ..Default::default()
    };
    let refused = client.set(telemetry).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut stream = client.subscribe(once(&["/"])).await.unwrap();
    while let Event::Update(leaf) = stream.next().await {
        assert!(leaf.path.starts_with("/sessions/"), "{}", leaf.path);
    }
}
