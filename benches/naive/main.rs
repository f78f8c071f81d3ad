//! How much does the gateway save? The same subscriptions and the same updates, in turn, at the gateway and at the naive
//! way of serving them: stock tonic, with a clone and an encoding of each message for each subscriber. Each server is a
//! process of its own; medians of several runs, and their ratios. Where there is `taskset`, the server has one core and the
//! load another, so that the one does not hide what the other costs.
//!
//! `cargo bench --bench naive -- 10 7` measures ten seconds (default 5), seven times (default 5); `-- 5 5 separate` does
//! only the scenarios whose names have that word. The gateway checks tokens and counts metrics, the naive one does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a benchmark may fail loudly, and says what it measures"
)]

#[path = "../gateway/mod.rs"]
mod gateway;
mod server;

use std::future::pending;
use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tollgate::clock::Clock;
use tollgate::iam::Role;
use tollgate::load;
use tollgate::secret::Secret;
use tollgate::transport::Trust;
use tollgate::wire::proto::gnmi as pb;

use gateway::Running;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What is asked of both.
struct Scenario {
    name: &'static str,
    connections: usize,
    subscriptions: usize,
    /// Updates per second, to each subscription.
    rate: u64,
    /// Updates that are written together.
    batch: usize,
    /// What makes a message longer.
    target: &'static str,
}

/// Makes a message some 180 bytes long.
const ROUTER: &str = "edge-router-17.lab.example.net";

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "10 connections x 100 streams, one update per tick",
        connections: 10,
        subscriptions: 1_000,
        rate: 40,
        batch: 1,
        target: ROUTER,
    },
    Scenario {
        name: "1,000 separate connections, 20 updates per tick",
        connections: 1_000,
        subscriptions: 1_000,
        rate: 400,
        batch: 20,
        target: ROUTER,
    },
    Scenario {
        name: "10 connections x 100 streams, messages of more than 256 bytes",
        connections: 10,
        subscriptions: 1_000,
        rate: 40,
        batch: 1,
        target: "a-target-whose-name-makes-each-message-longer-than-256-bytes-which-is-where-http2-libraries-begin-to-write-frame-by-frame-unless-something-gathers-them-before-they-reach-the-socket",
    },
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("serve-naive") => gateway::run(server::serve()),
        Some("serve-gateway") => gateway::run(serve_gateway()),
        _ => {
            // Before there are threads, which take it over.
            let is_pinned = pin_self();
            println!(
                "server and load on {} cores",
                if is_pinned { "separate" } else { "the same" }
            );
            let mut numbers = words.iter().filter_map(|word| word.parse().ok());
            let seconds = numbers.next().unwrap_or(5);
            let runs = numbers.next().unwrap_or(5);
            let is_word = |word: &&String| !word.starts_with('-') && word.parse::<u64>().is_err();
            let only = words.iter().find(is_word).map_or("", String::as_str);
            gateway::run(compare(only, Duration::from_secs(seconds), runs));
        }
    }
}

/// Serves for ever, and prints its address and a token.
async fn serve_gateway() {
    let running = Running::start().await;
    let (_, writer) = running.create("writer", Role::TenantAdmin).await;
    println!("{} {}", running.gateway.address(), writer.token.expose());
    pending::<()>().await;
}

/// Gives this process a core that the servers do not have. False where that cannot be.
fn pin_self() -> bool {
    let process = std::process::id().to_string();
    let outcome = Command::new("taskset")
        .args(["--cpu-list", "--pid", LOAD_CORE, &process])
        .stdout(Stdio::null())
        .status();
    outcome.is_ok_and(|status| status.success())
}

fn is_pinned() -> bool {
    std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1)
}

const SERVER_CORE: &str = "0";

const LOAD_CORE: &str = "1";

/// A server in a process of its own, which ends with this value.
struct Server {
    child: Child,
    address: String,
    token: Secret,
}

impl Server {
    fn start(kind: &str) -> Self {
        let exe = std::env::current_exe().unwrap();
        let mut command = Command::new(&exe);
        if is_pinned() {
            command = Command::new("taskset");
            command.args(["--cpu-list", SERVER_CORE]).arg(exe);
        }
        let mut child = command.arg(kind).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let (address, token) = line.trim().split_once(' ').unwrap_or((line.trim(), "none"));
        Self {
            address: address.to_owned(),
            token: Secret::new(token),
            child,
        }
    }

    async fn load(&self, scenario: &Scenario, duration: Duration) -> load::Report {
        let readers = load::Readers {
            subscriptions: scenario.subscriptions,
            mode: load::Mode::Stream,
            sampling: load::Sampling::OnChange,
            paths: Vec::new(),
            target: scenario.target.to_owned(),
            encoding: pb::Encoding::Proto,
            slow: 0,
            stalled: 0,
        };
        let writers = load::Writers {
            publishers: 1,
            leaves: 100,
            rate: scenario.rate,
            batch: scenario.batch,
            updates: None,
        };
        let config = load::Config {
            address: self.address.clone(),
            publish_address: None,
            tls: Arc::new(Trust::Anybody.client_config(&[b"h2"]).unwrap()),
            credential: load::Credential::Bearer(self.token.clone()),
            connections: scenario.connections,
            // What clients return of a window costs both sides the same, all connections at the same moment.
            stream_window: load::MAX_WINDOW_BYTES,
            // The gateway takes a thousand from one address.
            sources: vec![[127, 0, 0, 2].into(), [127, 0, 0, 3].into()],
            readers,
            writers: Some(writers),
            duration,
            warm_up: Duration::from_secs(1),
            reconnect_interval: None,
            server_process: Some(self.child.id()),
        };
        load::run(config, Clock::system(), |_| ()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn compare(only: &str, duration: Duration, runs: u64) {
    let mut costs = Vec::new();
    let asked = |scenario: &&Scenario| scenario.name.contains(only);
    for scenario in SCENARIOS.iter().filter(asked) {
        println!("{}, medians of {runs}", scenario.name);
        let (mut ours, mut naive) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            for (kind, reports) in [("serve-gateway", &mut ours), ("serve-naive", &mut naive)] {
                let server = Server::start(kind);
                reports.push(server.load(scenario, duration).await);
            }
        }
        let nanos = |report: &load::Report| report.server_nanos_per_delivery.unwrap_or_default();
        let p99 = |report: &load::Report| report.latency.p99 * 1e3;
        println!("  {:<32}{:>10}{:>10}", "", "gateway", "naive");
        row("deliveries/s", &ours, &naive, |report| report.delivery_rate);
        row("bytes/message", &ours, &naive, |report| {
            report.bytes_per_message
        });
        row("processor per delivery, ns", &ours, &naive, nanos);
        row("delay p99, ms", &ours, &naive, p99);
        for (name, reports) in [("gateway", &ours), ("naive", &naive)] {
            let unclean = reports.iter().filter(|report| !report.clean).count();
            if unclean > 0 {
                println!("  {unclean} runs of {name} were not clean");
            }
        }
        println!();
        costs.push(median(&ours, nanos));
    }
    // The same load but for the length of its messages.
    if let [short, _, long] = costs[..] {
        println!(
            "a message of more than 256 bytes costs the gateway {:.2} x the short one",
            long / short
        );
    }
}

fn row(
    name: &str,
    ours: &[load::Report],
    naive: &[load::Report],
    read: impl Fn(&load::Report) -> f64,
) {
    let (one, other) = (median(ours, &read), median(naive, &read));
    println!("  {name:<32}{one:>10.1}{other:>10.1}{:>8.1} x", other / one);
}

fn median(reports: &[load::Report], read: impl Fn(&load::Report) -> f64) -> f64 {
    let mut values: Vec<f64> = reports.iter().map(read).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
