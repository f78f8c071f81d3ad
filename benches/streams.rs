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

mod gateway;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tollgate::clock::Clock;
use tollgate::wire::proto::gnmi as pb;
use tonic::Streaming;

use gateway::Running;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CONNECTIONS: usize = 20;
const STREAMS: usize = 1_000;
const LEAVES: i64 = 10;
const UPDATES_PER_SECOND: u64 = 50;

fn main() {
    let seconds = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(10);
    gateway::run(run(seconds));
}

async fn run(seconds: u64) {
    let bench = Bench(Running::start().await);
    println!(
        "{STREAMS} streams, {CONNECTIONS} TLS connections, {LEAVES} leaves, encoding PROTO, all in one process"
    );
    bench.steady(seconds).await;
    bench.ingest().await;
    bench.stalled(seconds).await;
    bench.0.gateway.drain().await;
}

struct Bench(Running);

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
            self.0.publish(number % LEAVES, number);
        }
        for leaf in 0..LEAVES {
            self.0.publish(leaf, last + 1);
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
                    self.0.publish(number % LEAVES, number);
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
        let channel = self.0.channel().await;
        let mut stopped = self.0.subscribe(&channel, &self.0.token).await;
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
                self.0.publish(number % LEAVES, number);
            }
        }
        for leaf in 0..LEAVES {
            self.0.publish(leaf, total + 1);
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
            self.0.publish(leaf, 0);
        }
        let mut readers = Vec::new();
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS.min(streams) {
            channels.push(self.0.channel().await);
        }
        for channel in channels.iter().cycle().take(streams) {
            let stream = self.0.subscribe(channel, &self.0.token).await;
            readers.push(tokio::spawn(read(
                stream,
                last,
                self.0.clock.clone(),
                Arc::clone(counted),
            )));
        }
        readers
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
