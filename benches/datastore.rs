//! What 10,000 sessions on 20,000 endpoints cost a client of RESTCONF: to edit one entry among them, to read them all,
//! to wait for what happens; and the gateway, to validate them all. A whole gateway and its clients in this process,
//! TLS and tokens on, so that memory is that of both ends. Plain lines; not a statistic but a run.
//!
//! `cargo bench --bench datastore` prints times and memory; `-- N` loads N sessions instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark may fail loudly, and says what it measures"
)]

mod gateway;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::Response;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tollgate::app::Local;
use tollgate::clock::Clock;
use tollgate::datastore::Datastore;
use tollgate::iam;
use tollgate::iam::Role;
use tollgate::model::TenantId;
use tollgate::schema::Schema;
use tollgate::schema::Source;
use tollgate::secret::Secret;

use gateway::Running;
use gateway::TENANT;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const SESSIONS: usize = 10_000;
/// Entries of the smaller store, with which that of [`SESSIONS`] is compared.
const FEW: usize = 100;
const ENDPOINTS_OF: usize = 2;
/// Sessions that are loaded with one request.
const BATCH: usize = 100;
/// Requests that are measured at each size, after as many that are not.
const ROUNDS: usize = 500;
/// Those that wait for events, where the process may have as many files open.
const READERS: usize = 10_000;
/// Streams of one account.
const READERS_OF: usize = 100;
/// Files that are open beside connections.
const OTHER_FILES: usize = 500;
/// The session that is edited, beside those that are loaded.
const PROBE: usize = 99_999_999;

const DATA: &str = "/restconf/data";
const OF_ENDPOINTS: &str = "Accedian-service-endpoint:service-endpoints";
const OF_SESSIONS: &str = "Accedian-session:sessions";

fn main() {
    let wanted = std::env::args().find_map(|word| word.parse().ok());
    gateway::run(run(wanted.unwrap_or(SESSIONS)));
}

async fn run(sessions: usize) {
    // One connection of the process for each reader, twice: both ends are here.
    let flags = [
        ("gateway.max_connections", "20000"),
        ("gateway.max_connections_per_address", "20000"),
    ];
    let running = Running::start_with(&flags).await;
    let (_, admin) = running.create("admin", Role::TenantAdmin).await;
    let mut client = Client::connect(&running, &admin.token).await;
    client.load(PROBE, PROBE + 1).await;
    client.load(0, FEW).await;
    let few = client.edits(FEW).await;
    let begun = Instant::now();
    client.load(FEW, sessions).await;
    println!(
        "load of {} sessions and their endpoints, {BATCH} with one PATCH: {:.2?}",
        sessions - FEW,
        begun.elapsed()
    );
    let many = client.edits(sessions).await;
    println!(
        "  one among {sessions} takes {:.2} of one among {FEW}",
        many.as_secs_f64() / few.as_secs_f64()
    );
    for path in [
        // The first fills the store's caches.
        format!("{DATA}/{OF_ENDPOINTS}"),
        format!("{DATA}/{OF_ENDPOINTS}"),
        format!("{DATA}/{OF_SESSIONS}"),
        format!("{DATA}/{OF_SESSIONS}?with-defaults=report-all"),
        format!("/restconf/ds/ietf-datastores:operational/{OF_SESSIONS}"),
        DATA.to_owned(),
    ] {
        client.read(&path).await;
    }
    wait_for_events(&running, &mut client).await;
    drop(client);
    validate(&running).await;
    running.gateway.drain().await;
}

/// Somebody with a connection.
struct Client {
    sender: SendRequest<Full<Bytes>>,
    bearer: String,
}

impl Client {
    async fn connect(running: &Running, token: &Secret) -> Self {
        let tls = TokioIo::new(running.tls().await);
        let (sender, connection) = http1::handshake(tls).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            bearer: format!("Bearer {}", token.expose()),
        }
    }

    async fn send(&mut self, method: &str, path: &str, body: &Value) -> Response<Incoming> {
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "gateway")
            .header("authorization", &self.bearer)
            .header("content-type", "application/yang-data+json")
            .body(Full::new(body))
            .unwrap();
        self.sender.ready().await.unwrap();
        let answer = self.sender.send_request(request).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer
    }

    async fn load(&mut self, from: usize, to: usize) {
        for start in (from..to).step_by(BATCH) {
            let numbers = start..(start + BATCH).min(to);
            let endpoints = numbers.clone().flat_map(|number| {
                let side =
                    move |(index, side)| endpoint(number, side, number * ENDPOINTS_OF + index);
                ["a", "b"].into_iter().enumerate().map(side)
            });
            let body = json!({ "ietf-restconf:data": {
                OF_ENDPOINTS: { "service-endpoint": endpoints.collect::<Vec<_>>() },
                OF_SESSIONS: {
                    "session": numbers.map(|number| session(number, "loaded")).collect::<Vec<_>>(),
                },
            }});
            let answer = self.send("PATCH", DATA, &body).await;
            answer.into_body().collect().await.unwrap();
        }
    }

    /// One entry replaced, again and again, among `sessions` others. Returns the median time.
    async fn edits(&mut self, sessions: usize) -> Duration {
        let path = format!("{DATA}/{OF_SESSIONS}/session=s{PROBE}");
        let mut times = Vec::new();
        for round in 0..2 * ROUNDS {
            let text = format!("round {round} among {sessions}");
            let body = json!({ "Accedian-session:session": [session(PROBE, &text)] });
            let begun = Instant::now();
            let answer = self.send("PUT", &path, &body).await;
            answer.into_body().collect().await.unwrap();
            if round >= ROUNDS {
                times.push(begun.elapsed());
            }
        }
        times.sort_unstable();
        let (median, last) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
        println!("PUT of a session among {sessions}: p50 {median:.2?}, p99 {last:.2?}");
        median
    }

    /// A GET whose body is counted and thrown away, with the most memory that the process takes meanwhile.
    async fn read(&mut self, path: &str) {
        let before = memory("VmRSS:");
        let begun = Instant::now();
        let mut body = self.send("GET", path, &Value::Null).await.into_body();
        let first = begun.elapsed();
        let (mut bytes, mut most) = (0, before);
        while let Some(frame) = body.frame().await {
            bytes += frame.unwrap().data_ref().map_or(0, Bytes::len);
            most = most.max(memory("VmRSS:"));
        }
        let grown = most - before;
        println!(
            "GET {path}: {:.2?}, {first:.2?} to its head, {:.2} MB; memory grew by {:.2} MB, {:.2} of that",
            begun.elapsed(),
            bytes as f64 / 1e6,
            grown as f64 / 1e6,
            grown as f64 / bytes.max(1) as f64,
        );
    }
}

/// Streams that are open, each on a connection of its own.
async fn wait_for_events(running: &Running, client: &mut Client) {
    let files = fs::read_to_string("/proc/self/limits").unwrap();
    let files = files
        .lines()
        .find_map(|it| it.strip_prefix("Max open files"));
    let files = files.and_then(|it| it.split_whitespace().next()?.parse().ok());
    let fit = files.unwrap_or(1024_usize).saturating_sub(OTHER_FILES) / 2;
    let count = READERS.min(fit);
    let before = memory("VmRSS:");
    let (begun, mut readers) = (Instant::now(), Vec::new());
    let mut token = None;
    for number in 0..count {
        if number % READERS_OF == 0 {
            let name = format!("reader-{number}");
            token = Some(running.create(&name, Role::TenantUser).await.1.token);
        }
        readers.push(reader(running, token.as_ref().unwrap()).await);
    }
    let grown = memory("VmRSS:").saturating_sub(before);
    println!(
        "{count} streams of events ({READERS} unless file limits are lower), opened in {:.2?}: \
         {:.1} MB for both ends, {:.1} kB each",
        begun.elapsed(),
        grown as f64 / 1e6,
        grown as f64 / 1e3 / count.max(1) as f64,
    );
    let begun = Instant::now();
    let path = format!("{DATA}/{OF_SESSIONS}/session=s{PROBE}/start");
    client.send("POST", &path, &Value::Null).await;
    for reader in &mut readers {
        assert!(read_until(reader, b"state-change-event").await);
    }
    let grown = memory("VmRSS:").saturating_sub(before);
    println!(
        "  one event is with all of them after {:.2?}; {:.1} MB then",
        begun.elapsed(),
        grown as f64 / 1e6
    );
}

async fn reader(running: &Running, token: &Secret) -> TlsStream<TcpStream> {
    let mut stream = running.tls().await;
    let request = format!(
        "GET /restconf/streams/NETCONF/JSON HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {}\r\n\r\n",
        token.expose()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, b"text/event-stream").await);
    stream
}

async fn read_until(stream: &mut TlsStream<TcpStream>, text: &[u8]) -> bool {
    let (mut read, mut buffer) = (Vec::new(), [0; 1024]);
    while !read.windows(text.len()).any(|it| it == text) {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return false,
            count => read.extend_from_slice(&buffer[..count]),
        }
    }
    true
}

/// What a gateway does after its start, in the background.
async fn validate(running: &Running) {
    let clock = Clock::system();
    let config = iam::Config::default();
    let local = Local::open(running.data_dir(), None, config, clock.clone());
    let store = Arc::new(local.await.unwrap().store);
    let schema = Arc::new(Schema::load(Source::Embedded).unwrap());
    let datastore = Datastore::new(schema, store, clock);
    let begun = Instant::now();
    let verified = datastore.verify(&TenantId::new(TENANT)).await.unwrap();
    println!(
        "validation of {} entries, with references: {:.2?}, {} refused",
        verified.entries,
        begun.elapsed(),
        verified.invalid
    );
}

fn endpoint(number: usize, side: &str, ip: usize) -> Value {
    let id = format!("e{number}{side}");
    let ip = format!("10.{}.{}.{}", ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    json!({
        "endpoint-id": id, "endpoint-name": format!("name-{id}"),
        "type": "Accedian-service-endpoint-type:ne-endpoint",
        "config": { "Accedian-service-endpoint-ne:ne-config": { "ne-id": id, "ip": ip } },
    })
}

fn session(number: usize, text: &str) -> Value {
    let protocol = "Accedian-session-twamp-light:twamp-light";
    json!({
        "session-id": format!("s{number}"), "session-name": format!("name-s{number}"),
        "description": text, "session-type": "Accedian-session-type:twamp-light",
        "service-endpoints": [
            { "endpoint-id": format!("e{number}a"), "session-protocol": {
                protocol: { "session-sender": { "admin-state": true } } } },
            { "endpoint-id": format!("e{number}b") },
        ],
    })
}

/// Memory of this process in bytes, by the name that the kernel gives it.
fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    number.unwrap() * 1024
}
