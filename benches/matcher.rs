//! Who is told of a leaf? Among 10,000 patterns of as many subscribers, one path at a time: with the route that the
//! leaf remembers, with a search after the patterns have changed, and by trying every pattern. The first two are
//! whole publishes of an existing leaf; their difference is the search.

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
use tollgate::model::Glob;
use tollgate::model::Mode;
use tollgate::model::Nature;
use tollgate::model::Notification;
use tollgate::model::Origin;
use tollgate::model::Path;
use tollgate::model::Pattern;
use tollgate::model::Subscription;
use tollgate::model::SubscriptionList;
use tollgate::model::Target;
use tollgate::model::TargetSelector;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::model::Trigger;
use tollgate::model::Update;
use tollgate::model::Value;
use tollgate::telemetry::Config;
use tollgate::telemetry::Core;
use tollgate::telemetry::Subscriber;
use tollgate::wire::Encoding;

const PATTERNS: usize = 10_000;

/// Paths that are looked for, each covered by some pattern.
const PATHS: usize = 1_000;

/// From one of them to the next. Without a common divisor with the patterns, so that every kind is met in its share.
const STRIDE: usize = 37;

/// Counters of interfaces of devices.
fn path(number: usize) -> Path {
    let interface = (number / 10 % 100).to_string();
    let elems = vec![
        Elem::with_keys("device", [("name", (number / 1_000).to_string())]),
        Elem::new("interfaces"),
        Elem::with_keys("interface", [("name", interface), ("unit", "0".to_owned())]),
        Elem::new("state"),
        Elem::new(format!("counter-{}", number % 10)),
    ];
    Path::new(Origin::default(), elems)
}

fn unique(number: usize) -> Pattern {
    Pattern::from(&path(number))
}

/// Every fifth leaves the device open.
fn wildcards(number: usize) -> Pattern {
    let mut pattern = unique(number);
    if number.is_multiple_of(5)
        && let Some(Glob::One(device)) = pattern.elems.first_mut()
    {
        device.keys[0].1 = None;
    }
    pattern
}

/// Ends at the interface.
fn prefixes(number: usize) -> Pattern {
    let mut pattern = unique(number);
    pattern.elems.truncate(3);
    pattern
}

fn list(pattern: Pattern) -> SubscriptionList {
    SubscriptionList {
        target: TargetSelector::All,
        mode: Mode::Stream,
        subscriptions: vec![Subscription {
            pattern,
            trigger: Trigger::OnChange { heartbeat: None },
        }],
        updates_only: true,
        depth: None,
    }
}

fn notifications() -> Vec<Notification> {
    let notification = |number: usize| Notification {
        timestamp: Timestamp::from_secs(1_700_000_000),
        target: Target::new("probe-7"),
        nature: Nature::State,
        atomic: None,
        deletes: Vec::new(),
        updates: vec![Update {
            path: path(number * STRIDE % PATTERNS),
            value: Value::Uint(0),
        }],
    };
    (0..PATHS).map(notification).collect()
}

struct Bench {
    core: Core,
    tenant: TenantId,
    notifications: Vec<Notification>,
    value: u64,
    _subscribers: Vec<Subscriber>,
}

impl Bench {
    fn new(patterns: &[Pattern]) -> Self {
        let core = Core::new(Config {
            max_leaves: Config::MAX_LEAVES,
            queue_entries: Config::QUEUE_ENTRIES,
            queue_bytes: Config::QUEUE_BYTES,
            stall_timeout: Config::STALL_TIMEOUT,
        });
        let tenant = TenantId::new("acme");
        let subscribe = |pattern: &Pattern| {
            let list = list(pattern.clone());
            core.subscribe(&tenant, &list, Encoding::Proto, Timestamp::EPOCH)
        };
        Self {
            _subscribers: patterns.iter().map(subscribe).collect(),
            notifications: notifications(),
            value: 0,
            core,
            tenant,
        }
    }

    /// New values, and an empty backlog.
    fn prepare(&mut self) {
        self.value += 1;
        for notification in &mut self.notifications {
            notification.updates[0].value = Value::Uint(self.value);
        }
        self.core.pump();
    }

    /// A subscriber comes and goes, so that no route holds any longer.
    fn void_routes(&mut self) {
        let nothing = list(unique(PATTERNS * 10));
        let now = Timestamp::EPOCH;
        drop(
            self.core
                .subscribe(&self.tenant, &nothing, Encoding::Proto, now),
        );
    }

    fn publish(&self) {
        for notification in &self.notifications {
            self.core.publish(&self.tenant, notification).unwrap();
        }
    }
}

fn covers(pattern: &Pattern, path: &Path) -> bool {
    let fits = |(glob, elem): (&Glob, &Elem)| matches!(glob, Glob::One(glob) if glob.matches(elem));
    pattern.elems.len() <= path.elems.len() && pattern.elems.iter().zip(&path.elems).all(fits)
}

fn matcher(criterion: &mut Criterion) {
    for (kind, pattern) in [
        ("unique", unique as fn(usize) -> Pattern),
        ("20% key wildcards", wildcards),
        ("prefixes", prefixes),
    ] {
        let patterns: Vec<_> = (0..PATTERNS).map(pattern).collect();
        let bench = RefCell::new(Bench::new(&patterns));
        bench.borrow().publish();
        let mut group = criterion.benchmark_group(format!("matcher/{kind}"));
        group.sample_size(20);
        group.throughput(Throughput::Elements(PATHS as u64));
        let id = |way: &str| BenchmarkId::new(way, format!("{PATTERNS} patterns/{PATHS} paths"));
        group.bench_function(id("publish, route remembered"), |bencher| {
            let prepare = || bench.borrow_mut().prepare();
            bencher.iter_batched(
                prepare,
                |()| bench.borrow().publish(),
                BatchSize::PerIteration,
            );
        });
        group.bench_function(id("publish, route searched"), |bencher| {
            let prepare = || {
                bench.borrow_mut().prepare();
                bench.borrow_mut().void_routes();
            };
            bencher.iter_batched(
                prepare,
                |()| bench.borrow().publish(),
                BatchSize::PerIteration,
            );
        });
        let one: Vec<_> = (0..10)
            .map(|number| path(number * (PATTERNS / 10)))
            .collect();
        group.throughput(Throughput::Elements(one.len() as u64));
        group.bench_function(BenchmarkId::new("linear scan", PATTERNS), |bencher| {
            bencher.iter(|| {
                let all = one.iter();
                all.map(|path| {
                    let found = patterns.iter().filter(|pattern| covers(pattern, path));
                    black_box(found.count())
                })
                .sum::<usize>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, matcher);
criterion_main!(benches);
