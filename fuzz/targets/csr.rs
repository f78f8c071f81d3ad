//! What a stranger sends as a certificate signing request, PEM or DER: it never panics, and what is accepted is certified
//! with its key unharmed.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tollgate::clock::Clock;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::pki::Authority;
use tollgate::pki::Csr;
use tollgate::pki::Grant;
use x509_parser::parse_x509_certificate;

static CLOCK: LazyLock<Clock> = LazyLock::new(|| Clock::fixed(Timestamp::from_secs(1_800_000_000)));

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    Authority::open_or_create(folder.path(), &CLOCK).unwrap()
});

fuzz_target!(|body: &[u8]| {
    let (Ok(csr), Ok(again)) = (Csr::parse(body), Csr::parse(body)) else {
        // EST's form, which is others' too.
        let _refused = Csr::parse_base64(body);
        return;
    };
    assert_eq!(csr.key().hash(), again.key().hash());
    let grant = Grant {
        tenant: &TenantId::new("pca"),
        account: 1,
        username: "device",
        roles: &["tenant-user".to_owned()],
        ends: CLOCK.now().saturating_add(Duration::from_secs(3_600)),
        crl_url: None,
    };
    let issued = AUTHORITY.issue(&csr, &grant).unwrap();
    let (rest, certificate) = parse_x509_certificate(&issued.certificate).unwrap();
    assert!(rest.is_empty());
    assert_eq!(certificate.public_key().raw, csr.key().spki());
    assert!(!certificate.is_ca());
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any);
});
