//! What does encoding one leaf cost? Nanoseconds per message of one update: straight from the
//! model, with and without a kept head, against building and encoding the generated structs.

use std::hint::black_box;

use bytes::Bytes;
use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use prost::Message;

use tollgate::model::Elem;
use tollgate::model::Origin;
use tollgate::model::Path;
use tollgate::model::Target;
use tollgate::model::Timestamp;
use tollgate::model::Value;
use tollgate::wire::Encoding;
use tollgate::wire::LeafHead;
use tollgate::wire::frame_update;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::write_elems;
use tollgate::wire::write_value;

/// A counter of a measurement agent: six elements, two keys, a target and an origin.
fn path() -> Path {
    let object = Elem::with_keys(
        "monitored-object",
        [("id", "4f2a-77"), ("direction", "fwd")],
    );
    let mut elems: Vec<Elem> = ["object-type", "twamp-sf", "monitored-objects"]
        .map(Elem::new)
        .into();
    elems.extend([object, Elem::new("metrics"), Elem::new("delay-p95")]);
    Path::new(Origin::new("accedian"), elems)
}

/// The same message by way of the generated structs.
fn by_structs(
    target: &Target,
    path: &Path,
    encoding: Encoding,
    value: &Value,
    at: Timestamp,
) -> Vec<u8> {
    let update = pb::Update {
        path: Some(pb::Path {
            elem: write_elems(&path.elems),
            ..pb::Path::default()
        }),
        val: Some(write_value(value, encoding)),
        ..pb::Update::default()
    };
    let notification = pb::Notification {
        timestamp: at.nanos(),
        prefix: Some(pb::Path {
            origin: path.origin.as_str().to_owned(),
            target: target.as_str().to_owned(),
            ..pb::Path::default()
        }),
        update: vec![update],
        ..pb::Notification::default()
    };
    let response = pb::SubscribeResponse {
        response: Some(pb::subscribe_response::Response::Update(notification)),
        ..pb::SubscribeResponse::default()
    };
    response.encode_to_vec()
}

fn encode(criterion: &mut Criterion) {
    let (target, path) = (Target::new("probe-7"), path());
    let head = LeafHead::new(&target, &path);
    let at = Timestamp::from_nanos(1_700_000_000_000_000_000);
    for (kind, value) in [
        ("uint", Value::Uint(123_456_789)),
        ("double", Value::Double(1_234.567_8)),
        (
            "string",
            Value::string("an operational status of 40 bytes length"),
        ),
    ] {
        let mut group = criterion.benchmark_group(format!("encode/{kind}"));
        for encoding in Encoding::ALL {
            let frame = || frame_update(&head, encoding, &value, at, 0);
            let id = |way: &str| {
                let size = frame().len();
                BenchmarkId::new(way, format!("{encoding:?}/{size}B"))
            };
            group.throughput(Throughput::Elements(1));
            group.bench_function(id("head"), |bencher| bencher.iter(|| black_box(frame())));
            group.bench_function(id("no-head"), |bencher| {
                bencher.iter(|| -> Bytes {
                    let head = LeafHead::new(black_box(&target), black_box(&path));
                    frame_update(&head, encoding, &value, at, 0)
                });
            });
            group.bench_function(id("structs"), |bencher| {
                bencher.iter(|| by_structs(&target, black_box(&path), encoding, &value, at));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, encode);
criterion_main!(benches);
