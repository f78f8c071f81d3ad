//! What does one update cost, with N subscribers? Publishing alone must not grow with N; handing over and draining
//! may, by little each. `same`: all ask for the leaf. `distinct`: each asks for a leaf of its own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark may panic"
)]

use std::hint::black_box;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use criterion::BatchSize;
use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;

use tollgate::model::Elem;
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

const SUBSCRIBERS: [usize; 4] = [1, 100, 1_000, 10_000];

/// Leaves that change in one turn of the pump: two batches.
const BURST: usize = 192;

/// The delay of one monitored object: five elements, two keys.
fn path(object: usize) -> Path {
    let id = object.to_string();
    let keys = [("monitored-object-id", id.as_str()), ("direction", "2")];
    let elems = vec![
        Elem::new("object-type"),
        Elem::new("twamp-sf"),
        Elem::with_keys("monitored-object", keys),
        Elem::new("metrics"),
        Elem::new("delay-avg"),
    ];
    Path::new(Origin::new("accedian"), elems)
}

fn notification(object: usize) -> Notification {
    Notification {
        timestamp: Timestamp::from_secs(1_700_000_000),
        target: Target::new("probe-7"),
        nature: Nature::State,
        atomic: None,
        deletes: Vec::new(),
        updates: vec![Update {
            path: path(object),
            value: Value::Uint(0),
        }],
    }
}

fn core() -> Core {
    Core::new(Config {
        max_leaves: Config::MAX_LEAVES,
        queue_entries: Config::QUEUE_ENTRIES,
        queue_bytes: Config::QUEUE_BYTES,
        stall_timeout: Config::STALL_TIMEOUT,
    })
}

struct Bench {
    core: Core,
    tenant: TenantId,
    notifications: Vec<Notification>,
    next: usize,
    value: u64,
    subscribers: Vec<Subscriber>,
}

impl Bench {
    /// Subscribers that have read what was there.
    fn new(subscribers: usize, objects: usize, asked: impl Fn(usize) -> Pattern) -> Self {
        let core = core();
        let tenant = TenantId::new("acme");
        let notifications: Vec<_> = (0..objects).map(notification).collect();
        for notification in &notifications {
            core.publish(&tenant, notification).unwrap();
        }
        let subscribe = |number| {
            let list = SubscriptionList {
                target: TargetSelector::All,
                mode: Mode::Stream,
                subscriptions: vec![Subscription {
                    pattern: asked(number),
                    trigger: Trigger::OnChange { heartbeat: None },
                }],
                updates_only: true,
                depth: None,
            };
            core.subscribe(&tenant, &list, Encoding::Proto, Timestamp::EPOCH)
        };
        let subscribers = (0..subscribers).map(subscribe).collect();
        let mut bench = Self {
            core,
            tenant,
            notifications,
            next: 0,
            value: 0,
            subscribers,
        };
        bench.drain_all();
        // Every leaf has found its route.
        (0..objects).for_each(|_| bench.publish());
        bench.core.pump();
        bench.drain_all();
        bench
    }

    /// Changes the next leaf.
    fn publish(&mut self) {
        self.next = (self.next + 1) % self.notifications.len();
        self.value += 1;
        let notification = &mut self.notifications[self.next];
        notification.updates[0].value = Value::Uint(self.value);
        self.core.publish(&self.tenant, notification).unwrap();
    }

    fn drain_all(&mut self) -> usize {
        let (mut bytes, mut cx) = (0, Context::from_waker(Waker::noop()));
        for subscriber in &mut self.subscribers {
            while let Poll::Ready(chunk) = subscriber.poll_chunk(&mut cx) {
                bytes += chunk.unwrap().len();
            }
        }
        bytes
    }
}

fn same(_: usize) -> Pattern {
    Pattern {
        origin: Some(Origin::new("accedian")),
        elems: Vec::new(),
    }
}

fn distinct(object: usize) -> Pattern {
    Pattern::from(&path(object))
}

fn publish(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fanout/publish-alone");
    group.throughput(Throughput::Elements(1));
    for subscribers in SUBSCRIBERS {
        let mut bench = Bench::new(subscribers, BURST, same);
        let id = BenchmarkId::new("same", format!("{subscribers} subscribers/{BURST} leaves"));
        // The pump runs in between, unmeasured, as another thread would run it.
        let per_batch = BatchSize::NumIterations(BURST as u64);
        let mut count = 0;
        let bench = &mut bench;
        group.bench_function(id, |bencher| {
            let cell = std::cell::RefCell::new(&mut *bench);
            bencher.iter_batched(
                || {
                    count += 1;
                    if count % BURST == 0 {
                        let mut bench = cell.borrow_mut();
                        bench.core.pump();
                        bench.drain_all();
                    }
                },
                |()| cell.borrow_mut().publish(),
                per_batch,
            );
        });
    }
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fanout/publish-pump-drain");
    group.sample_size(10);
    for subscribers in SUBSCRIBERS {
        let mut one = Bench::new(subscribers, BURST, same);
        group.throughput(Throughput::Elements(subscribers as u64));
        let id = BenchmarkId::new("same", format!("{subscribers} subscribers/1 leaf"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                one.publish();
                one.core.pump();
                black_box(one.drain_all())
            });
        });
        group.throughput(Throughput::Elements((subscribers * BURST) as u64));
        let id = BenchmarkId::new("same", format!("{subscribers} subscribers/{BURST} leaves"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                (0..BURST).for_each(|_| one.publish());
                one.core.pump();
                black_box(one.drain_all())
            });
        });
        let id = BenchmarkId::new(
            "pump-only",
            format!("{subscribers} subscribers/{BURST} leaves"),
        );
        group.throughput(Throughput::Elements((subscribers * 2) as u64));
        let cell = std::cell::RefCell::new(&mut one);
        group.bench_function(id, |bencher| {
            bencher.iter_batched(
                || {
                    let mut bench = cell.borrow_mut();
                    bench.drain_all();
                    (0..BURST).for_each(|_| bench.publish());
                },
                |()| cell.borrow().core.pump(),
                BatchSize::PerIteration,
            );
        });
        drop(one);
        let mut each = Bench::new(subscribers, subscribers, distinct);
        group.throughput(Throughput::Elements(1));
        let id = BenchmarkId::new("distinct", format!("{subscribers} subscribers/1 leaf"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                each.publish();
                each.core.pump();
                // Its reader is the only one with something to read.
                let reader = each.next;
                let mut cx = Context::from_waker(Waker::noop());
                black_box(each.subscribers[reader].poll_chunk(&mut cx))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, publish, whole);
criterion_main!(benches);
