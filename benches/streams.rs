//! What do a thousand streams cost? A whole gateway and its clients in this process, TLS and tokens on: streams over
//! few connections at a steady rate, the rate of writing with one subscriber and with a thousand, and a reader that
//! has stopped. Plain tables; not a statistic but a run, so compare figures of one run.
//!
//! `cargo bench --bench streams -- 60` takes sixty seconds for the steady part (default 10).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark may fail loudly, and says what it measures"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tollgate::app::Gateway;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::config::Sources;
use tollgate::iam::Caller;
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
use tollgate::transport::Trust;
use tollgate::transport::dial;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::g_nmi_client::GNmiClient;
use tonic::Request;
use tonic::Streaming;
use tonic::transport::Channel;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const TENANT: &str = "bench";
const CONNECTIONS: usize = 20;
const STREAMS: usize = 1_000;
const LEAVES: i64 = 10;
const UPDATES_PER_SECOND: u64 = 50;

fn main() {
    let seconds = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(10);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(seconds));
}

async fn run(seconds: u64) {
    let bench = Bench::start().await;
    println!(
        "{STREAMS} streams, {CONNECTIONS} TLS connections, {LEAVES} leaves, encoding PROTO, all in one process"
    );
    bench.steady(seconds).await;
    bench.ingest().await;
    bench.stalled(seconds).await;
    bench.gateway.drain().await;
}

struct Bench {
    gateway: Gateway,
    token: String,
    clock: Clock,
    _data: tempfile::TempDir,
}

/// What one reader has seen.
#[derive(Default)]
struct Seen {
    /// Delays in units of 100 us.
    delays: HashMap<u64, u64>,
    last: HashMap<String, i64>,
    delivered: u64,
    coalesced: u64,
}

impl Bench {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let sources = Sources::new()
            .with_flag("gateway.listen", "127.0.0.1:0")
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
        let (_, issued) = accounts
            .create_account(&caller, machine, pat)
            .await
            .unwrap();
        let token = issued.unwrap().token.expose().to_owned();
        Self {
            gateway,
            token,
            clock,
            _data: data,
        }
    }

    /// Every stream gets 50 updates per second: how late, and does each leaf's last value arrive?
    async fn steady(&self, seconds: u64) {
        let last = i64::try_from(seconds * UPDATES_PER_SECOND).unwrap();
        let counted = Arc::new(AtomicU64::new(0));
        let readers = self.readers(STREAMS, last, &counted).await;
        let mut ticks = tokio::time::interval(
            Duration::from_secs(1) / u32::try_from(UPDATES_PER_SECOND).unwrap(),
        );
        let started = Instant::now();
        for number in 1..=last {
            ticks.tick().await;
            self.publish(number % LEAVES, number);
        }
        for leaf in 0..LEAVES {
            self.publish(leaf, last + 1);
        }
        let (mut all, mut missing) = (Seen::default(), 0);
        for reader in readers {
            match tokio::time::timeout(Duration::from_secs(30), reader).await {
                Ok(seen) => all.add(seen.unwrap()),
                Err(_) => missing += 1,
            }
        }
        let elapsed = started.elapsed().as_secs_f64();
        println!("\nsteady, {UPDATES_PER_SECOND} updates/s per stream for {seconds} s");
        println!(
            "  delivered          {:>12.0} /s",
            all.delivered as f64 / elapsed
        );
        println!("  coalesced          {:>12}", all.coalesced);
        println!("  delay p50          {:>12.1} ms", all.delay(0.50));
        println!("  delay p99          {:>12.1} ms", all.delay(0.99));
        println!("  delay max          {:>12.1} ms", all.delay(1.0));
        println!("  without last value {missing:>12} streams");
    }

    /// Does writing slow down with the number of subscribers?
    async fn ingest(&self) {
        println!("\nwriting 1,000 updates/s for 5 s");
        for streams in [1, STREAMS] {
            let counted = Arc::new(AtomicU64::new(0));
            let readers = self.readers(streams, i64::MAX, &counted).await;
            let before = counted.load(Ordering::Relaxed);
            let (started, mut written, mut busy) = (Instant::now(), 0_u64, Duration::ZERO);
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            while started.elapsed() < Duration::from_secs(5) {
                ticks.tick().await;
                let begun = Instant::now();
                for _ in 0..10 {
                    written += 1;
                    let number = i64::try_from(written).unwrap();
                    self.publish(number % LEAVES, number);
                }
                busy += begun.elapsed();
            }
            let elapsed = started.elapsed().as_secs_f64();
            let delivered = counted.load(Ordering::Relaxed) - before;
            println!(
                "  {streams:>5} subscribers: {:>6.0} writes/s, {:>5.1} us each, {:>8.0} deliveries/s",
                written as f64 / elapsed,
                busy.as_secs_f64() * 1e6 / written as f64,
                delivered as f64 / elapsed,
            );
            for reader in readers {
                reader.abort();
            }
        }
    }

    /// One reader stops while 10,000 updates arrive per second; another goes on.
    async fn stalled(&self, seconds: u64) {
        let channel = self.channel().await;
        let mut stopped = self.subscribe(&channel).await;
        let counted = Arc::new(AtomicU64::new(0));
        let total = i64::try_from(seconds * 10_000).unwrap();
        let mut others = self.readers(1, total, &counted).await;
        let before = resident_kib();
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        let mut number = 0;
        while number < total {
            ticks.tick().await;
            for _ in 0..100 {
                number += 1;
                self.publish(number % LEAVES, number);
            }
        }
        for leaf in 0..LEAVES {
            self.publish(leaf, total + 1);
        }
        let seen = others.remove(0).await.unwrap();
        let after = resident_kib();
        let (mut last, mut duplicates) = (HashMap::new(), 0);
        while i64::try_from(last.len()).unwrap() < LEAVES
            || last.values().any(|value| *value <= total)
        {
            let message = tokio::time::timeout(Duration::from_secs(30), stopped.message());
            let message = message
                .await
                .expect("latest values arrive")
                .unwrap()
                .unwrap();
            for (path, value, coalesced, _) in updates(&message) {
                duplicates += u64::from(coalesced);
                last.insert(path, value);
            }
        }
        println!("\na reader that stopped for {seconds} s while 10,000 updates/s were written");
        println!("  memory of the process  {before} KiB before, {after} KiB after");
        println!("  the other reader's p99 {:>8.1} ms", seen.delay(0.99));
        println!(
            "  on resuming            latest value of all {LEAVES} leaves, {duplicates} coalesced"
        );
    }

    async fn readers(
        &self,
        streams: usize,
        last: i64,
        counted: &Arc<AtomicU64>,
    ) -> Vec<JoinHandle<Seen>> {
        for leaf in 0..LEAVES {
            self.publish(leaf, 0);
        }
        let mut readers = Vec::new();
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS.min(streams) {
            channels.push(self.channel().await);
        }
        for channel in channels.iter().cycle().take(streams) {
            let stream = self.subscribe(channel).await;
            readers.push(tokio::spawn(read(
                stream,
                last,
                self.clock.clone(),
                Arc::clone(counted),
            )));
        }
        readers
    }

    async fn channel(&self) -> Channel {
        let trust = Trust::from_pem_file(self.gateway.ca_file()).unwrap();
        dial(&self.gateway.address().to_string(), &trust)
            .await
            .unwrap()
    }

    /// An open stream, its initial values read.
    async fn subscribe(&self, channel: &Channel) -> Streaming<pb::SubscribeResponse> {
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
        let mut request = Request::new(ReceiverStream::new(rx));
        let bearer = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        let mut stream = GNmiClient::new(channel.clone())
            .subscribe(request)
            .await
            .unwrap()
            .into_inner();
        while let Some(message) = stream.message().await.unwrap() {
            if matches!(
                message.response,
                Some(pb::subscribe_response::Response::SyncResponse(true))
            ) {
                break;
            }
        }
        stream
    }

    fn publish(&self, leaf: i64, number: i64) {
        let elems = vec![
            Elem::new("bench"),
            Elem::with_keys("leaf", [("id", leaf.to_string())]),
            Elem::new("value"),
        ];
        let path = Path::new(Origin::default(), elems);
        let notification = Notification {
            timestamp: self.clock.now(),
            target: Target::own(),
            nature: Nature::State,
            atomic: None,
            deletes: Vec::new(),
            updates: vec![Update {
                path,
                value: Value::Int(number),
            }],
        };
        self.gateway
            .core()
            .publish(&TenantId::new(TENANT), &notification)
            .unwrap();
    }
}

async fn read(
    mut stream: Streaming<pb::SubscribeResponse>,
    last: i64,
    clock: Clock,
    counted: Arc<AtomicU64>,
) -> Seen {
    let mut seen = Seen::default();
    while i64::try_from(seen.last.len()).unwrap() < LEAVES
        || seen.last.values().any(|value| *value <= last)
    {
        let message = stream.message().await.unwrap().expect("the stream goes on");
        let now = clock.now().nanos();
        for (path, value, coalesced, at) in updates(&message) {
            counted.fetch_add(1, Ordering::Relaxed);
            seen.delivered += 1;
            seen.coalesced += u64::from(coalesced);
            *seen
                .delays
                .entry(u64::try_from(now - at).unwrap_or(0) / 100_000)
                .or_default() += 1;
            seen.last.insert(path, value);
        }
    }
    seen
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.coalesced += other.coalesced;
        for (delay, count) in other.delays {
            *self.delays.entry(delay).or_default() += count;
        }
    }

    /// A quantile of the delays, in milliseconds.
    fn delay(&self, quantile: f64) -> f64 {
        let mut delays: Vec<_> = self.delays.iter().collect();
        delays.sort_unstable();
        let wanted = quantile * self.delays.values().sum::<u64>() as f64;
        let mut below = 0;
        for (delay, count) in delays {
            below += count;
            if below as f64 >= wanted {
                return *delay as f64 / 10.0;
            }
        }
        0.0
    }
}

/// Path, value, duplicates and timestamp of each update.
fn updates(message: &pb::SubscribeResponse) -> impl Iterator<Item = (String, i64, u32, i64)> {
    let notification = match &message.response {
        Some(pb::subscribe_response::Response::Update(notification)) => Some(notification),
        _ => None,
    };
    notification.into_iter().flat_map(|notification| {
        notification.update.iter().map(|update| {
            let path = tollgate::wire::path_text(None, update.path.as_ref());
            let value = update.val.as_ref().and_then(|val| val.value.clone());
            let Some(pb::typed_value::Value::IntVal(value)) = value else {
                panic!("{update:?}")
            };
            (path, value, update.duplicates, notification.timestamp)
        })
    })
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
