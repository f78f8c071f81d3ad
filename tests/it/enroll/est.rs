//! EST (RFC 7030, RFC 8951).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;
use tollgate::pki::chain_to_pkcs7;

use super::Reply;
use super::csr;
use super::enrolled;
use super::send;
use super::send_as;
use crate::gateway::Gateway;
use crate::mtls::account;

const PKCS10: (&str, &str) = ("Content-Type", "application/pkcs10");

fn in_base64(pem: &str) -> String {
    let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).unwrap();
    STANDARD.encode(&der)
}

fn decoded(reply: &Reply) -> Vec<u8> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-transfer-encoding"), Some("base64"));
    let digits: String = reply.text().split_whitespace().collect();
    STANDARD.decode(digits).unwrap()
}

#[tokio::test]
async fn est_gives_out_its_certificates_and_wishes_to_everybody() {
    let gateway = Gateway::start().await;
    let reply = send(&gateway, ("GET", "/.well-known/est/cacerts"), &[], b"").await;
    assert_eq!(reply.header("content-type"), Some("application/pkcs7-mime"));
    let ca = crate::mtls::certificates::authority(&gateway).bundle();
    assert_eq!(decoded(&reply), chain_to_pkcs7(&ca));
    let reply = send(&gateway, ("GET", "/.well-known/est/csrattrs"), &[], b"").await;
    assert_eq!(reply.header("content-type"), Some("application/csrattrs"));
    assert_eq!(decoded(&reply)[0], 0x30);
}

#[tokio::test]
async fn est_enrols_by_token_and_by_basic() {
    let gateway = Gateway::start().await;
    let token = gateway.token();
    let basic = STANDARD.encode(format!("{}:{token}", gateway.account()));
    for credential in [format!("Bearer {token}"), format!("Basic {basic}")] {
        let headers = [("Authorization", credential.as_str()), PKCS10];
        let body = in_base64(&csr(gateway.account()));
        let path = "/.well-known/est/simpleenroll";
        let reply = send(&gateway, ("POST", path), &headers, body.as_bytes()).await;
        let message = decoded(&reply);
        assert_eq!(
            reply.header("content-type"),
            Some("application/pkcs7-mime; smime-type=certs-only")
        );
        assert_eq!(message[0], 0x30);
    }
}

#[tokio::test]
async fn est_enrols_again_by_certificate() {
    let gateway = Gateway::start().await;
    account(&gateway, "device-7", "tenant-user").await;
    let device = enrolled(&gateway, &gateway.token(), "device-7", "?certduration=2").await;
    gateway.pass(Duration::from_mins(90));
    let body = in_base64(&csr("device-7"));
    let again = ("POST", "/.well-known/est/simplereenroll");
    let reply = send_as(&device, &gateway, again, &[PKCS10], body.as_bytes()).await;
    decoded(&reply);
}

#[tokio::test]
async fn est_refuses_as_the_standard_says() {
    let gateway = Gateway::start().await;
    let enroll = ("POST", "/.well-known/est/simpleenroll");
    let bare = send(&gateway, enroll, &[PKCS10], b"").await;
    bare.is(401, "missing_credentials");
    let challenges: Vec<_> = bare
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .collect();
    assert_eq!(challenges.len(), 2, "bearer and basic");
    let bearer = format!("Bearer {}", gateway.token());
    let typed = [("Authorization", bearer.as_str()), PKCS10];
    let reply = send(&gateway, enroll, &typed, b"!!!").await;
    reply.is(400, "csr_malformed");
    let untyped = [("Authorization", bearer.as_str())];
    let reply = send(&gateway, enroll, &untyped, b"MII").await;
    reply.is(415, "unsupported_media_type");
}
