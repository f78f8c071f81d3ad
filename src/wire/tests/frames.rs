//! Frames are what the generated structs would have been.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::path;
use super::strategies;
use crate::model::Path;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Value;
use crate::wire::Encoding;
use crate::wire::LeafHead;
use crate::wire::frame_atomic;
use crate::wire::frame_delete;
use crate::wire::frame_sync;
use crate::wire::frame_update;
use crate::wire::proto::gnmi as pb;
use crate::wire::write_elems;
use crate::wire::write_value;

fn elems(path: &Path) -> pb::Path {
    pb::Path {
        elem: write_elems(&path.elems),
        ..pb::Path::default()
    }
}

fn prefix(target: &Target, path: &Path) -> Option<pb::Path> {
    let prefix = pb::Path {
        origin: path.origin.as_str().to_owned(),
        target: target.as_str().to_owned(),
        ..pb::Path::default()
    };
    (prefix != pb::Path::default()).then_some(prefix)
}

fn update(path: &Path, encoding: Encoding, value: &Value, duplicates: u32) -> pb::Update {
    pb::Update {
        path: Some(elems(path)),
        val: Some(write_value(value, encoding)),
        duplicates,
        ..pb::Update::default()
    }
}

/// Both the bytes and what a client reads from them; a NaN is not equal to itself, its bytes are.
#[track_caller]
fn check(frame: &Bytes, response: pb::subscribe_response::Response) {
    let response = pb::SubscribeResponse {
        response: Some(response),
        ..pb::SubscribeResponse::default()
    };
    let expected = response.encode_to_vec();
    assert_eq!(frame[0], 0, "not compressed");
    assert_eq!(
        frame[1..5],
        u32::try_from(expected.len()).unwrap().to_be_bytes()
    );
    assert_eq!(frame[5..], expected);
    let decoded = pb::SubscribeResponse::decode(&frame[5..]).unwrap();
    assert_eq!(format!("{decoded:?}"), format!("{response:?}"));
}

proptest! {
    #[test]
    fn frame_update_is_what_prost_encodes(
        target in strategies::target(),
        path in strategies::path(),
        value in strategies::value(),
        encoding in prop::sample::select(Encoding::ALL.to_vec()),
        at in any::<i64>(),
        duplicates in prop_oneof![Just(0), any::<u32>()],
    ) {
        let at = Timestamp::from_nanos(at);
        let head = LeafHead::new(&target, &path);
        let frame = frame_update(&head, encoding, &value, at, duplicates);
        check(&frame, pb::subscribe_response::Response::Update(pb::Notification {
            timestamp: at.nanos(),
            prefix: prefix(&target, &path),
            update: vec![update(&path, encoding, &value, duplicates)],
            ..pb::Notification::default()
        }));
        prop_assert!(head.heap_bytes() < frame.len());
    }

    #[test]
    fn frame_delete_is_what_prost_encodes(
        target in strategies::target(),
        path in strategies::path(),
        at in any::<i64>(),
    ) {
        let frame = frame_delete(&LeafHead::new(&target, &path), Timestamp::from_nanos(at));
        check(&frame, pb::subscribe_response::Response::Update(pb::Notification {
            timestamp: at,
            prefix: prefix(&target, &path),
            delete: vec![elems(&path)],
            ..pb::Notification::default()
        }));
    }

    #[test]
    fn frame_atomic_is_what_prost_encodes(
        target in strategies::target(),
        base in strategies::path(),
        leaves in vec((strategies::path(), strategies::value(), any::<u32>()), 0..4),
        encoding in prop::sample::select(Encoding::ALL.to_vec()),
    ) {
        let absolute: Vec<Path> = leaves.iter().map(|(path, ..)| {
            let elems = base.elems.iter().chain(&path.elems).cloned().collect();
            Path::new(base.origin.clone(), elems)
        }).collect();
        let at = Timestamp::from_nanos(1);
        let given = absolute.iter().zip(&leaves).map(|(path, (_, value, dup))| (path, value, *dup));
        let frame = frame_atomic(encoding, &target, &base, at, given);
        let whole = pb::Path {
            elem: write_elems(&base.elems),
            ..prefix(&target, &base).unwrap_or_default()
        };
        let expected = leaves.iter().map(|(path, value, dup)| update(path, encoding, value, *dup));
        check(&frame, pb::subscribe_response::Response::Update(pb::Notification {
            timestamp: 1,
            prefix: (whole != pb::Path::default()).then_some(whole),
            update: expected.collect(),
            atomic: true,
            ..pb::Notification::default()
        }));
    }
}

#[test]
fn frame_sync_is_what_prost_encodes() {
    check(
        &frame_sync(),
        pb::subscribe_response::Response::SyncResponse(true),
    );
}

#[test]
fn frame_of_the_root_still_has_a_path() {
    let head = LeafHead::new(&Target::own(), &Path::default());
    let frame = frame_delete(&head, Timestamp::from_nanos(1));
    let decoded = pb::SubscribeResponse::decode(&frame[5..]).unwrap();
    let Some(pb::subscribe_response::Response::Update(notification)) = decoded.response else {
        panic!("no notification");
    };
    assert_eq!(notification.prefix, None);
    assert_eq!(notification.delete, [pb::Path::default()]);
}

#[test]
fn frame_atomic_leaves_out_what_is_elsewhere() {
    let (inside, outside) = (path("/a/b"), path("/c"));
    let value = Value::Int(1);
    let leaves = [(&inside, &value, 0), (&outside, &value, 0)];
    let at = Timestamp::from_nanos(1);
    let frame = frame_atomic(Encoding::Proto, &Target::own(), &path("/a"), at, leaves);
    let alone = frame_atomic(
        Encoding::Proto,
        &Target::own(),
        &path("/a"),
        at,
        [leaves[0]],
    );
    assert_eq!(frame, alone);
}

#[test]
fn frame_needs_no_larger_buffer_than_it_fills() {
    let head = LeafHead::new(&Target::new("t"), &path("/a/b[k=v]/c"));
    let frame = frame_update(
        &head,
        Encoding::Json,
        &Value::string("x".repeat(300)),
        Timestamp::EPOCH,
        3,
    );
    let buffer = frame.try_into_mut().unwrap();
    assert_eq!(buffer.capacity(), buffer.len());
}
