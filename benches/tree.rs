//! What do 100,000 leaves cost: to create, to update, to walk, to delete; and in memory?

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark may panic"
)]

use std::cell::RefCell;
use std::hint::black_box;

use criterion::BatchSize;
use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;

use tollgate::model::Elem;
use tollgate::model::Nature;
use tollgate::model::Notification;
use tollgate::model::Origin;
use tollgate::model::Path;
use tollgate::model::Pattern;
use tollgate::model::Target;
use tollgate::model::TargetSelector;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::model::Update;
use tollgate::model::Value;
use tollgate::telemetry::Config;
use tollgate::telemetry::Core;
use tollgate::wire::Encoding;

const LEAVES: usize = 100_000;

/// Leaves of one list entry.
const PER_ENTRY: usize = 20;

/// Entries of a list with 20 counters each. Elements are shared, as the interning edge makes them.
fn notifications() -> Vec<Notification> {
    let (root, list, state) = (Elem::new("interfaces"), "interface", Elem::new("state"));
    let counters: Vec<_> = (0..PER_ENTRY)
        .map(|counter| Elem::new(format!("counter-{counter}")))
        .collect();
    let entries = (0..LEAVES / PER_ENTRY)
        .map(|entry| Elem::with_keys(list, [("name", format!("ethernet-1/{entry}"))]));
    let paths = entries.flat_map(|entry| {
        let (root, state) = (root.clone(), state.clone());
        counters.iter().map(move |counter| {
            let elems = vec![root.clone(), entry.clone(), state.clone(), counter.clone()];
            Path::new(Origin::default(), elems)
        })
    });
    let notification = |path| Notification {
        timestamp: Timestamp::from_secs(1_700_000_000),
        target: Target::new("router-1"),
        nature: Nature::State,
        atomic: None,
        deletes: Vec::new(),
        updates: vec![Update {
            path,
            value: Value::Uint(1),
        }],
    };
    paths.map(notification).collect()
}

fn core() -> Core {
    Core::new(Config {
        max_leaves: Config::MAX_LEAVES,
        queue_entries: Config::QUEUE_ENTRIES,
        queue_bytes: Config::QUEUE_BYTES,
        stall_timeout: Config::STALL_TIMEOUT,
    })
}

fn publish_all(core: &Core, tenant: &TenantId, notifications: &[Notification]) {
    for notification in notifications {
        core.publish(tenant, notification).unwrap();
    }
}

/// Bytes of memory that the process holds.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}

fn tree(criterion: &mut Criterion) {
    let (tenant, mut notifications) = (TenantId::new("acme"), notifications());
    let before = resident();
    let filled = core();
    publish_all(&filled, &tenant, &notifications);
    let per_leaf = (resident() - before) / LEAVES;

    let mut group = criterion.benchmark_group(format!("tree/{per_leaf} bytes per leaf"));
    group.sample_size(10);
    group.throughput(Throughput::Elements(LEAVES as u64));
    let id = |what: &str| BenchmarkId::new(what, format!("{LEAVES} leaves"));
    group.bench_function(id("create"), |bencher| {
        bencher.iter_batched_ref(
            core,
            |core| publish_all(core, &tenant, &notifications),
            BatchSize::PerIteration,
        );
    });
    let mut value = 1;
    let cell = RefCell::new(&mut notifications);
    group.bench_function(id("update"), |bencher| {
        bencher.iter_batched(
            || {
                value += 1;
                for notification in cell.borrow_mut().iter_mut() {
                    notification.updates[0].value = Value::Uint(value);
                }
            },
            |()| publish_all(&filled, &tenant, &cell.borrow()),
            BatchSize::PerIteration,
        );
    });
    group.bench_function(id("walk"), |bencher| {
        let all = [Pattern::default()];
        bencher.iter(|| filled.snapshot(&tenant, &TargetSelector::All, black_box(&all), None));
    });
    group.bench_function(id("walk-and-encode"), |bencher| {
        let all = [Pattern::default()];
        bencher.iter(|| {
            let mut snapshot = filled.snapshot(&tenant, &TargetSelector::All, &all, None);
            let mut bytes = 0;
            while let Some(chunk) = snapshot.next_chunk(Encoding::Proto) {
                bytes += chunk.len();
            }
            bytes
        });
    });
    group.bench_function(id("delete"), |bencher| {
        bencher.iter_batched_ref(
            || {
                let core = core();
                publish_all(&core, &tenant, &cell.borrow());
                core
            },
            |core| core.remove_target(&tenant, &Target::new("router-1"), Timestamp::EPOCH),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, tree);
criterion_main!(benches);
