//! Writes: all or none, in order, told once.

use super::*;
use crate::model::Class;
use crate::model::Edit;

fn set(core: &Core, edits: &[Edit]) -> Result<(), Error> {
    let at = Timestamp::from_secs(2);
    let written = core.set(&tenant(), &Target::own(), at, edits);
    core.pump();
    written
}

#[test]
fn publish_tells_changes_creations_and_deletions_only() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    let mut reader = subscribe(&core, &list(&["/a"], ON_CHANGE));
    assert_eq!(reader.join(), ["/a/b=1"]);
    publish(&core, &[("/a/b", 1)]);
    assert_eq!(reader.texts(), [""; 0]);
    publish(&core, &[("/a/b", 2), ("/a/c", 3)]);
    assert_eq!(reader.texts(), ["/a/b=2", "/a/c=3"]);
    delete(&core, &["/a/b", "/nowhere"]);
    assert_eq!(reader.texts(), ["-/a/b"]);
    delete(&core, &["/a"]);
    assert_eq!(reader.texts(), ["-/a"]);
    assert_eq!(core.leaves(&tenant()), 0);
}

#[test]
fn publish_deletes_first_and_lets_the_last_update_win() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1), ("/a/c", 1)]);
    let mut reader = subscribe(&core, &list(&["/a"], ON_CHANGE));
    reader.join();
    try_publish(&core, &["/a/b"], &[("/a/b", 1), ("/a/c", 5), ("/a/c", 6)]).unwrap();
    assert_eq!(reader.texts(), ["-/a/b", "/a/b=1", "/a/c=6"]);
    try_publish(&core, &[], &[("/a/c", 7), ("/a/c", 6)]).unwrap();
    assert_eq!(reader.texts(), [""; 0], "nothing has changed in the end");
}

#[test]
fn delete_is_one_message_or_one_per_leaf_as_asked() {
    let core = Core::new(config());
    publish(&core, &[("/a/b/x", 1), ("/a/b/y", 1), ("/a/c/x", 1)]);
    let mut whole = subscribe(&core, &list(&["/"], ON_CHANGE));
    let mut partial = subscribe(&core, &list(&["/.../x"], ON_CHANGE));
    whole.join();
    partial.join();
    delete(&core, &["/a/*"]);
    assert_eq!(whole.texts(), ["-/a/b", "-/a/c"]);
    assert_eq!(partial.texts(), ["-/a/b/x", "-/a/c/x"]);
}

#[test]
fn removed_target_is_one_delete_per_origin() {
    let core = Core::new(config());
    let target = Target::new("r1");
    let mut both = notification(&[], &[("/a/b", 1), ("accedian:/a/b", 1)]);
    both.target = target.clone();
    core.publish(&tenant(), &both).unwrap();
    let mut all = list(&["/"], ON_CHANGE);
    all.target = TargetSelector::All;
    all.subscriptions[0].pattern.origin = None;
    let mut reader = subscribe(&core, &all);
    assert_eq!(reader.join(), ["/a/b=1", "accedian:/a/b=1"]);
    assert!(core.has_target(&tenant(), &target));
    core.remove_target(&tenant(), &target, Timestamp::from_secs(3));
    core.pump();
    assert_eq!(reader.texts(), ["-/", "-accedian:/"]);
    assert!(!core.has_target(&tenant(), &target));
}

#[test]
fn set_replaces_and_tells_deletes_first() {
    let core = Core::new(config());
    publish(&core, &[("/s/a", 1), ("/s/b", 2)]);
    let mut reader = subscribe(&core, &list(&["/s"], ON_CHANGE));
    reader.join();
    let replace = Edit::Replace(path("/s"), vec![update("/s/b", 3), update("/s/c", 4)]);
    set(&core, &[replace]).unwrap();
    assert_eq!(reader.texts(), ["-/s/a", "/s/b=3", "/s/c=4"]);
    assert_eq!(held(&core, "/"), ["/s/b=3", "/s/c=4"]);
}

#[test]
fn set_that_fails_leaves_nothing() {
    let core = Core::new(config());
    publish(&core, &[("/s/a", 1), ("/s/b/c", 2)]);
    publish_atomic(&core, "/g", &[("/g/x", 1), ("/g/y", 2)]);
    let mut reader = subscribe(&core, &list(&["/"], ON_CHANGE));
    let joined = reader.join();
    let edits = [
        Edit::Delete(pattern("/s")),
        Edit::Delete(pattern("/g/x")),
        Edit::Replace(path("/n"), vec![update("/n/o", 1)]),
        Edit::Update(vec![
            update("/s/a", 2),
            update("/g/z", 3),
            update("/s/a/below", 3),
        ]),
    ];
    let refused = set(&core, &edits).unwrap_err();
    assert_eq!(refused, Error::Shape(path("/s/a/below")));
    assert_eq!(refused.class(), Class::Malformed);
    assert_eq!(reader.texts(), [""; 0]);
    assert_eq!(core.leaves(&tenant()), 4);
    assert_eq!(held(&core, "/g"), ["/g/x=1", "/g/y=2"]);
    assert_eq!(subscribe(&core, &list(&["/"], ON_CHANGE)).join(), joined);
    delete(&core, &["/g/y"]);
    assert_eq!(reader.texts(), ["-/g"], "the group is whole again");
}

#[test]
fn set_that_fails_does_not_make_a_target() {
    let core = Core::new(config());
    let (target, at) = (Target::new("r1"), Timestamp::EPOCH);
    let edits = [Edit::Update(vec![update("/a", 1), update("/a/b", 1)])];
    core.set(&tenant(), &target, at, &edits).unwrap_err();
    assert!(!core.has_target(&tenant(), &target));
}

#[test]
fn leaf_and_container_exclude_each_other() {
    let core = Core::new(config());
    publish(&core, &[("/a/b", 1)]);
    for refused in ["/a", "/a/b/c", "/"] {
        let written = try_publish(&core, &[], &[("/ok", 1), (refused, 1)]);
        assert_eq!(written, Err(Error::Shape(path(refused))));
    }
    assert_eq!(held(&core, "/"), ["/a/b=1"]);
    try_publish(&core, &["/a/b"], &[("/a", 1)]).unwrap();
    assert_eq!(held(&core, "/"), ["/a=1"]);
}

#[test]
fn tenants_do_not_meet() {
    let core = Core::new(config());
    let mut all = list(&["/..."], ON_CHANGE);
    all.subscriptions[0].pattern.origin = None;
    let mut readers: Vec<_> = [TargetSelector::All, TargetSelector::One(Target::own())]
        .into_iter()
        .map(|target| {
            subscribe(
                &core,
                &SubscriptionList {
                    target,
                    ..all.clone()
                },
            )
        })
        .collect();
    for target in ["", "r1"] {
        let mut foreign = notification(&[], &[("/a", 1)]);
        foreign.target = Target::new(target);
        core.publish(&TenantId::new("other"), &foreign).unwrap();
        core.remove_target(&tenant(), &Target::new(target), Timestamp::EPOCH);
    }
    core.pump();
    for reader in &mut readers {
        assert_eq!(reader.texts(), ["sync"]);
    }
    assert_eq!(core.leaves(&TenantId::new("other")), 2);
    assert!(!core.has_target(&tenant(), &Target::new("r1")));
}
