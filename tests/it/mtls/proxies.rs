//! What proxies say of their clients is believed of listed ones alone (restconf-pki 3.3.6, 3.4.10, 3.4.11).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tollgate::iam::Caller;
use tollgate::iam::NewPat;
use tollgate::model::Expiry;
use tollgate::model::TenantId;
use tollgate::transport::Networks;
use tollgate::transport::Proxies;
use tollgate::transport::Trust;
use tollgate::transport::WithoutCrl;
use tower::ServiceExt as _;

use super::Answer;
use super::Device;
use super::VALIDATE;
use super::account;
use super::certificates::Foreign;
use super::certificates::revoke;
use super::config;
use super::connect;
use super::device;
use super::get;
use super::over;
use super::try_get;
use crate::client::in_time;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

/// A gateway behind proxies, and the certificate by which a proxy is known.
struct Site {
    gateway: Gateway,
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    _folder: TempDir,
}

impl Site {
    async fn new(proxies: Proxies) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("proxies.pem");
        let authority = Foreign::new("proxies");
        std::fs::write(&file, authority.0.pem()).unwrap();
        let gateway = Gateway::start_with(|settings| {
            settings.gateway.clients.ca_file = Some(file);
            settings.gateway.clients.without_crl = WithoutCrl::Accept;
            settings.gateway.proxies = proxies;
        })
        .await;
        let (leaf, key) = authority.client(|_| {});
        Self {
            gateway,
            leaf,
            key,
            _folder: folder,
        }
    }

    /// As the proxy, with its own certificate.
    fn proxy(&self, alpn: &[&[u8]]) -> ClientConfig {
        let chain = [self.leaf.clone()];
        config(&self.gateway, &chain, &self.key, alpn, rustls::ALL_VERSIONS)
    }

    /// Without any certificate.
    fn anybody(&self) -> ClientConfig {
        let trust = Trust::from_pem_file(self.gateway.ca_file()).unwrap();
        trust.client_config(&[b"http/1.1"]).unwrap()
    }

    /// One GET through the proxy.
    async fn forwarded(&self, headers: &str) -> Answer {
        let stream = connect(&self.gateway, self.proxy(&[b"http/1.1"])).await;
        get(stream.unwrap(), VALIDATE, headers).await
    }
}

fn here() -> Networks {
    vec!["127.0.0.0/8".parse::<IpNet>().unwrap()].into()
}

fn elsewhere() -> Networks {
    vec!["192.0.2.0/24".parse::<IpNet>().unwrap()].into()
}

fn client_cert(device: &Device) -> String {
    format!("Client-Cert: :{}:\r\n", STANDARD.encode(&device.chain[0]))
}

fn xfcc(device: &Device) -> String {
    let encoded = STANDARD.encode(&device.chain[0]);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n");
    let escaped = pem.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    });
    format!("X-Forwarded-Client-Cert: Hash=00;Cert=\"{escaped}\";Subject=\"CN=a\"\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_certificate_of_a_listed_proxy_is_the_clients() {
    for with_xfcc in [false, true] {
        let write = if with_xfcc { xfcc } else { client_cert };
        let proxies = Proxies {
            client_cert: if with_xfcc { elsewhere() } else { here() },
            xfcc: if with_xfcc { here() } else { elsewhere() },
            ..Proxies::default()
        };
        let site = Site::new(proxies).await;
        let device = device(&site.gateway, "probe", "tenant-user").await;
        let answer = site.forwarded(&write(&device)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["username"], "probe");
        // The proxy's own certificate is nobody's.
        site.forwarded("").await.is(401, "missing_certificate");
        // The other header is not taken from it.
        let other = if with_xfcc { client_cert } else { xfcc };
        site.forwarded(&other(&device))
            .await
            .is(401, "missing_certificate");
        // An address alone is no proof.
        let stream = connect(&site.gateway, site.anybody()).await.unwrap();
        get(stream, VALIDATE, &write(&device))
            .await
            .is(401, "missing_certificate");

        revoke(&site.gateway, device.serial).await;
        site.gateway.until_revoked(device.serial).await;
        site.forwarded(&write(&device))
            .await
            .is(403, "certificate_revoked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_certificate_is_verified_like_one_of_a_handshake() {
    let proxies = Proxies {
        client_cert: here(),
        ..Proxies::default()
    };
    let site = Site::new(proxies).await;
    let mut stranger = device(&site.gateway, "probe", "tenant-user").await;
    stranger.chain = vec![Foreign::new("stranger").client(|_| {}).0];
    site.forwarded(&client_cert(&stranger))
        .await
        .is(403, "unknown_issuer");
    for header in [
        "Client-Cert: :AA==:\r\n",
        "Client-Cert: junk\r\n",
        "Client-Cert: \r\n",
    ] {
        site.forwarded(header).await.is(403, "invalid_certificate");
    }
    let old = device(&site.gateway, "old", "tenant-user").await;
    site.gateway.clock.advance(super::DAY * 2);
    site.forwarded(&client_cert(&old))
        .await
        .is(403, "certificate_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_certificate_of_anybody_else_is_nothing_in_every_spelling() {
    let proxies = Proxies {
        client_cert: elsewhere(),
        xfcc: elsewhere(),
        forwarded_for: elsewhere(),
        ..Proxies::default()
    };
    let site = Site::new(proxies).await;
    let device = device(&site.gateway, "probe", "tenant-user").await;
    let value = |line: String| line.split_once(": ").unwrap().1.trim_end().to_owned();
    let (cert, envoy) = (value(client_cert(&device)), value(xfcc(&device)));
    let spoofs = [
        ("Client-Cert", &cert),
        ("CLIENT-CERT", &cert),
        ("Client_Cert", &cert),
        ("client_cert", &cert),
        ("X-Forwarded-Client-Cert", &envoy),
        ("x_forwarded_client_cert", &envoy),
        ("X-Forwarded_Client-Cert", &envoy),
    ];
    for (name, value) in spoofs {
        for config in [site.anybody(), site.proxy(&[b"http/1.1"])] {
            let stream = connect(&site.gateway, config).await.unwrap();
            let answer = get(stream, VALIDATE, &format!("{name}: {value}\r\n")).await;
            assert!(matches!(answer.status, 401 | 403), "{name} {answer:?}");
            assert_ne!(
                answer.header("x-forwarded-user-username"),
                Some("probe"),
                "{name}"
            );
        }
    }
    // The same over HTTP/2, where names are in lower case.
    let channel = site.gateway.channel().await;
    for (name, value) in spoofs {
        let request = http::Request::get(format!("https://127.0.0.1{VALIDATE}"))
            .header(name, value)
            .body(tonic::body::Body::empty())
            .unwrap();
        let answer = in_time(channel.clone().oneshot(request)).await.unwrap();
        assert_eq!(answer.status(), 401, "{name}");
    }
}

/// A token of a new account that counts from 192.0.2.0/24 alone: by it one sees what address the gateway sees.
async fn bound_token(gateway: &Gateway) -> String {
    let account = account(gateway, "bound", "tenant-user").await;
    let mut new = NewPat::until(Expiry::NEVER);
    new.networks = vec!["192.0.2.0/24".parse().unwrap()];
    let tenant = TenantId::new(TENANT);
    let issued = gateway
        .accounts()
        .create_pat(&Caller::operator(), &tenant, account, new)
        .await;
    issued.unwrap().token.expose().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn address_is_the_clients_behind_a_balancer_and_a_proxy() {
    let proxies = Proxies {
        proxy_protocol: here(),
        forwarded_for: vec!["198.51.100.0/24".parse::<IpNet>().unwrap()].into(),
        ..Proxies::default()
    };
    let site = Site::new(proxies).await;
    let token = bound_token(&site.gateway).await;
    let v2 = |address: [u8; 4]| {
        let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        header.extend(address);
        header.extend([10, 0, 0, 1, 4, 210, 1, 187]);
        header
    };
    let v1 = |address: &str| format!("PROXY TCP4 {address} 10.0.0.1 1234 443\r\n").into_bytes();
    for (header, forwarded, status) in [
        (v1("192.0.2.7"), "", 200),
        (v2([192, 0, 2, 7]), "", 200),
        (v1("203.0.113.7"), "", 403),
        (v2([203, 0, 113, 7]), "", 403),
        // The balancer's own word.
        (b"PROXY UNKNOWN\r\n".to_vec(), "", 403),
        // A listed HTTP proxy behind the balancer, and a client that would like to be one.
        (v1("198.51.100.1"), "X-Forwarded-For: 192.0.2.7\r\n", 200),
        (
            v1("198.51.100.1"),
            "X-Forwarded-For: 192.0.2.7, 203.0.113.7\r\n",
            403,
        ),
        (v1("203.0.113.7"), "X-Forwarded-For: 192.0.2.7\r\n", 403),
    ] {
        let mut tcp = TcpStream::connect(site.gateway.address).await.unwrap();
        tcp.write_all(&header).await.unwrap();
        let stream = over(tcp, site.anybody()).await.unwrap();
        let headers = format!("authorization: Bearer {token}\r\n{forwarded}");
        let answer = get(stream, "/api/v1/auth/session", &headers).await;
        let what = String::from_utf8_lossy(&header).into_owned();
        assert_eq!(answer.status, status, "{what} {forwarded} {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balancer_must_send_its_header_and_nobody_else_may() {
    let good = b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 443\r\n".to_vec();
    let long = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 300]].concat();
    for (listed, header, is_served) in [
        (true, good.clone(), true),
        (true, Vec::new(), false),
        (true, b"PROXY TCP4 192.0.2.7\r\n".to_vec(), false),
        (true, long, false),
        (false, good, false),
        (false, Vec::new(), true),
    ] {
        let proxies = Proxies {
            proxy_protocol: if listed { here() } else { elsewhere() },
            ..Proxies::default()
        };
        let site = Site::new(proxies).await;
        let mut tcp = TcpStream::connect(site.gateway.address).await.unwrap();
        tcp.write_all(&header).await.unwrap();
        let served = match over(tcp, site.anybody()).await {
            Ok(stream) => try_get(stream, "/healthz", "").await.is_ok(),
            Err(_) => false,
        };
        assert_eq!(
            served,
            is_served,
            "{listed} {:?}",
            String::from_utf8_lossy(&header)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balancer_that_does_not_finish_its_header_is_cut_off() {
    let gateway = Gateway::start_with(|settings| {
        settings.gateway.proxies.proxy_protocol = here();
        settings.gateway.transport.handshake_deadline = std::time::Duration::from_millis(50);
    })
    .await;
    for beginning in [
        &b""[..],
        b"PROXY TCP4 ",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01",
    ] {
        let mut tcp = TcpStream::connect(gateway.address).await.unwrap();
        tcp.write_all(beginning).await.unwrap();
        let mut answer = Vec::new();
        in_time(tcp.read_to_end(&mut answer)).await.ok();
        assert!(answer.is_empty(), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_for_the_client_behind_the_balancer() {
    let gateway = Gateway::start_with(|settings| {
        settings.gateway.proxies.proxy_protocol = here();
        settings.gateway.transport.max_connections_per_address = 1;
    })
    .await;
    let trust = Trust::from_pem_file(gateway.ca_file()).unwrap();
    let open = async |address: &str| {
        let mut tcp = TcpStream::connect(gateway.address).await.unwrap();
        let header = format!("PROXY TCP4 {address} 10.0.0.1 1234 443\r\n");
        tcp.write_all(header.as_bytes()).await.unwrap();
        over(tcp, trust.client_config(&[b"h2"]).unwrap()).await
    };
    let first = open("192.0.2.1").await.unwrap();
    assert!(open("192.0.2.1").await.is_err());
    let _second = open("192.0.2.2").await.unwrap();
    drop(first);
    in_time(async { while open("192.0.2.1").await.is_err() {} }).await;
}
