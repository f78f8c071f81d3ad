//! Metadata labels come and go.

use super::*;
use crate::model::Edit;

const EAST: &str = "/list[meta/data/name/usage=east]/v";

fn label(id: u32, value: &str) -> Update {
    Update {
        path: path(&format!("/list[id={id}]/meta/data[name=usage]/val")),
        value: Value::string(value),
    }
}

fn publish_label(core: &Core, id: u32, value: &str) {
    let mut labelled = notification(&[], &[]);
    labelled.updates.push(label(id, value));
    core.publish(&tenant(), &labelled).unwrap();
    core.pump();
}

fn two_entries() -> Core {
    let core = Core::new(config());
    publish(&core, &[("/list[id=1]/v", 1), ("/list[id=2]/v", 2)]);
    publish_label(&core, 1, "east");
    core
}

#[test]
fn entry_comes_and_goes_with_its_label() {
    let core = two_entries();
    let mut reader = subscribe(&core, &list(&[EAST], ON_CHANGE));
    assert_eq!(reader.join(), ["/list[id=1]/v=1"]);
    publish(&core, &[("/list[id=1]/v", 5), ("/list[id=2]/v", 6)]);
    assert_eq!(reader.texts(), ["/list[id=1]/v=5"]);
    publish_label(&core, 2, "east");
    assert_eq!(reader.texts(), ["/list[id=2]/v=6"]);
    publish_label(&core, 2, "east");
    assert_eq!(reader.texts(), [""; 0]);
    publish_label(&core, 1, "west");
    assert_eq!(reader.texts(), ["-/list[id=1]/v"]);
    publish(&core, &[("/list[id=1]/v", 7), ("/list[id=2]/v", 8)]);
    assert_eq!(reader.texts(), ["/list[id=2]/v=8"]);
    delete(&core, &["/list[id=2]/meta"]);
    assert_eq!(reader.texts(), ["-/list[id=2]/v"]);
}

#[test]
fn entry_removed_with_its_label_is_told() {
    for deletes in [&["/list/*"][..], &["/list/meta", "/list/v"], &["/list"]] {
        let core = two_entries();
        let mut reader = subscribe(&core, &list(&[EAST], ON_CHANGE));
        reader.join();
        delete(&core, deletes);
        assert_eq!(reader.texts(), ["-/list[id=1]/v"], "{deletes:?}");
    }
}

#[test]
fn label_in_an_atomic_group_goes_with_it() {
    let core = two_entries();
    let mut reader = subscribe(&core, &list(&[EAST], ON_CHANGE));
    reader.join();
    publish_atomic(&core, "/list[id=1]", &[("/list[id=1]/v", 1)]);
    assert_eq!(reader.texts(), ["-/list[id=1]/v"]);
}

#[test]
fn group_that_comes_with_a_label_is_whole() {
    let core = two_entries();
    publish_atomic(
        &core,
        "/list[id=2]/v",
        &[("/list[id=2]/v/x", 1), ("/list[id=2]/v/y", 2)],
    );
    let mut reader = subscribe(&core, &list(&[EAST], ON_CHANGE));
    reader.join();
    publish_label(&core, 2, "east");
    let group = "{/list[id=2]/v: /list[id=2]/v/x=1 /list[id=2]/v/y=2}";
    assert_eq!(reader.texts(), [group]);
}

#[test]
fn label_does_not_take_what_was_asked_for_besides() {
    let core = two_entries();
    let mut reader = subscribe(&core, &list(&[EAST, "/list[id=1]/v"], ON_CHANGE));
    assert_eq!(reader.join(), ["/list[id=1]/v=1"]);
    publish_label(&core, 1, "west");
    publish_label(&core, 1, "east");
    assert_eq!(reader.texts(), [""; 0]);
    publish(&core, &[("/list[id=1]/v", 9)]);
    assert_eq!(reader.texts(), ["/list[id=1]/v=9"]);
}

#[test]
fn label_of_another_origin_means_nothing() {
    let core = two_entries();
    let mut reader = subscribe(&core, &list(&[EAST], ON_CHANGE));
    reader.join();
    let mut foreign = notification(&[], &[("accedian:/list[id=3]/v", 3)]);
    let mut east = label(3, "east");
    east.path.origin = crate::model::Origin::new("accedian");
    foreign.updates.push(east);
    core.publish(&tenant(), &foreign).unwrap();
    core.pump();
    assert_eq!(reader.texts(), [""; 0]);
}

#[test]
fn write_that_fails_after_a_label_changed_leaves_routes_as_they_were() {
    let core = two_entries();
    let mut reader = subscribe(&core, &list(&[EAST], ON_CHANGE));
    reader.join();
    let edits = [
        Edit::Delete(pattern("/list/meta")),
        Edit::Delete(pattern("/list/v")),
        Edit::Update(vec![update("/x", 1), update("/x/y", 1)]),
    ];
    let refused = core.set(&tenant(), &Target::own(), Timestamp::EPOCH, &edits);
    assert!(refused.is_err());
    publish(&core, &[("/list[id=1]/v", 9)]);
    assert_eq!(reader.texts(), ["/list[id=1]/v=9"]);
}

#[test]
fn delete_by_label_takes_the_entries_that_have_it() {
    let core = two_entries();
    delete(&core, &[EAST]);
    assert_eq!(held(&core, "/list/v"), ["/list[id=2]/v=2"]);
    publish_label(&core, 2, "east");
    delete(&core, &["/list[meta/data/name/usage=east]"]);
    assert_eq!(core.leaves(&tenant()), 0);
}
