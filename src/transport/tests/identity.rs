//! Certificates: the server's, which may change, and the client's, which may be missing.

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;

use super::*;

#[tokio::test]
async fn client_certificate_is_optional_and_carried_when_it_verifies() {
    let issuer = client_issuer();
    let server = Harness::with(config(), &[issuer.der().clone()]).await;
    let request = b"GET /peer HTTP/1.0\r\n\r\n";

    let with = server
        .tls_with(with_certificate(&server, &issuer))
        .await
        .unwrap();
    assert!(
        exchange(with, request)
            .await
            .contains("has_certificate: true")
    );
    let without = server.tls(&[]).await;
    assert!(
        exchange(without, request)
            .await
            .contains("has_certificate: false")
    );
}

#[tokio::test]
async fn client_certificate_of_a_stranger_is_refused() {
    let server = Harness::with(config(), &[client_issuer().der().clone()]).await;
    // TLS 1.3 tells the client only after its own side is done.
    let answer = match server
        .tls_with(with_certificate(&server, &client_issuer()))
        .await
    {
        Ok(tls) => exchange(tls, b"GET /peer HTTP/1.0\r\n\r\n").await,
        Err(_) => String::new(),
    };
    assert_eq!(answer, "");
}

#[tokio::test]
async fn client_certificate_is_not_asked_for_without_roots() {
    let server = Harness::start().await;
    let tls = server
        .tls_with(with_certificate(&server, &client_issuer()))
        .await
        .unwrap();
    let answer = exchange(tls, b"GET /peer HTTP/1.0\r\n\r\n").await;
    assert!(answer.contains("has_certificate: false"), "{answer}");
}

#[tokio::test]
async fn new_identity_holds_for_new_connections() {
    let server = Harness::start().await;
    let old = server.channel().await;
    assert_eq!(http2(&old, "/peer").await.unwrap().0, 200);

    let dir = tempfile::tempdir().unwrap();
    let other = Authority::open_or_create(dir.path(), &Clock::system()).unwrap();
    let identity = other
        .server_identity(&["127.0.0.1".parse().unwrap()])
        .unwrap();
    let trust = ClientTrust::new(&Authorities::default(), server.revoked.clone()).unwrap();
    server
        .tls
        .send_replace(Tls::new(&identity, trust, &server.clock).unwrap());

    let address = server.address.to_string();
    assert!(dial(&address, &server.trust()).await.is_err());
    let trust = Trust::Roots(vec![other.certificate().clone()]);
    let new = dial(&address, &trust).await.unwrap();
    assert_eq!(http2(&new, "/peer").await.unwrap().0, 200);
    assert_eq!(http2(&old, "/peer").await.unwrap().0, 200);
}

#[tokio::test]
async fn dial_believes_whom_it_is_told_to_believe() {
    let server = Harness::start().await;
    let address = server.address.to_string();
    assert!(dial(&address, &Trust::Anybody).await.is_ok());
    let file = server.authority.certificate_file();
    assert!(
        dial(&address, &Trust::from_pem_file(&file).unwrap())
            .await
            .is_ok()
    );
    let stranger = Trust::Roots(vec![client_issuer().der().clone()]);
    assert!(matches!(
        dial(&address, &stranger).await,
        Err(DialError::Connect { .. })
    ));
    for bad in ["", "host", "[::1", ":443", "a b:1"] {
        assert!(
            matches!(dial(bad, &Trust::Anybody).await, Err(DialError::Address(_))),
            "{bad}"
        );
    }
}

fn client_issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn with_certificate(server: &Harness, issuer: &CertifiedIssuer<'static, KeyPair>) -> ClientConfig {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, issuer).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(server.authority.certificate().clone()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ClientConfig::builder_with_provider(crate::pki::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate.der().clone()], key)
        .unwrap()
}
