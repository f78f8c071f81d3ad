//! What 10,000 sessions on 20,000 endpoints cost: to load, to edit one entry among them, to read them all.
//!
//! `cargo bench --bench datastore` prints times and memory; `-- N` loads N sessions instead.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark may panic, print, and look at the real clock"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;
use tollgate::app::Local;
use tollgate::audit::Actor;
use tollgate::audit::Event;
use tollgate::audit::Kind;
use tollgate::clock::Clock;
use tollgate::datastore::Datastore;
use tollgate::datastore::Edit;
use tollgate::datastore::Op;
use tollgate::iam;
use tollgate::iam::Caller;
use tollgate::model::TenantId;
use tollgate::schema::Defaults;
use tollgate::schema::Schema;
use tollgate::schema::Source;
use tollgate::schema::Step;

const SESSIONS: usize = 10_000;
const ENDPOINTS_OF: usize = 2;
const BATCH: usize = 100;
/// Edits that are measured at each size.
const EDITS: usize = 400;
const READERS: usize = 10_000;
/// The session that is edited, beside those that are loaded.
const PROBE: usize = 99_999_999;

const OF_ENDPOINTS: &str = "Accedian-service-endpoint:service-endpoints";
const OF_SESSIONS: &str = "Accedian-session:sessions";

struct Lab {
    datastore: Datastore,
    tenant: TenantId,
}

impl Lab {
    async fn open(folder: &Path) -> Self {
        let clock = Clock::system();
        let local = Local::open(folder, None, iam::Config::default(), clock.clone())
            .await
            .unwrap();
        // The second time it is there.
        let _ = local
            .identity
            .accounts
            .create_tenant(&Caller::operator(), "pca")
            .await;
        let schema = Arc::new(Schema::load(Source::Embedded).unwrap());
        let store = Arc::new(local.store.clone());
        Self {
            datastore: Datastore::new(schema, store, clock),
            tenant: TenantId::new("pca"),
        }
    }

    fn edit(&self, container: &str, key: &str, value: Value) -> Edit {
        let schema = self.datastore.schema();
        let collection = schema.collection_named(container).unwrap();
        let step = |node, keys| Step { node, keys };
        let target = vec![
            step(collection.container, Vec::new()),
            step(collection.list, vec![key.to_owned()]),
        ];
        Edit {
            target,
            op: Op::Replace(value, None),
        }
    }

    fn endpoint(&self, id: &str, ip: usize) -> Edit {
        let ip = format!("10.{}.{}.{}", ip >> 16 & 255, ip >> 8 & 255, ip & 255);
        let config = json!({ "Accedian-service-endpoint-ne:ne-config": { "ne-id": id, "ip": ip } });
        let entry = json!({
            "endpoint-id": id, "endpoint-name": format!("name-{id}"),
            "type": "Accedian-service-endpoint-type:ne-endpoint", "config": config,
        });
        self.edit(OF_ENDPOINTS, id, entry)
    }

    fn session(&self, number: usize, text: &str) -> Edit {
        let id = format!("s{number}");
        let protocol = "Accedian-session-twamp-light:twamp-light";
        let entry = json!({
            "session-id": id, "session-name": format!("name-{id}"), "description": text,
            "session-type": "Accedian-session-type:twamp-light",
            "service-endpoints": [
                { "endpoint-id": format!("e{number}a"), "session-protocol": {
                    protocol: { "session-sender": { "admin-state": true } } } },
                { "endpoint-id": format!("e{number}b") },
            ],
        });
        self.edit(OF_SESSIONS, &id, entry)
    }

    async fn make(&self, edits: &[Edit]) {
        let event = Event::new(Clock::system().now(), Kind::ConfigChanged, Actor::Operator);
        self.datastore
            .edit(&self.tenant, edits, None, &event)
            .await
            .unwrap();
    }

    async fn load(&self, from: usize, to: usize) {
        for start in (from..to).step_by(BATCH) {
            let mut edits = Vec::new();
            for number in start..(start + BATCH).min(to) {
                for (index, side) in ["a", "b"].into_iter().enumerate() {
                    let ip = number * ENDPOINTS_OF + index;
                    edits.push(self.endpoint(&format!("e{number}{side}"), ip));
                }
                edits.push(self.session(number, "loaded"));
            }
            self.make(&edits).await;
        }
    }

    /// One entry replaced, again and again, among `sessions` others.
    async fn edits(&self, sessions: usize) {
        self.load(PROBE, PROBE + 1).await;
        let mut times = Vec::new();
        for round in 0..EDITS {
            let edit = [self.session(PROBE, &format!("round {round}"))];
            let start = Instant::now();
            self.make(&edit).await;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        let (median, last) = (times[EDITS / 2], times[EDITS * 99 / 100]);
        println!("edit among {sessions} sessions: p50 {median:.2?}, p99 {last:.2?}");
    }

    /// All entries, page by page as a GET sends them. Returns how many, and how many bytes.
    async fn read(&self, defaults: Defaults) -> (usize, usize) {
        let (mut entries, mut bytes) = (0, 0);
        for collection in self.datastore.schema().collections() {
            let mut after: Option<String> = None;
            loop {
                let page = self
                    .datastore
                    .page(&self.tenant, collection, after.as_deref())
                    .await
                    .unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                entries += page.len();
                for record in &page {
                    bytes += match defaults {
                        Defaults::Explicit => record.body.len(),
                        other => {
                            let schema = self.datastore.schema();
                            let shown = record.value(schema, collection, other);
                            shown.unwrap().to_string().len()
                        }
                    };
                }
            }
        }
        (entries, bytes)
    }
}

/// Memory of this process in bytes, by the name that the kernel gives it.
fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|it| it.parse::<usize>().ok()).unwrap_or(0) * 1024
}

fn per_entry(time: Duration, entries: usize) -> Duration {
    time / u32::try_from(entries.max(1)).unwrap()
}

#[tokio::main]
async fn main() {
    let wanted = std::env::args().find_map(|word| word.parse::<usize>().ok());
    let sessions = wanted.unwrap_or(SESSIONS);
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::open(folder.path()).await;
    let mut loaded = 0;
    for size in [0, sessions / 10, sessions] {
        let start = Instant::now();
        lab.load(loaded, size).await;
        println!(
            "load of {} sessions and their endpoints: {:.2?}",
            size - loaded,
            start.elapsed()
        );
        loaded = size;
        lab.edits(size).await;
    }
    drop(lab);

    let start = Instant::now();
    let lab = Lab::open(folder.path()).await;
    println!("open: {:.2?}", start.elapsed());
    let before = memory("VmRSS");
    for (what, defaults) in [
        ("read", Defaults::Explicit),
        ("validated and shown with defaults", Defaults::ReportAll),
    ] {
        let start = Instant::now();
        let (entries, bytes) = lab.read(defaults).await;
        let (time, grown) = (start.elapsed(), memory("VmRSS").saturating_sub(before));
        println!(
            "all {entries} entries {what}: {time:.2?}, {:.1?} each, {:.1} MB, memory grew by {:.2} of that",
            per_entry(time, entries),
            bytes as f64 / 1e6,
            grown as f64 / bytes.max(1) as f64,
        );
    }

    let before = memory("VmRSS");
    let notices = lab.datastore.notices();
    let readers: Vec<_> = (0..READERS).map(|_| notices.watch(&lab.tenant)).collect();
    let start = Instant::now();
    for number in 0..READERS / 10 {
        let about = (
            None,
            json!({ "session-id": format!("s{number}"), "status": "running" }),
        );
        notices
            .tell(&lab.tenant, "Accedian-session:state-change-event", about)
            .await
            .unwrap();
    }
    let grown = memory("VmRSS").saturating_sub(before);
    println!(
        "{} readers who read nothing of {} notifications: {:.2?} each, {:.1} MB in all",
        readers.len(),
        READERS / 10,
        per_entry(start.elapsed(), READERS / 10),
        grown as f64 / 1e6
    );
}
