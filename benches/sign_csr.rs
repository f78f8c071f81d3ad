//! What a certificate costs: parsing and checking a CSR, signing it, and building a list of revoked ones.
//!
//! The aim is below one millisecond of processor time for each CSR (restconf-pki 3.2.17), and below a second for a list
//! of a hundred thousand (3.5.8).

#![allow(missing_docs, reason = "the macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark may fail loudly")]

use std::hint::black_box;
use std::time::Duration;

use criterion::BatchSize;
use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use rcgen::CertificateParams;
use rcgen::DnType;
use rcgen::KeyPair;
use tollgate::clock::Clock;
use tollgate::model::Serial;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::pki::Authority;
use tollgate::pki::Csr;
use tollgate::pki::Grant;
use tollgate::pki::Reason;
use tollgate::pki::port::RevokedCertificate;

fn csr(key: &KeyPair) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "device-7");
    params.serialize_request(key).unwrap().der().to_vec()
}

fn keys() -> Vec<(&'static str, KeyPair)> {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap();
    vec![
        ("p256", KeyPair::generate().unwrap()),
        (
            "p384",
            KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap(),
        ),
        (
            "ed25519",
            KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap(),
        ),
        ("rsa2048", rsa(rcgen::RsaKeySize::_2048)),
        ("rsa4096", rsa(rcgen::RsaKeySize::_4096)),
    ]
}

fn signing(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let authority = Authority::open_or_create(dir.path(), &clock).unwrap();
    let roles = ["tenant-user".to_owned()];
    let tenant = TenantId::new("pca");
    let mut group = criterion.benchmark_group("sign_csr");
    for (name, key) in keys() {
        let body = csr(&key);
        group.bench_function(format!("{name}/check"), |bencher| {
            bencher.iter(|| Csr::parse(black_box(&body)).unwrap());
        });
        group.bench_function(format!("{name}/check_and_sign"), |bencher| {
            bencher.iter(|| {
                let csr = Csr::parse(black_box(&body)).unwrap();
                let grant = Grant {
                    tenant: &tenant,
                    account: 123_456_789_012_345_678,
                    username: "device-7",
                    roles: &roles,
                    ends: clock.now().saturating_add(Duration::from_hours(24)),
                    crl_url: Some("http://pki.example/distribution/crl"),
                };
                authority.issue(&csr, &grant).unwrap()
            });
        });
    }
    group.finish();
}

fn lists(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_create(dir.path(), &Clock::system()).unwrap();
    let issuer = authority.issuer_id();
    let revoked: Vec<_> = (0..100_000_u32)
        .map(|number| RevokedCertificate {
            serial: Serial::from_octets(&[&[0x40; 12][..], &number.to_be_bytes()].concat())
                .unwrap(),
            at: Timestamp::from_secs(1_780_000_000),
            reason: Reason::PrivilegeWithdrawn,
        })
        .collect();
    let mut group = criterion.benchmark_group("crl");
    group.sample_size(10);
    group.bench_function("100000", |bencher| {
        bencher.iter_batched(
            || (),
            |()| {
                let hour = Duration::from_hours(1);
                authority.crl(&issuer, &revoked, 1, hour).unwrap()
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, signing, lists);
criterion_main!(benches);
