//! Reads a subscriber's chunks back into events.

use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use bytes::Buf;
use bytes::Bytes;
use prost::Message;

use crate::model::Elem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Target;
use crate::model::Value;
use crate::telemetry::Overrun;
use crate::telemetry::Subscriber;
use crate::wire::Origins;
use crate::wire::proto::gnmi as pb;
use crate::wire::read_path;
use crate::wire::read_updates;

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    Atomic(Target, Path, Vec<Leaf>),
    Delete(Target, Path),
    Sync,
    Update(Target, Leaf),
}

/// One leaf of a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    pub(super) path: Path,
    pub(super) value: Value,
    pub(super) at: i64,
    pub(super) duplicates: u32,
}

/// A subscriber and who reads for it.
#[derive(Debug)]
pub(super) struct Reader(pub(super) Subscriber);

impl Reader {
    pub(super) fn new(subscriber: Subscriber) -> Self {
        Self(subscriber)
    }

    /// The messages of the next chunk; `None` if nothing waits.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Event>>, Overrun> {
        match self.0.poll_chunk(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(chunk) => Ok(Some(events(chunk?))),
            Poll::Pending => Ok(None),
        }
    }

    /// All that waits.
    pub(super) fn drain(&mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(events) = self.next().unwrap() {
            assert!(!events.is_empty(), "an empty chunk");
            all.extend(events);
        }
        all
    }

    /// All that waits, as texts: `path=value`, `path x duplicates`, `-path`, `{prefix: leaves}`, `sync`.
    pub(super) fn texts(&mut self) -> Vec<String> {
        self.drain().iter().map(Event::text).collect()
    }

    /// What was there on joining: everything before sync. Fails if sync is not the last.
    pub(super) fn join(&mut self) -> Vec<String> {
        let mut texts = self.texts();
        assert_eq!(texts.pop().as_deref(), Some("sync"));
        assert!(!texts.contains(&"sync".to_owned()));
        texts
    }

    /// Why it was ended; fails if it was not.
    pub(super) fn overrun(&mut self) -> Overrun {
        loop {
            match self.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("not ended"),
                Err(overrun) => return overrun,
            }
        }
    }
}

impl Event {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Atomic(_, prefix, leaves) => {
                let leaves: Vec<_> = leaves.iter().map(Leaf::text).collect();
                format!("{{{prefix}: {}}}", leaves.join(" "))
            }
            Self::Delete(_, path) => format!("-{path}"),
            Self::Sync => "sync".to_owned(),
            Self::Update(_, leaf) => leaf.text(),
        }
    }
}

impl Leaf {
    fn text(&self) -> String {
        let text = text(&self.path, &self.value);
        match self.duplicates {
            0 => text,
            duplicates => format!("{text} x{duplicates}"),
        }
    }
}

pub(super) fn text(path: &Path, value: &Value) -> String {
    match value {
        Value::Int(value) => format!("{path}={value}"),
        Value::String(value) => format!("{path}={value}"),
        other => format!("{path}={other:?}"),
    }
}

/// Takes apart complete gRPC messages.
pub(super) fn events(mut chunk: Bytes) -> Vec<Event> {
    let mut events = Vec::new();
    while chunk.has_remaining() {
        assert_eq!(chunk.get_u8(), 0, "not compressed");
        let len = chunk.get_u32() as usize;
        let message = pb::SubscribeResponse::decode(chunk.split_to(len)).unwrap();
        let response = message.response.unwrap();
        if let pb::subscribe_response::Response::SyncResponse(is_synced) = response {
            assert!(is_synced);
            events.push(Event::Sync);
        } else if let pb::subscribe_response::Response::Update(notification) = response {
            read_notification(&notification, &mut events);
        } else {
            panic!("unexpected {response:?}");
        }
    }
    events
}

fn value(update: &pb::Update) -> Value {
    let anywhere = Path::new(Origin::default(), vec![Elem::new("leaf")]);
    let mut read = read_updates(&anywhere, update.val.as_ref().unwrap()).unwrap();
    assert_eq!(read.len(), 1);
    read.remove(0).value
}

fn read_notification(notification: &pb::Notification, events: &mut Vec<Event>) {
    let prefix = notification.prefix.as_ref();
    let target = Target::new(prefix.map_or("", |prefix| &prefix.target));
    let path = |path: &pb::Path| read_path(prefix, path, &Origins::gateway()).unwrap();
    for deleted in &notification.delete {
        events.push(Event::Delete(target.clone(), path(deleted)));
    }
    let leaves = notification.update.iter().map(|update| Leaf {
        path: path(update.path.as_ref().unwrap()),
        value: value(update),
        at: notification.timestamp,
        duplicates: update.duplicates,
    });
    if notification.atomic {
        let prefix = path(&pb::Path::default());
        events.push(Event::Atomic(target, prefix, leaves.collect()));
    } else {
        events.extend(leaves.map(|leaf| Event::Update(target.clone(), leaf)));
    }
}
