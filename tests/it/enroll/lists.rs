//! What everybody may fetch: the CA's certificates and revocation lists.

use std::time::Duration;

use tollgate::pki::Authority;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::Reply;
use super::enrolled;
use super::send;
use super::sign;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

async fn get(gateway: &Gateway, path: &str) -> Reply {
    send(gateway, ("GET", path), &[], b"").await
}

/// Number and length of a list, whose signature is that of the CA.
fn read(gateway: &Gateway, der: &[u8]) -> (u64, usize) {
    let (rest, crl) = CertificateRevocationList::from_der(der).unwrap();
    assert!(rest.is_empty());
    let issuer = crate::mtls::certificates::authority(gateway).certificate();
    let (_, issuer) = x509_parser::parse_x509_certificate(&issuer).unwrap();
    crl.verify_signature(issuer.public_key()).unwrap();
    let number = crl.crl_number().unwrap().to_string();
    (
        number.parse().unwrap(),
        crl.iter_revoked_certificates().count(),
    )
}

#[tokio::test]
async fn list_is_signed_grows_and_names_its_end() {
    let gateway = Gateway::start().await;
    let first = get(&gateway, "/distribution/crl").await;
    assert_eq!(first.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(
        first.header("expires"),
        Some("Tue, 02 Jun 2026 12:00:00 GMT")
    );
    let (number, length) = read(&gateway, &first.body);
    assert_eq!(length, 0);
    let (token, id) = gateway.new_token(TENANT, "tenant-admin", None).await;
    let username = gateway.account().to_owned();
    // An own account of the token's, so that the certificate depends on that token.
    let device = enrolled(&gateway, &gateway.token(), &username, "?certduration=1").await;
    let depends = sign(&gateway, &token, "", super::csr(&username).as_bytes()).await;
    let depends = depends.identity().serial;
    gateway.pass(Duration::from_secs(2));
    let same = get(&gateway, "/distribution/crl").await;
    assert_eq!(same.body, first.body, "nothing was revoked");
    gateway.revoke(TENANT, &id).await;
    gateway.pass(Duration::from_secs(2));
    let second = get(&gateway, "/distribution/crl").await;
    let (grown, length) = read(&gateway, &second.body);
    assert!(grown > number);
    assert_eq!(length, 1);
    let (_, crl) = CertificateRevocationList::from_der(&second.body).unwrap();
    let entry = crl.iter_revoked_certificates().next().unwrap();
    assert_eq!(entry.raw_serial(), depends.octets());
    assert_eq!(
        entry.reason_code().unwrap().1.0,
        9,
        "privilegeWithdrawn, as its token was revoked"
    );
    assert_ne!(device.serial, depends);

    gateway.pass(Duration::from_hours(13));
    let third = get(&gateway, "/distribution/crl").await;
    assert!(
        read(&gateway, &third.body).0 > grown,
        "made anew at half of its time"
    );
    gateway.pass(Duration::from_hours(24 * 92));
    let last = get(&gateway, "/distribution/crl").await;
    assert_eq!(
        read(&gateway, &last.body).1,
        0,
        "what is over leaves the list"
    );
}

#[tokio::test]
async fn list_comes_as_pem_and_by_issuer() {
    let gateway = Gateway::start().await;
    let pem = get(&gateway, "/distribution/crl?pem").await;
    assert_eq!(pem.header("content-type"), Some("application/x-pem-file"));
    assert!(pem.text().starts_with("-----BEGIN X509 CRL-----\n"));
    let issuer = crate::mtls::certificates::authority(&gateway).issuer_id();
    let named = get(&gateway, &format!("/distribution/crl/{issuer}")).await;
    read(&gateway, &named.body);
    get(&gateway, "/distribution/crl/00")
        .await
        .is(404, "not_found");
    let head = send(&gateway, ("HEAD", "/distribution/crl"), &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn certificates_of_the_authority_are_for_everybody_and_follow_a_rollover() {
    let gateway = Gateway::start().await;
    let ca = get(&gateway, "/distribution/ca.pem").await;
    assert_eq!(ca.header("content-type"), Some("application/x-pem-file"));
    assert_eq!(ca.body, std::fs::read(gateway.ca_file()).unwrap());
    let old = enrolled(&gateway, &gateway.token(), gateway.account(), "").await;

    let command: Authority = crate::mtls::certificates::authority(&gateway);
    command.prepare().unwrap();
    gateway.reloader().reload().await.unwrap();
    let both = get(&gateway, "/distribution/ca.pem").await;
    assert_eq!(both.certificates().len(), 2);
    command.rotate().unwrap();
    gateway.reloader().reload().await.unwrap();
    let new = enrolled(&gateway, &gateway.token(), gateway.account(), "").await;
    assert_ne!(old.chain[1], new.chain[1]);
    for device in [&old, &new] {
        let answer = device.get(&gateway, crate::mtls::VALIDATE, "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
