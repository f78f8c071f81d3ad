//! The next certificate by the one that holds (restconf-pki 3.2.19).

use std::time::Duration;

use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;

use super::Reply;
use super::SIGN;
use super::csr;
use super::csr_of;
use super::enrolled;
use super::send_as;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::mtls::Device;
use crate::mtls::VALIDATE;
use crate::mtls::account;

const TYPED: [(&str, &str); 1] = [("Content-Type", "application/octet-stream")];

async fn renew(gateway: &Gateway, device: &Device, query: &str, csr: &str) -> Reply {
    let path = format!("{SIGN}{query}");
    send_as(device, gateway, ("POST", &path), &TYPED, csr.as_bytes()).await
}

async fn device(gateway: &Gateway) -> Device {
    account(gateway, "device-7", "tenant-user").await;
    enrolled(gateway, &gateway.token(), "device-7", "?certduration=100").await
}

#[tokio::test]
async fn device_renews_with_its_own_certificate_and_both_hold_for_a_while() {
    let gateway = Gateway::start().await;
    let old = device(&gateway).await;
    renew(&gateway, &old, "", &csr("device-7"))
        .await
        .is(403, "renewal_too_early");
    gateway.pass(Duration::from_hours(51));
    let key = KeyPair::generate().unwrap();
    let csr = csr_of(&key, Some("device-7"));
    let reply = renew(&gateway, &old, "?certduration=100", &csr).await;
    let identity = reply.identity();
    assert_eq!(identity.username, "device-7");
    assert_eq!(identity.roles, ["tenant-user"]);
    assert_ne!(identity.serial, old.serial);
    let new = Device {
        serial: identity.serial,
        chain: reply.certificates(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        account: old.account,
        username: old.username.clone(),
    };
    for one in [&old, &new] {
        assert_eq!(one.get(&gateway, VALIDATE, "").await.status, 200);
    }
}

#[tokio::test]
async fn renewal_is_for_the_same_user_and_no_more_roles() {
    let gateway = Gateway::start().await;
    let device = device(&gateway).await;
    account(&gateway, "device-8", "tenant-user").await;
    gateway.pass(Duration::from_hours(51));
    renew(&gateway, &device, "", &csr("device-8"))
        .await
        .is(403, "renewal_of_another");
    renew(
        &gateway,
        &device,
        "?assignedRoles=tenant-admin",
        &csr("device-7"),
    )
    .await
    .is(403, "role_exceeds_caller");
    let narrower = renew(
        &gateway,
        &device,
        "?assignedRoles=tenant-portal",
        &csr("device-7"),
    )
    .await;
    assert_eq!(narrower.identity().roles, ["tenant-portal"]);
    // What was taken from the account is not given back by the next certificate.
    gateway
        .set_roles(TENANT, &device.account, &["tenant-portal"])
        .await;
    renew(&gateway, &device, "", &csr("device-7"))
        .await
        .is(403, "no_roles_left");
}

#[tokio::test]
async fn revoked_certificates_and_those_of_disabled_users_are_not_renewed() {
    let gateway = Gateway::start().await;
    let device = device(&gateway).await;
    gateway.pass(Duration::from_hours(51));
    gateway.disable(TENANT, &device.account).await;
    let reply = renew(&gateway, &device, "", &csr("device-7")).await;
    assert_eq!(reply.status, 401, "{}", reply.text());
    gateway.enable(TENANT, &device.account).await;
    assert_eq!(
        renew(&gateway, &device, "", &csr("device-7")).await.status,
        200
    );
    gateway
        .accounts()
        .delete(
            &tollgate::iam::Caller::operator(),
            &tollgate::model::TenantId::new(TENANT),
            device.account,
        )
        .await
        .unwrap();
    gateway.until_revoked(device.serial).await;
    let refused = crate::mtls::alert(&gateway, device.config(&gateway, &[b"http/1.1"])).await;
    assert!(refused.contains("CertificateRevoked"), "{refused}");
}

#[tokio::test]
async fn certificate_and_token_together_must_name_the_same_user() {
    let gateway = Gateway::start().await;
    let device = device(&gateway).await;
    let bearer = format!("Bearer {}", gateway.token());
    let headers = [("Authorization", bearer.as_str()), TYPED[0]];
    let csr = csr("device-7");
    let reply = send_as(&device, &gateway, ("POST", SIGN), &headers, csr.as_bytes()).await;
    reply.is(403, "certificate_mismatch");
}

#[tokio::test]
async fn certificates_that_end_with_their_token_are_not_renewed_without_it() {
    let gateway = Gateway::start_with(|settings| settings.enroll.end_with_token = true).await;
    let device = device(&gateway).await;
    gateway.pass(Duration::from_hours(51));
    renew(&gateway, &device, "", &csr("device-7"))
        .await
        .is(403, "not_renewable");
}
