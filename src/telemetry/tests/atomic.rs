//! Atomic groups (gNMI spec 2.1.1).

use super::*;

#[test]
fn group_replaces_what_was_below_its_prefix() {
    let core = Core::new(config());
    publish(&core, &[("/g/old", 1), ("/g/x", 1)]);
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    reader.join();
    publish_atomic(&core, "/g", &[("/g/x", 1), ("/g/y", 2)]);
    assert_eq!(reader.texts(), ["-/g/old", "{/g: /g/x=1 /g/y=2}"]);
    publish_atomic(&core, "/g", &[("/g/x", 1), ("/g/y", 2)]);
    assert_eq!(reader.texts(), [""; 0]);
    publish_atomic(&core, "/g", &[("/g/x", 1)]);
    assert_eq!(reader.texts(), ["-/g/y", "{/g: /g/x=1}"]);
    let mut later = subscribe(&core, &list(&["/g"], ON_CHANGE));
    assert_eq!(later.join(), ["{/g: /g/x=1}"]);
}

#[test]
fn group_goes_as_a_whole() {
    let core = Core::new(config());
    publish_atomic(&core, "/g", &[("/g/x", 1), ("/g/y", 2), ("/g/z", 3)]);
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    let mut partial = subscribe(&core, &list(&["/g/y", "/g/z"], ON_CHANGE));
    reader.join();
    assert_eq!(partial.join(), ["{/g: /g/y=2 /g/z=3}"]);
    delete(&core, &["/g/*"]);
    assert_eq!(core.leaves(&tenant()), 0, "each leaf is counted once");
    assert_eq!(reader.texts(), ["-/g"]);
    assert_eq!(partial.texts(), ["-/g/y", "-/g/z"]);
}

#[test]
fn group_under_a_group_takes_the_place_of_both() {
    let core = Core::new(config());
    publish_atomic(&core, "/g", &[("/g/in/x", 1), ("/g/y", 2)]);
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    reader.join();
    publish_atomic(&core, "/g/in", &[("/g/in/x", 1)]);
    assert_eq!(reader.texts(), ["-/g", "{/g/in: /g/in/x=1}"]);
    publish_atomic(&core, "/g", &[("/g/in/x", 1)]);
    assert_eq!(reader.texts(), ["{/g: /g/in/x=1}"]);
    delete(&core, &["/g/in"]);
    assert_eq!(reader.texts(), ["-/g"]);
}

#[test]
fn group_is_dissolved_by_a_plain_write() {
    let core = Core::new(config());
    publish_atomic(&core, "/g", &[("/g/x", 1), ("/g/y", 2)]);
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    reader.join();
    publish(&core, &[("/g/new", 3)]);
    publish(&core, &[("/g/x", 4)]);
    delete(&core, &["/g/y"]);
    assert_eq!(reader.texts(), ["/g/new=3", "/g/x=4", "-/g/y"]);
}

#[test]
fn group_reaches_each_subscriber_in_the_part_it_asked_for() {
    let core = Core::new(config());
    let mut readers = [
        subscribe(&core, &list(&["/"], ON_CHANGE)),
        subscribe(&core, &list(&["/g/x"], ON_CHANGE)),
        subscribe(&core, &list(&["/g/x", "/g/z"], ON_CHANGE)),
        subscribe(&core, &list(&["/g/z", "/g/x"], ON_CHANGE)),
        subscribe(&core, &list(&["/elsewhere"], ON_CHANGE)),
    ];
    for reader in &mut readers {
        assert!(reader.join().is_empty());
    }
    publish_atomic(&core, "/g", &[("/g/x", 1), ("/g/y", 2), ("/g/z", 3)]);
    let read = readers.map(|mut reader| reader.texts().join(" "));
    assert_eq!(
        read,
        [
            "{/g: /g/x=1 /g/y=2 /g/z=3}",
            "{/g: /g/x=1}",
            "{/g: /g/x=1 /g/z=3}",
            "{/g: /g/x=1 /g/z=3}",
            "",
        ]
    );
}

#[test]
fn update_outside_the_prefix_is_no_part_of_the_group() {
    let core = Core::new(config());
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    reader.join();
    publish_atomic(&core, "/g", &[("/g/x", 1), ("/h", 2)]);
    assert_eq!(reader.texts(), ["{/g: /g/x=1}", "/h=2"]);
}

#[test]
fn lagging_subscriber_reads_the_latest_report_after_the_delete() {
    let core = Core::new(config());
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    reader.join();
    for round in 0..50 {
        publish_atomic(&core, "/g", &[("/g/x", round)]);
        delete(&core, &["/g"]);
    }
    assert_eq!(reader.texts(), ["-/g"]);
    for round in 0..50 {
        publish_atomic(&core, "/g", &[("/g/x", round)]);
        publish(&core, &[("/g/x", -round)]);
    }
    assert!(reader.0.backlog() < 20, "{}", reader.0.backlog());
    assert_eq!(reader.texts().last().unwrap(), "/g/x=-49");
}

#[test]
fn lagging_subscriber_is_told_how_many_reports_it_missed() {
    let core = Core::new(config());
    let mut reader = subscribe(&core, &list(&["/g/x"], ON_CHANGE));
    reader.join();
    for round in 0..50 {
        publish_atomic(&core, "/g", &[("/g/x", round), ("/g/y", round)]);
    }
    assert_eq!(reader.texts(), ["{/g: /g/x=49 x49}"]);
}
