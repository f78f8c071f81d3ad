//! Samples, heartbeats, suppression: by a clock set by hand.

use super::*;
use crate::model::Suppress;

fn sample(interval: u32, suppress: Option<Suppress>) -> Trigger {
    let interval = interval * SECOND;
    Trigger::Sample { interval, suppress }
}

fn beat(every: u32) -> Suppress {
    let heartbeat = Some(every * SECOND);
    Suppress { heartbeat }
}

/// Ticks at a moment in milliseconds. Returns when the next is due, in the same.
fn tick(core: &Core, millis: i64) -> i64 {
    let now = Timestamp::from_nanos(millis * 1_000_000);
    core.tick(now).unwrap().nanos() / 1_000_000
}

#[test]
fn sample_comes_once_per_interval_whatever_the_tick() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    let mut reader = subscribe(&core, &list(&["/a"], sample(10, None)));
    assert_eq!(reader.join(), ["/a/b=1"]);
    publish(&core, &[("/a/b", 2), ("/a/c", 3)]);
    assert_eq!(tick(&core, 9_999), 10_000);
    assert!(reader.texts().is_empty());
    assert_eq!(tick(&core, 10_004), 20_000, "the cadence does not drift");
    assert_eq!(reader.texts(), ["/a/b=2", "/a/c=3"]);
    assert_eq!(tick(&core, 10_005), 20_000);
    assert!(reader.texts().is_empty());
    assert_eq!(
        tick(&core, 47_000),
        50_000,
        "what was missed is not made up for"
    );
    assert_eq!(reader.texts(), ["/a/b=2", "/a/c=3"]);
}

#[test]
fn sample_of_nothing_sends_nothing() {
    let core = Core::new(config());
    let mut reader = subscribe(&core, &list(&["/a"], sample(10, None)));
    reader.join();
    tick(&core, 10_000);
    assert!(reader.texts().is_empty());
}

#[test]
fn sample_comes_after_the_changes_before_it() {
    let core = Core::new(config());
    let mut both = list(&["/a", "/a"], ON_CHANGE);
    both.subscriptions[1].trigger = sample(10, None);
    let mut reader = subscribe(&core, &both);
    reader.join();
    core.publish(&tenant(), &notification(&[], &[("/a/b", 1)]))
        .unwrap();
    tick(&core, 10_000);
    core.publish(&tenant(), &notification(&[], &[("/a/b", 2)]))
        .unwrap();
    core.pump();
    assert_eq!(reader.texts(), ["/a/b=1", "/a/b=1", "/a/b=2"]);
}

#[test]
fn samples_of_the_same_are_encoded_once() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    let readers = [10, 10, 5].map(|interval| {
        let mut reader = subscribe(&core, &list(&["/a"], sample(interval, None)));
        reader.join();
        reader
    });
    tick(&core, 10_000);
    let chunks = readers.map(|mut reader| {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match reader.0.poll_chunk(&mut cx) {
            std::task::Poll::Ready(chunk) => chunk.unwrap().as_ptr(),
            std::task::Poll::Pending => panic!("nothing"),
        }
    });
    assert!(chunks.iter().all(|chunk| *chunk == chunks[0]));
}

#[test]
fn heartbeat_repeats_what_has_not_changed_with_its_time() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    let heartbeat = Some(10 * SECOND);
    let mut reader = subscribe(&core, &list(&["/a"], Trigger::OnChange { heartbeat }));
    reader.join();
    for round in 1..4 {
        publish(&core, &[("/a/c", round)]);
        assert_eq!(reader.texts(), [format!("/a/c={round}")]);
        assert_eq!(tick(&core, round * 10_000), (round + 1) * 10_000);
        let beat = reader.drain();
        assert_eq!(beat.len(), 2);
        let reader::Event::Update(_, leaf) = &beat[0] else {
            panic!("{beat:?}")
        };
        assert_eq!((&leaf.value, leaf.at), (&Value::Int(1), 1_000_000_000));
    }
}

#[test]
fn suppression_leaves_out_what_was_sent_leaf_by_leaf() {
    let core = Core::new(config());
    publish(&core, &[("/a/moving", 1), ("/a/still", 1)]);
    let suppress = Some(Suppress { heartbeat: None });
    let mut reader = subscribe(&core, &list(&["/a"], sample(1, suppress)));
    assert_eq!(reader.join().len(), 2);
    for round in 2..5 {
        publish(&core, &[("/a/moving", round), ("/a/still", 1)]);
        tick(&core, (round - 1) * 1_000);
        assert_eq!(reader.texts(), [format!("/a/moving={round}")]);
    }
    try_publish(&core, &["/a/still"], &[("/a/still", 1)]).unwrap();
    tick(&core, 4_000);
    assert_eq!(reader.texts(), ["/a/still=1"], "created again");
}

#[test]
fn suppression_does_not_count_what_updates_only_left_out() {
    let core = Core::new(config());
    publish(&core, &[("/a/still", 1)]);
    let suppress = Some(Suppress { heartbeat: None });
    let mut updates_only = list(&["/a"], sample(1, suppress));
    updates_only.updates_only = true;
    let mut reader = subscribe(&core, &updates_only);
    assert!(reader.join().is_empty());
    tick(&core, 1_000);
    assert_eq!(reader.texts(), ["/a/still=1"]);
    tick(&core, 2_000);
    assert!(reader.texts().is_empty());
}

#[test]
fn heartbeat_overrides_suppression_although_ticks_are_late() {
    let core = Core::new(config());
    publish(&core, &[("/a/still", 1)]);
    let mut reader = subscribe(&core, &list(&["/a"], sample(1, Some(beat(3)))));
    reader.join();
    // Late by less and less, so that three intervals seem shorter than they are.
    let sent: Vec<_> = (1..=9)
        .map(|second| {
            tick(&core, second * 1_000 + 90 - second * 10);
            reader.texts().len()
        })
        .collect();
    assert_eq!(sent, [0, 0, 1, 0, 0, 1, 0, 0, 1]);
}

#[test]
fn subscriptions_of_one_list_keep_their_own_cadence() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1), ("/c/d", 1)]);
    let mut both = list(&["/a", "/c"], sample(2, None));
    both.subscriptions[1].trigger = sample(3, None);
    let mut reader = subscribe(&core, &both);
    reader.join();
    let mut sent = Vec::new();
    for second in 1..=6 {
        tick(&core, second * 1_000);
        let mut texts = reader.texts();
        texts.sort();
        sent.push(texts.join(" "));
    }
    assert_eq!(
        sent,
        ["", "/a/b=1", "/c/d=1", "/a/b=1", "", "/a/b=1 /c/d=1"]
    );
}

#[test]
fn sample_of_part_of_a_group_does_not_void_the_whole() {
    let core = Core::new(config());
    let mut both = list(&["/g", "/g/x"], ON_CHANGE);
    both.subscriptions[1].trigger = sample(1, None);
    let mut reader = subscribe(&core, &both);
    reader.join();
    for round in 1..30 {
        publish_atomic(&core, "/g", &[("/g/x", round), ("/g/y", round)]);
        tick(&core, round * 1_000);
    }
    let texts = reader.texts();
    let last_whole = texts.iter().rfind(|text| text.contains("/g/y")).unwrap();
    assert!(last_whole.contains("/g/y=29"), "{last_whole}");
}
