//! Joining, leaving, lagging.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Wake;
use std::task::Waker;

use super::*;

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn joining_takes_what_is_there_and_nothing_twice() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    // Written, but not handed over yet.
    core.publish(&tenant(), &notification(&[], &[("/a/b", 2)]))
        .unwrap();
    let mut reader = subscribe(&core, &list(&["/a", "/a", "/a/b"], ON_CHANGE));
    core.publish(&tenant(), &notification(&[], &[("/a/b", 3), ("/a/c", 1)]))
        .unwrap();
    core.pump();
    assert_eq!(reader.texts(), ["/a/b=2", "sync", "/a/b=3", "/a/c=1"]);
}

#[test]
fn joining_between_two_changes_of_a_leaf_gets_the_second() {
    let core = Core::new(config());
    let mut before = subscribe(&core, &list(&["/a"], ON_CHANGE));
    before.join();
    core.publish(&tenant(), &notification(&[], &[("/a/b", 1)]))
        .unwrap();
    let mut after = subscribe(&core, &list(&["/a"], ON_CHANGE));
    core.publish(&tenant(), &notification(&[], &[("/a/b", 2)]))
        .unwrap();
    core.pump();
    assert_eq!(before.texts(), ["/a/b=1", "/a/b=2"]);
    assert_eq!(after.texts(), ["/a/b=1", "sync", "/a/b=2"]);
}

#[test]
fn updates_only_begins_with_sync() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    let updates_only = SubscriptionList {
        updates_only: true,
        ..list(&["/a"], ON_CHANGE)
    };
    let mut reader = subscribe(&core, &updates_only);
    publish(&core, &[("/a/b", 1), ("/a/c", 1)]);
    assert_eq!(reader.texts(), ["sync", "/a/c=1"]);
}

#[test]
fn depth_ends_at_its_level() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1), ("/a/c/d", 1), ("/a/c/e/f", 1)]);
    let near = SubscriptionList {
        depth: Some(1),
        ..list(&["/a", "/a/c"], ON_CHANGE)
    };
    let mut reader = subscribe(&core, &near);
    assert_eq!(reader.join(), ["/a/b=1", "/a/c/d=1"]);
    publish(&core, &[("/a/b", 2), ("/a/c/d", 2), ("/a/c/e/f", 2)]);
    assert_eq!(reader.texts(), ["/a/b=2", "/a/c/d=2"]);
    delete(&core, &["/a"]);
    assert_eq!(
        reader.texts(),
        ["-/a/b", "-/a/c/d"],
        "not all of it was asked for"
    );
}

#[test]
fn lagging_subscriber_gets_the_latest_value_with_duplicates_counted() {
    let core = Core::new(config());
    let mut slow = subscribe(&core, &list(&["/slow"], ON_CHANGE));
    let mut quick = subscribe(&core, &list(&["/slow/leaf[id=0]"], ON_CHANGE));
    slow.join();
    quick.join();
    let (leaves, rounds) = (100_i64, 200);
    for round in 1..=rounds {
        for leaf in 0..leaves {
            let leaf = format!("/slow/leaf[id={leaf}]/value");
            core.publish(&tenant(), &notification(&[], &[(&leaf, round)]))
                .unwrap();
            if round % 3 == 0 {
                core.pump();
            }
        }
        core.pump();
        assert_eq!(quick.drain().len(), 1);
    }
    assert!(slow.0.backlog() <= 100);
    let mut last = BTreeMap::new();
    let mut counted = 0;
    for event in slow.drain() {
        let reader::Event::Update(_, leaf) = event else {
            panic!("{event:?}")
        };
        counted += 1 + i64::from(leaf.duplicates);
        last.insert(leaf.path, leaf.value);
    }
    assert_eq!(
        counted,
        leaves * rounds,
        "each change is delivered or counted"
    );
    assert_eq!(last.len(), 100);
    assert!(last.values().all(|value| *value == Value::Int(rounds)));
}

#[test]
fn current_subscriber_shares_all_batches_of_a_large_turn() {
    let core = Core::new(config());
    let mut readers = [(); 2].map(|()| subscribe(&core, &list(&["/"], ON_CHANGE)));
    for number in 0..2_000 {
        let leaf = format!("/leaf[id={number}]/value");
        core.publish(&tenant(), &notification(&[], &[(&leaf, 1)]))
            .unwrap();
    }
    let mut chunks = readers.each_mut().map(|reader| {
        reader.join();
        Vec::new()
    });
    core.pump();
    for (reader, chunks) in readers.iter_mut().zip(&mut chunks) {
        let mut cx = Context::from_waker(Waker::noop());
        while let std::task::Poll::Ready(chunk) = reader.0.poll_chunk(&mut cx) {
            chunks.push(chunk.unwrap());
        }
    }
    let [one, other] = chunks;
    assert_eq!(one.len(), other.len());
    let is_same = |(one, other): (&bytes::Bytes, &bytes::Bytes)| one.as_ptr() == other.as_ptr();
    assert!(one.iter().zip(&other).all(is_same), "encoded once");
}

#[test]
fn those_who_wait_are_woken() {
    let core = Core::new(config());
    let [pump, tick, stream] = [(); 3].map(|()| Arc::new(Bell::default()));
    core.set_pump_waker(Waker::from(Arc::clone(&pump)));
    core.set_tick_waker(Waker::from(Arc::clone(&tick)));
    let mut reader = subscribe(&core, &list(&["/a"], ON_CHANGE));
    assert_eq!(
        tick.0.load(Ordering::SeqCst),
        1,
        "somebody may stall from now on"
    );
    let _later = subscribe(&core, &list(&["/a"], ON_CHANGE));
    assert_eq!(tick.0.load(Ordering::SeqCst), 1);
    let beating = Trigger::OnChange {
        heartbeat: Some(SECOND),
    };
    let _earlier = subscribe(&core, &list(&["/a"], beating));
    assert_eq!(tick.0.load(Ordering::SeqCst), 2);

    reader.join();
    let waker = Waker::from(Arc::clone(&stream));
    assert!(
        reader
            .0
            .poll_chunk(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let written = notification(&[], &[("/a", 1)]);
    core.publish(&tenant(), &written).unwrap();
    assert_eq!(pump.0.load(Ordering::SeqCst), 1);
    assert_eq!(stream.0.load(Ordering::SeqCst), 0);
    assert!(core.pump());
    assert_eq!(stream.0.load(Ordering::SeqCst), 1);
    assert!(!core.pump());
    core.publish(&tenant(), &written).unwrap();
    assert!(!core.pump(), "an equal value is no change");
}

#[test]
fn source_ahead_of_the_pump_does_its_work() {
    let core = Core::new(Config {
        max_leaves: 100_000,
        ..config()
    });
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    reader.join();
    let leaves: Vec<_> = (0..70_000)
        .map(|id| update(&format!("/leaf[id={id}]"), 1))
        .collect();
    let written = Notification {
        updates: leaves,
        ..notification(&[], &[])
    };
    core.publish(&tenant(), &written).unwrap();
    assert_eq!(reader.0.backlog(), 70_000);
    assert_eq!(reader.drain().len(), 70_000);
}

#[test]
fn nothing_is_left_of_those_who_leave() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    let trigger = Trigger::OnChange {
        heartbeat: Some(SECOND),
    };
    let readers: Vec<_> = (0..100)
        .map(|_| subscribe(&core, &list(&["/a", "/...", "/*/b"], trigger)))
        .collect();
    publish(&core, &[("/a/b", 2)]);
    let shared = readers[0].0.shared();
    drop(readers);
    publish(&core, &[("/other", 2)]);
    assert!(
        shared.upgrade().is_none(),
        "a leaf's route keeps no subscriber"
    );
    assert_eq!(core.tick(Timestamp::from_secs(10_000)), None);
}
