//! The handshake with a client certificate, good and bad (restconf-pki 3.4).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::GeneralSubtree;
use rcgen::NameConstraints;
use rustls::SignatureScheme;
use rustls::SupportedProtocolVersion;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::kx_group::X25519MLKEM768;
use rustls::sign::CertifiedKey;
use rustls::version::TLS12;
use rustls::version::TLS13;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tollgate::config::Settings;
use tollgate::transport::WithoutCrl;

use super::DAY;
use super::VALIDATE;
use super::account;
use super::alert;
use super::certificates::Foreign;
use super::certificates::authority;
use super::certificates::issue;
use super::certificates::revoke;
use super::config;
use super::connect;
use super::device;
use super::get;
use crate::client::int;
use crate::client::on_change;
use crate::gateway::Gateway;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Trusts these authorities beside the gateway's own, without revocation lists.
async fn trusting(bundle: &[&Foreign]) -> (Gateway, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.pem");
    let pem: String = bundle.iter().map(|authority| authority.0.pem()).collect();
    std::fs::write(&file, pem).unwrap();
    let change = |settings: &mut Settings| {
        settings.gateway.clients.ca_file = Some(file);
        settings.gateway.clients.without_crl = WithoutCrl::Accept;
    };
    (Gateway::start_with(change).await, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_is_taken_over_both_versions_of_tls() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    for version in VERSIONS {
        let (chain, key) = (&device.chain, &device.key);
        let config = config(&gateway, chain, key, &[b"http/1.1"], &[version]);
        let stream = connect(&gateway, config).await.unwrap();
        let answer = get(stream, VALIDATE, "").await;
        assert_eq!(answer.status, 200, "{version:?} {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_certificates_get_the_alert_that_says_why() {
    let trusted = Foreign::new("trusted");
    let (gateway, _folder) = trusting(&[&trusted]).await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let revoked = issue(&gateway, device.account, "probe", &["tenant-user"], DAY).await;
    revoke(&gateway, revoked.serial).await;
    gateway.until_revoked(revoked.serial).await;
    let short = issue(
        &gateway,
        device.account,
        "probe",
        &[],
        Duration::from_mins(2),
    )
    .await;
    gateway.clock.advance(Duration::from_secs(121));

    let plain = |_: &mut CertificateParams| {};
    let unknown = Foreign::new("unknown").client(plain);
    let same_name = Foreign::new("trusted").client(plain);
    let over = trusted.client(|params| params.not_after = rcgen::date_time_ymd(2026, 5, 1));
    let early = trusted.client(|params| params.not_before = rcgen::date_time_ymd(2026, 7, 1));
    let server = trusted
        .client(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    let an_authority =
        trusted.client(|params| params.is_ca = rcgen::IsCa::Ca(BasicConstraints::Unconstrained));
    for (what, (certificate, key), told) in [
        ("unknown authority", unknown, "UnknownCA"),
        ("authority of the same name", same_name, "DecryptError"),
        ("expired", over, "CertificateExpired"),
        ("not yet valid", early, "CertificateExpired"),
        ("for servers", server, "UnsupportedCertificate"),
        ("an authority's own", an_authority, "CertificateUnknown"),
        (
            "revoked",
            (revoked.chain[0].clone(), revoked.key),
            "CertificateRevoked",
        ),
        (
            "our own, expired",
            (short.chain[0].clone(), short.key),
            "CertificateExpired",
        ),
    ] {
        for version in VERSIONS {
            let config = config(
                &gateway,
                std::slice::from_ref(&certificate),
                &key,
                &[],
                &[version],
            );
            let alert = alert(&gateway, config).await;
            assert!(alert.contains(told), "{what}, {version:?}: {alert}");
        }
    }
    // Nobody else's connection has suffered.
    assert_eq!(device.get(&gateway, VALIDATE, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_are_taken_in_any_order_up_to_a_limit() {
    let root = Foreign::new("root");
    let (gateway, _folder) = trusting(&[&root]).await;
    let between = root.below("between", |_| {});
    let (leaf, key) = between.client(|_| {});
    let others: Vec<_> = (0..12)
        .map(|n| Foreign::new(&format!("other {n}")).der())
        .collect();
    let large = root
        .client(|params| {
            let name = "x".repeat(60_000);
            params
                .distinguished_name
                .push(rcgen::DnType::OrganizationName, name);
        })
        .0;
    let chain = |rest: &[_]| [std::slice::from_ref(&leaf), rest].concat();
    for (what, chain, is_taken) in [
        ("with its intermediate", chain(&[between.der()]), true),
        ("with the root", chain(&[between.der(), root.der()]), true),
        (
            "out of order",
            chain(&[root.der(), others[0].clone(), between.der()]),
            true,
        ),
        ("without its intermediate", chain(&[]), false),
        (
            "with ten more",
            chain(&[&[between.der()], &others[..10]].concat()),
            false,
        ),
        ("of 60 KB", chain(&[between.der(), large.clone()]), false),
        (
            "of 120 KB",
            chain(&[between.der(), large.clone(), large]),
            false,
        ),
    ] {
        for version in VERSIONS {
            let config = config(&gateway, &chain, &key, &[b"http/1.1"], &[version]);
            let taken = match connect(&gateway, config).await {
                Ok(stream) => super::try_get(stream, "/healthz", "").await.is_ok(),
                Err(_) => false,
            };
            assert_eq!(taken, is_taken, "{what}, {version:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn path_length_and_name_constraints_are_honoured() {
    let root = Foreign::new("root");
    let (gateway, _folder) = trusting(&[&root]).await;
    let last = root.below("last", |params| {
        params.is_ca = rcgen::IsCa::Ca(BasicConstraints::Constrained(0));
    });
    let beyond = last.below("beyond", |_| {});
    let named = root.below("named", |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.net".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    let dns = |name: &str| {
        let name = rcgen::SanType::DnsName(name.try_into().unwrap());
        move |params: &mut CertificateParams| params.subject_alt_names = vec![name]
    };
    for (what, (leaf, key), above, is_taken) in [
        ("at the end", last.client(|_| {}), vec![last.der()], true),
        (
            "beyond the path length",
            beyond.client(|_| {}),
            vec![beyond.der(), last.der()],
            false,
        ),
        (
            "permitted name",
            named.client(dns("a.example.net")),
            vec![named.der()],
            true,
        ),
        (
            "other name",
            named.client(dns("a.example.com")),
            vec![named.der()],
            false,
        ),
    ] {
        let chain = [&[leaf], &above[..]].concat();
        let config = config(&gateway, &chain, &key, &[b"http/1.1"], &[&TLS12]);
        assert_eq!(connect(&gateway, config).await.is_ok(), is_taken, "{what}");
    }
}

/// Shows no certificate, and remembers whose were asked for.
#[derive(Debug, Default)]
struct Asked(Mutex<Option<Vec<Vec<u8>>>>);

impl ResolvesClientCert for Asked {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.0.lock() = Some(hints.iter().map(|hint| hint.to_vec()).collect());
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

async fn asked(gateway: &Gateway) -> Option<usize> {
    let asked = Arc::new(Asked::default());
    let trust = tollgate::transport::Trust::from_pem_file(gateway.ca_file()).unwrap();
    let mut config = trust.client_config(&[b"http/1.1"]).unwrap();
    config.client_auth_cert_resolver = Arc::clone(&asked) as Arc<dyn ResolvesClientCert>;
    let stream = connect(gateway, config).await.unwrap();
    assert_eq!(get(stream, "/healthz", "").await.status, 200);
    let hints = asked.0.lock().take();
    hints.map(|hints| hints.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn request_for_a_certificate_names_the_authorities_unless_told_not_to() {
    let (named, _folder) = trusting(&[&Foreign::new("other")]).await;
    assert_eq!(asked(&named).await, Some(2));
    let unnamed = |settings: &mut Settings| settings.gateway.clients.name_authorities = false;
    assert_eq!(asked(&Gateway::start_with(unnamed).await).await, Some(0));
    let silent = |settings: &mut Settings| settings.gateway.clients.ask = false;
    assert_eq!(asked(&Gateway::start_with(silent).await).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_a_retired_authority_still_count_after_a_rollover() {
    let gateway = Gateway::start().await;
    let old = device(&gateway, "old", "tenant-user").await;
    let command = authority(&gateway);
    command.prepare().unwrap();
    command.rotate().unwrap();
    gateway.reloader().reload().await.unwrap();
    let account = account(&gateway, "new", "tenant-user").await;
    let new = issue(&gateway, account, "new", &["tenant-user"], DAY).await;
    for device in [old, new] {
        let answer = device.get(&gateway, VALIDATE, "").await;
        assert_eq!(
            answer.body["username"],
            device.username.as_str(),
            "{answer:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn post_quantum_key_exchange_works_with_a_certificate() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.kx_groups = vec![X25519MLKEM768];
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(super::roots(&gateway))
        .with_client_auth_cert(device.chain.clone(), device.key.clone_key())
        .unwrap();
    let stream = connect(&gateway, config).await.unwrap();
    assert_eq!(get(stream, VALIDATE, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_do_not_hold_up_a_stream() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let client = device.client(&gateway).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let mut silent = Vec::new();
    for number in 0..400_u16 {
        let mut tcp = TcpStream::connect(gateway.address).await.unwrap();
        // Half of them begin a handshake.
        if number % 2 == 0 {
            tcp.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        silent.push(tcp);
    }
    for value in 0..50 {
        gateway.publish("", "/a/b", int(value));
        assert_eq!(stream.update().await.value, int(value));
    }
    assert_eq!(device.get(&gateway, VALIDATE, "").await.status, 200);
}
