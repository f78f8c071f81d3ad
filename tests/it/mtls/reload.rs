//! Certificates, authorities and revocation lists are replaced while the gateway runs (restconf-pki 3.4.6, 3.5.5).

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use rcgen::CertificateParams;
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tollgate::config::Certificate;
use tollgate::transport::Trust;
use tollgate::transport::WithoutCrl;

use super::alert;
use super::certificates::Foreign;
use super::connect;
use super::get;
use super::try_get;
use crate::client::in_time;
use crate::enroll::SIGN;
use crate::enroll::csr_of;
use crate::enroll::send_over;
use crate::gateway::Gateway;

/// A gateway with everything in files of the operator's.
struct Site {
    gateway: Gateway,
    folder: TempDir,
    authority: Foreign,
}

impl Site {
    async fn new(without_crl: WithoutCrl) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let authority = Foreign::new("operator");
        write_server(folder.path(), &authority);
        fs::write(file("clients.pem"), authority.0.pem()).unwrap();
        fs::write(
            file("clients.crl"),
            authority.crl(&[], rcgen::date_time_ymd(2026, 6, 2)),
        )
        .unwrap();
        let (certificate, key) = (file("server.pem"), file("server.key"));
        let (ca, crl) = (file("clients.pem"), file("clients.crl"));
        let gateway = Gateway::start_with(|settings| {
            settings.gateway.certificate = Certificate::Files { certificate, key };
            settings.gateway.clients.ca_file = Some(ca);
            settings.gateway.clients.crl_file = Some(crl);
            settings.gateway.clients.without_crl = without_crl;
        })
        .await;
        Self {
            gateway,
            folder,
            authority,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Trusts this authority for the server's certificate.
    fn trusting(authority: &Foreign) -> ClientConfig {
        let trust = Trust::Roots(vec![authority.der()]);
        trust.client_config(&[b"http/1.1"]).unwrap()
    }

    fn client(
        &self,
        (leaf, key): &(CertificateDer<'static>, PrivateKeyDer<'static>),
    ) -> ClientConfig {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.authority.der()).unwrap();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let mut config = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![leaf.clone()], key.clone_key())
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    }

    async fn metrics(&self) -> String {
        self.gateway.admin_get("/metrics").await
    }

    /// Reloads that failed, of all gateways in this process.
    async fn failures(&self) -> u64 {
        let metrics = self.metrics().await;
        assert!(metrics.contains("tollgate_tls_reload_failing"), "{metrics}");
        let line = "tollgate_tls_reloads_total{outcome=\"failure\"} ";
        let count = metrics.split_once(line).map(|(_, rest)| rest);
        count.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap())
    }

    /// Waits until a client that trusts this authority gets through.
    async fn until_served_by(&self, authority: &Foreign) {
        let config = Self::trusting(authority);
        in_time(async { while connect(&self.gateway, config.clone()).await.is_err() {} }).await;
    }
}

/// A server's certificate and key of this authority, for 127.0.0.1.
fn write_server(folder: &Path, authority: &Foreign) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 6, 1);
    let certificate = params.signed_by(&key, &authority.0).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(folder.join("server.key"), mode).unwrap();
    fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_files_are_in_force_without_anybody_asking() {
    let site = Site::new(WithoutCrl::Refuse).await;
    let mut old = connect(&site.gateway, Site::trusting(&site.authority))
        .await
        .unwrap();
    let other = Foreign::new("other");
    write_server(site.folder.path(), &other);
    site.until_served_by(&other).await;
    assert!(
        connect(&site.gateway, Site::trusting(&site.authority))
            .await
            .is_err()
    );
    // What was open stays open.
    old.write_all(b"GET /healthz HTTP/1.1\r\nhost: gw\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 12];
    in_time(old.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_the_operators_certificate_is_not_certified_for_a_client() {
    let site = Site::new(WithoutCrl::Refuse).await;
    let gateway = &site.gateway;
    let bearer = format!("Bearer {}", gateway.token());
    let headers = [
        ("Authorization", &*bearer),
        ("Content-Type", "application/octet-stream"),
    ];
    let sign = async |authority: &Foreign, key: &KeyPair| {
        let stream = connect(gateway, Site::trusting(authority)).await.unwrap();
        let csr = csr_of(key, Some(gateway.account()));
        send_over(stream, ("POST", SIGN), &headers, csr.as_bytes()).await
    };
    let served = || KeyPair::from_pem(&fs::read_to_string(site.file("server.key")).unwrap());
    let first = served().unwrap();
    sign(&site.authority, &first).await.is(400, "key_blocked");

    let other = Foreign::new("other");
    write_server(site.folder.path(), &other);
    site.until_served_by(&other).await;
    let second = served().unwrap();
    sign(&other, &second).await.is(400, "key_blocked");
    // Connections may still be open that know the gateway by it.
    sign(&other, &first).await.is(400, "key_blocked");
    let own = KeyPair::generate().unwrap();
    assert_eq!(sign(&other, &own).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_file_keeps_what_was_in_force_and_shows_in_the_metrics() {
    let site = Site::new(WithoutCrl::Refuse).await;
    let good = |name: &str| fs::read(site.file(name)).unwrap();
    site.gateway.reloader().reload().await.unwrap();
    for (name, content) in [
        ("server.pem", b"no certificate".to_vec()),
        (
            "server.key",
            KeyPair::generate().unwrap().serialize_pem().into_bytes(),
        ),
        ("clients.pem", b"".to_vec()),
        ("clients.crl", b"no list".to_vec()),
        ("clients.crl", good("clients.pem")),
    ] {
        let (before, failures) = (good(name), site.failures().await);
        fs::write(site.file(name), &content).unwrap();
        site.gateway.reloader().reload().await.unwrap_err();
        assert!(site.failures().await > failures, "{name}");
        let stream = connect(&site.gateway, Site::trusting(&site.authority))
            .await
            .unwrap();
        assert_eq!(get(stream, "/healthz", "").await.status, 200, "{name}");
        fs::write(site.file(name), &before).unwrap();
        site.gateway.reloader().reload().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_port_takes_the_order_and_tells_what_is_wrong() {
    let site = Site::new(WithoutCrl::Refuse).await;
    let ask = async || {
        let mut tcp = TcpStream::connect(site.gateway.admin_address())
            .await
            .unwrap();
        let request = b"POST /reload HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        tcp.write_all(request).await.unwrap();
        let mut answer = String::new();
        in_time(tcp.read_to_string(&mut answer)).await.unwrap();
        answer
    };
    let answer = ask().await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("true"),
        "{answer}"
    );
    fs::write(site.file("server.pem"), "no certificate").unwrap();
    let answer = ask().await;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    assert!(answer.contains("no certificate in"), "{answer}");
    let answer = site.gateway.admin_get("/reload").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_list_refuses_handshakes_and_ends_connections() {
    let site = Site::new(WithoutCrl::Refuse).await;
    let client = site.client(&site.authority.client(|_| {}));
    let mut open = connect(&site.gateway, client.clone()).await.unwrap();
    open.write_all(b"GET /healthz HTTP/1.1\r\nhost: gw\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 12];
    in_time(open.read_exact(&mut answer)).await.unwrap();

    let list = site.authority.crl(&[7], rcgen::date_time_ymd(2026, 6, 2));
    fs::write(site.file("clients.crl"), list).unwrap();
    site.gateway.reloader().reload().await.unwrap();
    let told = alert(&site.gateway, client).await;
    assert!(told.contains("CertificateRevoked"), "{told}");
    in_time(open.read_to_end(&mut Vec::new())).await.ok();
    let other = site.client(&site.authority.client(|params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[8]));
    }));
    let stream = connect(&site.gateway, other).await.unwrap();
    assert_eq!(get(stream, "/healthz", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_ends_when_its_authority_is_no_longer_trusted() {
    let site = Site::new(WithoutCrl::Accept).await;
    let client = site.client(&site.authority.client(|_| {}));
    let mut open = connect(&site.gateway, client.clone()).await.unwrap();
    fs::write(site.file("clients.pem"), Foreign::new("other").0.pem()).unwrap();
    site.gateway.reloader().reload().await.unwrap();
    in_time(open.read_to_end(&mut Vec::new())).await.ok();
    assert!(alert(&site.gateway, client).await.contains("UnknownCA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn list_out_of_date_is_refused_or_accepted_as_configured() {
    for (without_crl, is_taken) in [(WithoutCrl::Refuse, false), (WithoutCrl::Accept, true)] {
        let site = Site::new(without_crl).await;
        let metrics = site.metrics().await;
        assert!(
            metrics.contains("tollgate_client_crl_next_update_seconds"),
            "{metrics}"
        );
        let client = site.client(&site.authority.client(|_| {}));
        let stream = connect(&site.gateway, client.clone()).await.unwrap();
        assert_eq!(get(stream, "/healthz", "").await.status, 200);
        site.gateway.clock.advance(Duration::from_hours(24));
        let taken = match connect(&site.gateway, client).await {
            Ok(stream) => try_get(stream, "/healthz", "").await.is_ok(),
            Err(_) => false,
        };
        assert_eq!(taken, is_taken, "{without_crl:?}");
    }
}
