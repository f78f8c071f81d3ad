//! What a certificate is worth as a credential (restconf-pki 3.2.3, 3.4.2).

use std::time::Duration;

use tonic::Code;

use super::DAY;
use super::account;
use super::certificates::issue;
use super::device;
use crate::client::assert_status;
use crate::client::first;
use crate::client::int;
use crate::client::on_change;
use crate::client::once;
use crate::client::update;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use tollgate::wire::proto::gnmi as pb;

fn set() -> pb::SetRequest {
    pb::SetRequest {
        update: vec![update("/own", int(4))],
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_alone_is_a_credential_on_every_face() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let device = device(&gateway, "probe", "tenant-admin").await;
    let client = device.client(&gateway).await;
    client.capabilities().await.unwrap();
    client.set(set()).await.unwrap();
    let leaves = client
        .subscribe(once(&["/a"]))
        .await
        .unwrap()
        .until_sync()
        .await;
    assert_eq!(leaves.len(), 1);

    let path = "/api/v2/auth/serviceaccount/self";
    let tenant = format!("x-forwarded-tenant-id: {TENANT}\r\n");
    let own = device.get(&gateway, path, &tenant).await;
    assert_eq!(
        (own.status, &own.body["username"]),
        (200, &"probe".into()),
        "{own:?}"
    );
    let session = device.get(&gateway, "/api/v1/auth/session", "").await;
    assert_eq!(
        (session.status, &session.body["username"]),
        (200, &"probe".into())
    );
    let validated = device.get(&gateway, "/api/v1/auth/validate", "").await;
    assert_eq!(validated.header("x-forwarded-user-username"), Some("probe"));
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_narrows_and_never_widens() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let admin = account(&gateway, "admin-device", "tenant-admin").await;
    let user = account(&gateway, "user-device", "tenant-user").await;
    let denied = Code::PermissionDenied;
    for (holder, name, roles, read, write) in [
        (
            admin,
            "admin-device",
            &["tenant-admin"][..],
            Code::Ok,
            Code::Ok,
        ),
        (admin, "admin-device", &["tenant-user"], Code::Ok, denied),
        (admin, "admin-device", &[], denied, denied),
        (admin, "admin-device", &["no-such-role"], denied, denied),
        (user, "user-device", &["tenant-user"], Code::Ok, denied),
        (user, "user-device", &["tenant-admin"], denied, denied),
        (
            user,
            "user-device",
            &["skylight-admin", "tenant-user"],
            Code::Ok,
            denied,
        ),
    ] {
        let device = issue(&gateway, holder, name, roles, DAY).await;
        let client = device.client(&gateway).await;
        let code =
            |result: Result<(), tonic::Status>| result.map_or_else(|s| s.code(), |()| Code::Ok);
        let request = pb::GetRequest {
            path: vec![crate::client::path("/a")],
            ..Default::default()
        };
        assert_eq!(
            code(client.get(request).await.map(drop)),
            read,
            "{name} {roles:?}"
        );
        assert_eq!(
            code(client.set(set()).await.map(drop)),
            write,
            "{name} {roles:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn role_cut_narrows_a_certificate_at_once_and_ends_its_streams() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-admin").await;
    let narrow = issue(&gateway, device.account, "probe", &["tenant-user"], DAY).await;
    let client = device.client(&gateway).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let other = narrow.client(&gateway).await;
    let mut kept = other.subscribe(on_change(&["/a"])).await.unwrap();
    kept.until_sync().await;

    gateway
        .set_roles(TENANT, &device.account, &["tenant-user"])
        .await;
    assert_eq!(stream.end().await.code(), Code::PermissionDenied);
    assert_eq!(
        client.set(set()).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    // What the narrower one was allowed, it still is.
    gateway.publish("", "/a/b", int(1));
    assert_eq!(kept.update().await.value, int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_grant_leaves_a_certificate_without_rights() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let device = device(&gateway, "probe", "tenant-user").await;
    let client = device.client(&gateway).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let roles = async || {
        let validated = device.get(&gateway, "/api/v1/auth/validate", "").await;
        assert_eq!(validated.status, 200, "it is still who it is");
        let roles = validated.header("x-forwarded-user-roles");
        roles.unwrap_or_default().to_owned()
    };
    assert_eq!(roles().await, "tenant-user");

    let operator = tollgate::iam::Caller::operator();
    let tenant = tollgate::model::TenantId::new(TENANT);
    let accounts = gateway.accounts();
    let suspended = accounts.suspend_roles(&operator, &tenant, device.account);
    assert!(suspended.await.unwrap());
    assert_eq!(stream.end().await.code(), Code::PermissionDenied);
    let status = client.refused(first(on_change(&["/a"]))).await;
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(roles().await, "");

    let resumed = accounts.resume_roles(&operator, &tenant, device.account);
    assert!(resumed.await.unwrap());
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    assert_eq!(stream.until_sync().await.len(), 1);
    assert_eq!(roles().await, "tenant-user");
}

#[tokio::test(flavor = "multi_thread")]
async fn account_decides_whether_its_certificate_counts() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-admin").await;
    let client = device.client(&gateway).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    gateway.disable(TENANT, &device.account).await;
    assert_status(&stream.end().await, Code::Unauthenticated, "disabled");
    assert_eq!(
        client.capabilities().await.unwrap_err().code(),
        Code::Unauthenticated
    );
    gateway.enable(TENANT, &device.account).await;
    gateway.until_ok(&client).await;

    // Another account of the same name is another account.
    let tenant = tollgate::model::TenantId::new(TENANT);
    let operator = tollgate::iam::Caller::operator();
    let accounts = gateway.accounts();
    accounts
        .delete(&operator, &tenant, device.account)
        .await
        .unwrap();
    account(&gateway, "probe", "tenant-admin").await;
    assert!(device.client(&gateway).await.capabilities().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_and_token_must_name_the_same_account() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-admin").await;
    let own = gateway.token_for(TENANT, &device.account).await;
    let client = device.client(&gateway).await;
    client.clone().bearer(&own).capabilities().await.unwrap();
    let foreign = client.clone().bearer(&gateway.token());
    let status = foreign.capabilities().await.unwrap_err();
    assert_status(&status, Code::PermissionDenied, "different users");
    assert_eq!(
        status.metadata().get("x-auth-reason").unwrap(),
        "certificate_mismatch"
    );
    let status = foreign.refused(first(once(&["/a"]))).await;
    assert_eq!(status.code(), Code::PermissionDenied);

    // A credential that fails is not made good by the certificate.
    let bad = client.clone().bearer("garbage");
    assert_eq!(
        bad.capabilities().await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let wrong = client.with("username", "anna").with("password", "wrong");
    assert_eq!(
        wrong.capabilities().await.unwrap_err().code(),
        Code::Unauthenticated
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_ends_its_streams_when_its_time_is_over() {
    let gateway = Gateway::start().await;
    let account = account(&gateway, "probe", "tenant-admin").await;
    let device = issue(
        &gateway,
        account,
        "probe",
        &["tenant-admin"],
        Duration::from_mins(2),
    )
    .await;
    let client = device.client(&gateway).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    assert!(stream.metadata.get("x-token-expires-at").is_some());
    stream.until_sync().await;
    gateway.clock.advance(Duration::from_secs(121));
    let status = stream.end().await;
    assert_status(&status, Code::Unauthenticated, "certificate expired");
    let serial = status.metadata().get("x-certificate-serial").unwrap();
    assert_eq!(*serial, device.serial.to_string());
    assert_eq!(
        client.capabilities().await.unwrap_err().code(),
        Code::Unauthenticated
    );
}
