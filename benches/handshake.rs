//! What does a client certificate cost? A whole gateway and its clients in this process: full handshakes per second
//! with and without a certificate, the delay of the validation page at a steady rate, and 100,000 requests over two
//! certificates, none of which may be taken for the other's. Plain tables; compare figures of one run.
//!
//! `cargo bench --bench handshake -- 20` takes twenty seconds for each part (default 5).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a benchmark may fail loudly, and says what it measures"
)]

mod gateway;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use rcgen::CertificateParams;
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::SupportedProtocolVersion;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS12;
use rustls::version::TLS13;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tollgate::app::Gateway;
use tollgate::clock::Clock;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::iam::Role;
use tollgate::model::TenantId;
use tollgate::pki::Authority;
use tollgate::pki::Csr;
use tollgate::pki::Grant;
use tollgate::transport::dial_with;
use tonic::transport::Channel;
use tower::ServiceExt as _;

use gateway::Running;
use gateway::TENANT;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const VALIDATE: &str = "/api/v1/auth/cert/validate/authorization";
const RATE: u32 = 5_000;
const MIXED: usize = 100_000;

/// Requests before the measurement: caches, windows of flow control.
const WARM_UP: usize = 1_000;

/// Clients that shake hands at once, and requests that are under way at once.
const TASKS: usize = 8;

fn main() {
    let seconds = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(5);
    gateway::run(run(Duration::from_secs(seconds)));
}

async fn run(each: Duration) {
    let bench = Bench::start().await;
    println!("full handshakes per second, {TASKS} clients, P-256, all in one process");
    for (name, version) in [("TLS 1.3", &TLS13), ("TLS 1.2", &TLS12)] {
        for (what, device) in [
            ("no certificate", None),
            ("certificate", Some(&bench.devices[0])),
        ] {
            let rate = bench.handshakes(version, device, each).await;
            println!("{name}, {what:<15} {rate:>6.0}/s");
        }
    }
    bench.validate(each).await;
    bench.mixed().await;
    bench.running.gateway.drain().await;
}

struct Bench {
    running: Running,
    devices: [Device; 2],
}

struct Device {
    username: &'static str,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Bench {
    async fn start() -> Self {
        let running = Running::start().await;
        let pki = running.data_dir().join("pki");
        let authority = Authority::open_or_create(&pki, &running.clock).unwrap();
        let devices = [
            Device::new(&running.gateway, &authority, "first").await,
            Device::new(&running.gateway, &authority, "second").await,
        ];
        Self { running, devices }
    }

    fn config(
        &self,
        version: &'static SupportedProtocolVersion,
        device: Option<&Device>,
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(self.running.gateway.ca_file()).unwrap() {
            roots.add(root.unwrap()).unwrap();
        }
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let builder = ClientConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match device {
            None => builder.with_no_client_auth(),
            Some(device) => builder
                .with_client_auth_cert(device.chain.clone(), device.key.clone_key())
                .unwrap(),
        };
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    async fn handshakes(
        &self,
        version: &'static SupportedProtocolVersion,
        device: Option<&Device>,
        time: Duration,
    ) -> f64 {
        let connector = TlsConnector::from(Arc::new(self.config(version, device)));
        let (address, end) = (self.running.gateway.address(), Instant::now() + time);
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(shake_hands_until(connector.clone(), address, end));
        }
        let counts = tasks.join_all().await;
        f64::from(counts.iter().sum::<u32>()) / time.as_secs_f64()
    }

    /// The validation page at a steady rate over one warm connection. The loop is open: requests leave by the clock, whether
    /// or not earlier ones were answered, and each delay counts from when its request was due. So neither a server nor a
    /// client that falls behind makes the figures better, and the rate is what was answered, not what was asked.
    async fn validate(&self, time: Duration) {
        let channel = self.channel(&self.devices[0]).await;
        for _ in 0..WARM_UP {
            ask(&channel).await;
        }
        let begun = Instant::now();
        let mut due = begun;
        let mut tasks = JoinSet::new();
        while due < begun + time {
            // The runtime's timers come up to a millisecond late, which is as much as what is measured here.
            while Instant::now() < due {
                tokio::task::yield_now().await;
            }
            let channel = channel.clone();
            tasks.spawn(async move {
                ask(&channel).await;
                due.elapsed()
            });
            due += Duration::from_secs(1) / RATE;
        }
        let mut delays = tasks.join_all().await;
        let took = begun.elapsed();
        delays.sort();
        let at = |permille: usize| delays[(delays.len() - 1) * permille / 1_000];
        println!(
            "validation page: {RATE} requests/s offered on one connection, {:.0}/s answered; \
             from when each was due: p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}",
            delays.len() as f64 / took.as_secs_f64(),
            at(500),
            at(990),
            at(999),
            at(1_000)
        );
    }

    async fn mixed(&self) {
        let mut channels = Vec::new();
        for device in &self.devices {
            channels.push((device.username, self.channel(device).await));
        }
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let channels = channels.clone();
            tasks.spawn(async move {
                for request in 0..MIXED / TASKS {
                    let (username, channel) = &channels[(task + request) % channels.len()];
                    let body = ask(channel).await;
                    assert!(
                        body.contains(&format!("\"username\":\"{username}\"")),
                        "{body}"
                    );
                }
            });
        }
        tasks.join_all().await;
        let took = begun.elapsed();
        println!(
            "{MIXED} requests over two certificates, interleaved: none mixed, {:.0}/s",
            MIXED as f64 / took.as_secs_f64()
        );
    }

    async fn channel(&self, device: &Device) -> Channel {
        let address = self.running.gateway.address().to_string();
        let config = self.config(&TLS13, Some(device));
        dial_with(&address, config).await.unwrap()
    }
}

impl Device {
    async fn new(gateway: &Gateway, authority: &Authority, username: &'static str) -> Self {
        let tenant = TenantId::new(TENANT);
        let role = Role::TenantUser;
        let new = NewAccount::machine(tenant.clone(), username, role.into());
        let accounts = &gateway.identity().accounts;
        let made = accounts
            .create_account(&Caller::operator(), new, None)
            .await;
        let key = KeyPair::generate().unwrap();
        let csr = CertificateParams::default()
            .serialize_request(&key)
            .unwrap();
        let grant = Grant {
            tenant: &tenant,
            account: made.unwrap().0.id.raw(),
            username,
            roles: &[role.to_string()],
            ends: Clock::system()
                .now()
                .saturating_add(Duration::from_hours(1)),
            crl_url: None,
        };
        let csr = Csr::parse(csr.der()).unwrap();
        let issuance = authority.issue(&csr, &grant).unwrap();
        Self {
            username,
            chain: vec![issuance.certificate],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }
}

async fn shake_hands_until(connector: TlsConnector, address: SocketAddr, end: Instant) -> u32 {
    let name = ServerName::from(address.ip());
    let mut count = 0;
    while Instant::now() < end {
        let tcp = TcpStream::connect(address).await.unwrap();
        // A reset instead of a close: a test machine's ports would run out.
        tcp.set_zero_linger().unwrap();
        connector.connect(name.clone(), tcp).await.unwrap();
        count += 1;
    }
    count
}

async fn ask(channel: &Channel) -> String {
    let request = Request::get(format!("https://127.0.0.1{VALIDATE}"))
        .body(tonic::body::Body::empty())
        .unwrap();
    let answer = channel.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}
