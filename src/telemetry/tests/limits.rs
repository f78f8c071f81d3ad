//! What is bounded, and what happens at the bound.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Wake;
use std::task::Waker;

use super::*;
use crate::model::Class;
use crate::telemetry::Overrun;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn tenant_may_have_so_many_leaves() {
    let core = Core::new(Config {
        max_leaves: 3,
        ..config()
    });
    publish(&core, &[("/a/1", 1), ("/a/2", 2)]);
    let refused = try_publish(&core, &[], &[("/a/3", 3), ("/a/4", 4)]).unwrap_err();
    assert_eq!(
        (refused.clone(), refused.class()),
        (Error::Full(3), Class::TooLarge)
    );
    assert_eq!(held(&core, "/"), ["/a/1=1", "/a/2=2"]);
    publish(&core, &[("/a/3", 3)]);
    publish(&core, &[("/a/1", 5)]);
    try_publish(&core, &["/a/1"], &[("/a/4", 4)]).unwrap();
    assert_eq!(core.leaves(&tenant()), 3);
    let other = TenantId::new("other");
    core.publish(&other, &notification(&[], &[("/a/1", 1)]))
        .unwrap();
}

#[test]
fn queue_with_too_many_entries_ends_the_subscriber() {
    let core = Core::new(Config {
        queue_entries: 10,
        ..config()
    });
    let mut slow = subscribe(&core, &list(&["/"], ON_CHANGE));
    let mut quick = subscribe(&core, &list(&["/"], ON_CHANGE));
    slow.join();
    quick.join();
    for round in 0..100 {
        publish(&core, &[(&format!("/leaf[id={}]", round % 10), round)]);
        quick.texts();
    }
    assert_eq!(
        slow.texts().len(),
        10,
        "ten distinct leaves are not too many"
    );
    for round in 0..11 {
        publish(&core, &[(&format!("/leaf[id={round}]"), -1 - round)]);
        assert_eq!(quick.texts().len(), 1);
    }
    assert_eq!(slow.overrun(), Overrun::Entries(10));
    assert_eq!(slow.overrun(), Overrun::Entries(10), "for good");
    publish(&core, &[("/leaf[id=0]", 5)]);
    assert_eq!(slow.0.backlog(), 0, "nothing is kept for it");
}

#[test]
fn queue_with_too_many_bytes_ends_the_subscriber_and_wakes_it() {
    let core = Core::new(Config {
        queue_bytes: 10_000,
        ..config()
    });
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    reader.join();
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    assert!(
        reader
            .0
            .poll_chunk(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let mut large = notification(&[], &[("/large", 1)]);
    large.updates[0].value = Value::string("x".repeat(20_000));
    core.publish(&tenant(), &large).unwrap();
    core.pump();
    assert!(flag.0.load(Ordering::SeqCst));
    assert_eq!(reader.overrun(), Overrun::Bytes(10_000));
}

#[test]
fn large_values_do_not_share_a_turn() {
    let core = Core::new(config());
    let mut readers = [(); 2].map(|()| subscribe(&core, &list(&["/"], ON_CHANGE)));
    for reader in &mut readers {
        assert!(reader.join().is_empty());
    }
    for round in 0..20 {
        let mut large = notification(&[], &[]);
        for id in 0..10 {
            let path = path(&format!("/leaf[id={id}]"));
            let value = Value::string(format!("{round}{}", "x".repeat(50_000)));
            large.updates.push(Update { path, value });
        }
        core.publish(&tenant(), &large).unwrap();
        core.pump();
        let [_slow, current] = &mut readers;
        while let Some(events) = current.next().unwrap() {
            assert!(events.len() <= 2);
        }
    }
    let [slow, _current] = &mut readers;
    while let Some(events) = slow.next().unwrap() {
        assert!(events.len() <= 2);
    }
}

#[test]
fn subscriber_that_reads_nothing_is_ended() {
    let stall_timeout = 80 * SECOND;
    let core = Core::new(Config {
        stall_timeout,
        ..config()
    });
    let mut idle = subscribe(&core, &list(&["/nothing"], ON_CHANGE));
    let mut stalled = subscribe(&core, &list(&["/a"], ON_CHANGE));
    let mut reading = subscribe(&core, &list(&["/a"], ON_CHANGE));
    let mut never_read = subscribe(&core, &list(&["/nothing"], ON_CHANGE));
    for reader in [&mut idle, &mut stalled, &mut reading] {
        reader.join();
    }
    let mut due = Timestamp::EPOCH;
    let mut round = 0;
    while due < Timestamp::from_secs(110) {
        round += 1;
        publish(&core, &[("/a/b", round)]);
        due = core.tick(due).unwrap();
        assert_eq!(reading.drain().len(), 1);
    }
    assert_eq!(stalled.overrun(), Overrun::Stalled(80));
    assert_eq!(never_read.overrun(), Overrun::Stalled(80));
    assert!(idle.drain().is_empty());
    drop((idle, stalled, reading, never_read));
    assert_eq!(core.tick(due.saturating_add(stall_timeout)), None);
}

#[test]
fn subscriber_that_reads_slowly_what_was_there_is_not_stalled() {
    let stall_timeout = 80 * SECOND;
    let core = Core::new(Config {
        stall_timeout,
        ..config()
    });
    for id in 0..5_000 {
        publish(&core, &[(&format!("/a/leaf[id={id}]"), 1)]);
    }
    let mut reader = subscribe(&core, &list(&["/a"], ON_CHANGE));
    publish(&core, &[("/a/leaf[id=0]", 2)]);
    let mut now = Timestamp::EPOCH;
    let mut chunks = 0;
    while reader.next().unwrap().is_some() {
        chunks += 1;
        now = now.saturating_add(60 * SECOND);
        core.tick(now);
    }
    assert!(chunks > 5, "{chunks}");
}
