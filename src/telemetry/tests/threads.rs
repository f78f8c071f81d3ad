//! Writers, pump and subscribers at the same time.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use super::reader::Event;
use super::*;

const LEAVES: i64 = 200;
const ROUNDS: i64 = 60;
const WRITERS: i64 = 2;

/// Each writer has its leaves; a leaf's values only grow.
fn write(core: &Core, writer: i64, left: &AtomicUsize) {
    for round in 1..=ROUNDS {
        for leaf in (writer..LEAVES).step_by(2) {
            let leaf = format!("/leaf[id={leaf}]/value");
            let written = notification(&[], &[(&leaf, round)]);
            core.publish(&tenant(), &written).unwrap();
        }
    }
    left.fetch_sub(1, Ordering::SeqCst);
}

fn pump(core: &Core, left: &AtomicUsize) {
    let mut second = 0;
    while left.load(Ordering::SeqCst) > 1 {
        core.pump();
        // Several heartbeats, but a reader that the machine does not let run has not stalled.
        second = (second + 1).min(600);
        core.tick(Timestamp::from_secs(second));
        std::thread::yield_now();
    }
    core.pump();
    left.fetch_sub(1, Ordering::SeqCst);
}

/// Joins anywhen, and reads until all leaves have their last value.
fn read(core: &Core, left: &AtomicUsize) -> usize {
    let heartbeat = Some(100 * SECOND);
    let mut reader = subscribe(core, &list(&["/leaf"], Trigger::OnChange { heartbeat }));
    let (mut last, mut syncs) = (BTreeMap::new(), 0);
    let is_complete = |last: &BTreeMap<Path, i64>| {
        last.len() == 200 && last.values().all(|value| *value == ROUNDS)
    };
    while syncs == 0 || !is_complete(&last) {
        let was_over = left.load(Ordering::SeqCst) == 0;
        let Some(events) = reader.next().unwrap() else {
            assert!(!was_over, "something was lost: {last:?}");
            std::thread::yield_now();
            continue;
        };
        for event in events {
            match event {
                Event::Sync => syncs += 1,
                Event::Update(_, leaf) => {
                    let Value::Int(value) = leaf.value else {
                        panic!("{leaf:?}")
                    };
                    let before = last.insert(leaf.path, value).unwrap_or(0);
                    assert!(before <= value, "{value} after {before}");
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }
    syncs
}

#[test]
fn stream_loses_nothing_whoever_runs_beside() {
    let core = Core::new(config());
    // The writers and the pump.
    let left = AtomicUsize::new(3);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (core, left) = (&core, &left);
            scope.spawn(move || write(core, writer, left));
        }
        scope.spawn(|| pump(&core, &left));
        let readers: Vec<_> = (0..6).map(|_| scope.spawn(|| read(&core, &left))).collect();
        for reader in readers {
            assert_eq!(reader.join().unwrap(), 1, "exactly one sync");
        }
    });
}
