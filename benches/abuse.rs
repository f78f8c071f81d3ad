//! What does it cost the others when a token is revoked on which ten thousand streams hang, when unknown tokens come in
//! floods, when logins do, when requests for certificates do? A whole gateway and its clients in this process, TLS and tokens on. Plain tables; not a
//! statistic but a run, so compare figures of one run.
//!
//! `cargo bench --bench abuse -- 20` takes twenty seconds for each flood (default 5). `cargo bench --bench abuse -- revoke` (or
//! `tokens`, `logins`, `csrs`) runs one part.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark may fail loudly, and says what it measures"
)]

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::Full;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::KeyPair;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tollgate::app::Gateway;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::config::Sources;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::Credential;
use tollgate::iam::Issued;
use tollgate::iam::NewAccount;
use tollgate::iam::NewPat;
use tollgate::iam::Role;
use tollgate::model::Elem;
use tollgate::model::Expiry;
use tollgate::model::Nature;
use tollgate::model::Notification;
use tollgate::model::Origin;
use tollgate::model::Path;
use tollgate::model::Target;
use tollgate::model::TenantId;
use tollgate::model::Update;
use tollgate::model::Value;
use tollgate::secret::Secret;
use tollgate::transport::Trust;
use tollgate::transport::dial;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::g_nmi_client::GNmiClient;
use tonic::Code;
use tonic::Request;
use tonic::Status;
use tonic::Streaming;
use tonic::transport::Channel;
use tower::Service as _;
use tower::ServiceExt as _;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const TENANT: &str = "bench";
const CONNECTIONS: usize = 20;
const STREAMS: usize = 10_000;
/// Streams whose delay is watched while logins flood.
const WATCHED: usize = 100;
/// Good requests a second, and updates a second.
const PACE: u32 = 100;
/// Unknown tokens in flight at once, and people who log in at once.
const ATTACKERS: usize = 200;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seconds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(5);
    let parts = ["revoke", "tokens", "logins", "csrs"];
    let named = |part: &str| words.iter().any(|word| word == part);
    let chosen = |part: &str| named(part) || !parts.iter().any(|part| named(part));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let time = Duration::from_secs(seconds);
        if chosen("revoke") {
            Bench::start().await.revoke().await;
        }
        if chosen("tokens") {
            Bench::start().await.unknown_tokens(time).await;
        }
        if chosen("logins") {
            let bench = Bench::start().await;
            let attacker = |number, flood: &Flood| bench.guesser(number, flood);
            bench.streams_beside("wrong logins", time, attacker).await;
        }
        if chosen("csrs") {
            let bench = Bench::start().await;
            let (admin, channel) = (bench.admin().await, bench.channel().await);
            let attacker = |number, flood: &Flood| applicant(number, &channel, &admin, flood);
            bench.streams_beside("CSRs", time, attacker).await;
        }
    });
}

struct Bench {
    gateway: Gateway,
    account: AccountId,
    good: Issued,
    clock: Clock,
    _data: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let sources = Sources::new()
            .with_flag("gateway.listen", "127.0.0.1:0")
            .with_flag("gateway.iam_listen", "127.0.0.1:0")
            .with_flag("gateway.drain_grace", "0s")
            .with_flag("admin.listen", "127.0.0.1:0")
            .with_flag("store.data_dir", &data.path().display().to_string());
        let clock = Clock::system();
        let gateway = Gateway::start(Settings::load(&sources).unwrap(), clock.clone())
            .await
            .unwrap();
        let (accounts, caller) = (&gateway.identity().accounts, Caller::operator());
        accounts.create_tenant(&caller, TENANT).await.unwrap();
        let machine = NewAccount::machine(TenantId::new(TENANT), "reader", Role::TenantUser.into());
        let pat = Some(NewPat::until(Expiry::NEVER));
        let made = accounts.create_account(&caller, machine, pat).await;
        let (account, issued) = made.unwrap();
        Self {
            gateway,
            account: account.id,
            good: issued.unwrap(),
            clock,
            _data: data,
        }
    }

    /// Ten thousand streams on one token: from the call that revokes it to the status of the last.
    async fn revoke(&self) {
        println!("{STREAMS} streams of one token on {CONNECTIONS} TLS connections, revoked");
        let new = NewPat::until(Expiry::NEVER);
        let (accounts, caller) = (&self.gateway.identity().accounts, Caller::operator());
        let tenant = TenantId::new(TENANT);
        let issued = accounts.create_pat(&caller, &tenant, self.account, new);
        let issued = issued.await.unwrap();
        let mut streams = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let channel = self.channel().await;
            for _ in 0..STREAMS / CONNECTIONS {
                let mut stream = self.subscribe(&channel, &issued.token).await;
                streams.spawn(async move {
                    while let Ok(Some(_)) = stream.message().await {}
                    Instant::now()
                });
            }
        }
        let began = Instant::now();
        let revoked = accounts.revoke_pat(&caller, &tenant, issued.record.id);
        revoked.await.unwrap();
        let answered = began.elapsed();
        let mut times = Times::default();
        while let Some(ended) = streams.join_next().await {
            times.0.push(ended.unwrap() - began);
        }
        println!("  revoking answered     {:>9.1} ms", millis(answered));
        println!("  half of them ended    {:>9.1} ms", times.quantile(0.5));
        println!("  the last one ended    {:>9.1} ms", times.quantile(1.0));
        println!(
            "  streams left          {:>9}\n",
            self.gateway.identity().registry.len()
        );
    }

    /// Good tokens at a steady pace: alone, beside a flood of good ones, beside one of unknown ones.
    async fn unknown_tokens(&self, time: Duration) {
        println!(
            "{PACE} good Capabilities a second over TLS, beside floods of {ATTACKERS} at once"
        );
        let (stop, none) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let alone = self.good_requests(time).await;
        alone.report("alone", &none, time, None);
        for (name, is_unknown) in [("good tokens", false), ("unknown tokens", true)] {
            let sent = Arc::new(AtomicU64::new(0));
            stop.store(false, Ordering::Relaxed);
            let flood = self.flood(is_unknown, &stop, &sent).await;
            let beside = self.good_requests(time).await;
            stop.store(true, Ordering::Relaxed);
            for attacker in flood {
                attacker.await.unwrap();
            }
            beside.report(name, &sent, time, Some(&alone));
        }
        println!();
    }

    /// Streams at a steady pace: alone, and beside a flood.
    async fn streams_beside(
        &self,
        name: &str,
        time: Duration,
        attacker: impl Fn(usize, &Flood) -> JoinHandle<()>,
    ) {
        println!(
            "{WATCHED} streams, {PACE} updates a second each, beside {ATTACKERS} {name} at once"
        );
        let channel = self.channel().await;
        self.publish(0);
        let mut streams = Vec::new();
        for _ in 0..WATCHED {
            streams.push(self.subscribe(&channel, &self.good.token).await);
        }
        let delays = Arc::new(parking_lot::Mutex::new(Times::default()));
        for stream in streams {
            tokio::spawn(watch(stream, self.clock.clone(), Arc::clone(&delays)));
        }
        let flood = Flood::default();
        self.updates(time).await;
        let alone = std::mem::take(&mut *delays.lock());
        alone.report("alone", &flood.sent, time, None);
        let attackers: Vec<_> = (0..ATTACKERS)
            .map(|number| attacker(number, &flood))
            .collect();
        self.updates(time).await;
        flood.stop.store(true, Ordering::Relaxed);
        let beside = std::mem::take(&mut *delays.lock());
        beside.report(name, &flood.sent, time, Some(&alone));
        for attacker in attackers {
            attacker.await.unwrap();
        }
        println!();
    }

    /// A token that may have certificates signed.
    async fn admin(&self) -> Secret {
        let (accounts, caller) = (&self.gateway.identity().accounts, Caller::operator());
        let machine = NewAccount::machine(TenantId::new(TENANT), "admin", Role::TenantAdmin.into());
        let pat = Some(NewPat::until(Expiry::NEVER));
        let made = accounts.create_account(&caller, machine, pat).await;
        made.unwrap().1.unwrap().token
    }

    async fn good_requests(&self, time: Duration) -> Times {
        let channel = self.channel().await;
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
        let mut waiting = JoinSet::new();
        let began = Instant::now();
        while began.elapsed() < time {
            ticks.tick().await;
            let (channel, token) = (channel.clone(), self.good.token.clone());
            waiting.spawn(async move {
                let sent = Instant::now();
                capabilities(channel, token.expose()).await.unwrap();
                sent.elapsed()
            });
        }
        Times(waiting.join_all().await)
    }

    /// Clients that ask again as soon as they are answered.
    async fn flood(
        &self,
        is_unknown: bool,
        stop: &Arc<AtomicBool>,
        sent: &Arc<AtomicU64>,
    ) -> Vec<JoinHandle<()>> {
        let mut attackers = Vec::new();
        for connection in 0..CONNECTIONS {
            let channel = self.channel().await;
            for attacker in 0..ATTACKERS / CONNECTIONS {
                let (channel, stop, sent) = (channel.clone(), Arc::clone(stop), Arc::clone(sent));
                let good = self.good.token.clone();
                let first = ((connection * ATTACKERS + attacker) as u64) << 40;
                attackers.push(tokio::spawn(async move {
                    for number in first.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let token = if is_unknown {
                            unknown(number)
                        } else {
                            good.expose().to_owned()
                        };
                        let answer = capabilities(channel.clone(), &token).await;
                        assert_eq!(answer.is_err(), is_unknown, "{answer:?}");
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                }));
            }
        }
        attackers
    }

    /// Somebody who guesses, each time from another address, so that nothing but the number of computations holds it off.
    fn guesser(&self, number: usize, flood: &Flood) -> JoinHandle<()> {
        let authenticator = self.gateway.identity().authenticator.clone();
        let flood = flood.clone();
        tokio::spawn(async move {
            let first = u32::try_from(number << 16).unwrap() | 0x0a00_0000;
            for address in first.. {
                if flood.stop.load(Ordering::Relaxed) {
                    return;
                }
                let credential = Credential::Password {
                    username: format!("user-{address}"),
                    password: Secret::new("wrong password"),
                };
                let from = IpAddr::V4(Ipv4Addr::from_bits(address));
                let refused = authenticator.authenticate(credential, from).await;
                assert!(refused.is_err());
                flood.sent.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    async fn updates(&self, time: Duration) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
        let began = Instant::now();
        let mut number = 0;
        while began.elapsed() < time {
            ticks.tick().await;
            number += 1;
            self.publish(number);
        }
    }

    async fn channel(&self) -> Channel {
        let trust = Trust::from_pem_file(self.gateway.ca_file()).unwrap();
        dial(&self.gateway.address().to_string(), &trust)
            .await
            .unwrap()
    }

    /// An open stream, its sync read.
    async fn subscribe(
        &self,
        channel: &Channel,
        token: &Secret,
    ) -> Streaming<pb::SubscribeResponse> {
        let path = pb::Path {
            elem: vec![pb::PathElem {
                name: "bench".to_owned(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let list = pb::SubscriptionList {
            subscription: vec![pb::Subscription {
                path: Some(path),
                mode: pb::SubscriptionMode::OnChange.into(),
                ..Default::default()
            }],
            encoding: pb::Encoding::Proto.into(),
            ..Default::default()
        };
        let first = pb::SubscribeRequest {
            request: Some(pb::subscribe_request::Request::Subscribe(list)),
            extension: Vec::new(),
        };
        let (tx, rx) = mpsc::channel(1);
        tx.send(first).await.unwrap();
        let request = with_bearer(ReceiverStream::new(rx), token.expose());
        let opened = GNmiClient::new(channel.clone()).subscribe(request).await;
        let mut stream = opened.unwrap().into_inner();
        while let Some(message) = stream.message().await.unwrap() {
            use pb::subscribe_response::Response::SyncResponse;
            if matches!(message.response, Some(SyncResponse(true))) {
                break;
            }
        }
        stream
    }

    fn publish(&self, number: i64) {
        let elems = vec![Elem::new("bench"), Elem::new("value")];
        let notification = Notification {
            timestamp: self.clock.now(),
            target: Target::own(),
            nature: Nature::State,
            atomic: None,
            deletes: Vec::new(),
            updates: vec![Update {
                path: Path::new(Origin::default(), elems),
                value: Value::Int(number),
            }],
        };
        let core = self.gateway.core();
        core.publish(&TenantId::new(TENANT), &notification).unwrap();
    }
}

/// Many who ask at once.
#[derive(Clone, Default)]
struct Flood {
    stop: Arc<AtomicBool>,
    /// Answers that they got.
    sent: Arc<AtomicU64>,
}

/// Somebody who has one key certified ten times a second, each time by another CSR: all of them ask for ten times what the
/// gateway signs, and leave it a processor to refuse with.
fn applicant(number: usize, channel: &Channel, admin: &Secret, flood: &Flood) -> JoinHandle<()> {
    let (mut channel, admin, flood) = (channel.clone(), admin.clone(), flood.clone());
    tokio::spawn(async move {
        let key = KeyPair::generate().unwrap();
        // One after the other, as people are.
        let turn = Duration::from_millis(100);
        let first = Instant::now() + turn.mul_f64(number as f64 / ATTACKERS as f64);
        let mut ticks = tokio::time::interval_at(first, turn);
        for turn in 0_u64.. {
            ticks.tick().await;
            if flood.stop.load(Ordering::Relaxed) {
                return;
            }
            let mut params = CertificateParams::default();
            params.distinguished_name = DistinguishedName::new();
            params
                .distinguished_name
                .push(DnType::OrganizationName, format!("{number}-{turn}"));
            let csr = params.serialize_request(&key).unwrap();
            let request = http::Request::post("/distribution/sign-csr?certduration=24&format=pem")
                .header("authorization", format!("Bearer {}", admin.expose()))
                .header("content-type", "application/octet-stream")
                .body(tonic::body::Body::new(Full::from(csr.der().to_vec())))
                .unwrap();
            // A connection on which too many requests were refused before their bodies had come is ended by the
            // gateway; the channel dials again.
            let Ok(ready) = channel.ready().await else {
                continue;
            };
            let Ok(answer) = ready.call(request).await else {
                continue;
            };
            let status = answer.status();
            assert!(
                status.is_success() || status == http::StatusCode::TOO_MANY_REQUESTS,
                "{status}"
            );
            flood.sent.fetch_add(1, Ordering::Relaxed);
        }
    })
}

/// How long things took.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    /// In milliseconds.
    fn quantile(&self, quantile: f64) -> f64 {
        let mut times = self.0.clone();
        times.sort_unstable();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let at = ((times.len() as f64 * quantile) as usize).min(times.len().saturating_sub(1));
        millis(times.get(at).copied().unwrap_or_default())
    }

    fn report(&self, name: &str, sent: &AtomicU64, time: Duration, alone: Option<&Self>) {
        let rate = sent.load(Ordering::Relaxed) as f64 / time.as_secs_f64();
        let (p50, p99) = (self.quantile(0.5), self.quantile(0.99));
        let ratio = alone.map_or(String::new(), |alone| {
            format!("{:>6.1} x", p99 / alone.quantile(0.99))
        });
        println!("  {name:<16} {rate:>8.0}/s   p50 {p50:>7.2} ms   p99 {p99:>7.2} ms {ratio}");
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Notes how late each update comes.
async fn watch(
    mut stream: Streaming<pb::SubscribeResponse>,
    clock: Clock,
    delays: Arc<parking_lot::Mutex<Times>>,
) {
    while let Ok(Some(message)) = stream.message().await {
        if let Some(pb::subscribe_response::Response::Update(notification)) = message.response {
            let late = clock.now().nanos() - notification.timestamp;
            let late = Duration::from_nanos(u64::try_from(late).unwrap_or(0));
            delays.lock().0.push(late);
        }
    }
}

async fn capabilities(channel: Channel, token: &str) -> Result<(), Status> {
    let request = with_bearer(pb::CapabilityRequest::default(), token);
    let answer = GNmiClient::new(channel).capabilities(request).await;
    match answer {
        Err(status)
            if !matches!(
                status.code(),
                Code::Unauthenticated | Code::ResourceExhausted
            ) =>
        {
            panic!("{status:?}")
        }
        answer => answer.map(drop),
    }
}

fn with_bearer<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// A well-formed token that nobody has.
fn unknown(number: u64) -> String {
    let body = format!("tgpat_{number:0>43}");
    let crc = crc32fast::hash(body.as_bytes());
    format!("{body}_{}", base62(crc))
}

fn base62(mut number: u32) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        let at = usize::try_from(number % 62).unwrap();
        *place = DIGITS.get(at).copied().unwrap();
        number /= 62;
    }
    String::from_utf8(text.to_vec()).unwrap()
}
