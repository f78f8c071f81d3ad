//! What waits to be sent: an update, a delete, or a whole atomic group.

use std::sync::Arc;
use std::sync::OnceLock;

use bytes::Bytes;
use bytes::BytesMut;

use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::Timestamp;
use crate::wire::Encoding;
use crate::wire::LeafHead;
use crate::wire::frame_delete;

use super::group::GroupView;
use super::leaf::Leaf;
use super::leaf::State;

/// One message to one or many subscribers.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A place is gone, with all below it.
    Delete(Arc<Deletion>),
    /// The members of an atomic group that the subscriber asked for.
    Group(Arc<GroupView>),
    /// One leaf's value.
    Update(Arc<Leaf>, Arc<State>),
}

/// A place that is gone.
#[derive(Debug)]
pub(super) struct Deletion {
    /// Whose tree.
    pub(super) target: Target,
    /// What.
    pub(super) path: Path,
    /// Since when.
    pub(super) at: Timestamp,
    /// The leaves that went with it: what waits of them is void.
    pub(super) removed: Arc<[u64]>,
    frame: OnceLock<Bytes>,
}

/// What an item replaces when it waits in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Delete(Target, Path),
    Group(Target, Path, Option<Arc<Pattern>>),
    Leaf(u64),
}

/// Items that go to the same subscribers in one turn, and their messages, joined once per encoding.
#[derive(Debug)]
pub(super) struct Batch {
    /// Each item with the number of earlier values that it stands for.
    pub(super) items: Vec<(Item, u32)>,
    /// Sum of the items' sizes in bytes.
    pub(super) size: usize,
    chunks: [OnceLock<Bytes>; Encoding::COUNT],
}

impl Item {
    /// What this replaces in a queue.
    pub(super) fn key(&self) -> Key {
        match self {
            Self::Delete(deletion) => Key::Delete(deletion.target.clone(), deletion.path.clone()),
            Self::Group(view) => {
                Key::Group(view.target.clone(), view.prefix.clone(), view.scope.clone())
            }
            Self::Update(leaf, _) => Key::Leaf(leaf.id),
        }
    }

    /// How many values it holds; one at least.
    pub(super) fn leaves(&self) -> usize {
        match self {
            Self::Group(view) => view.leaves.len().max(1),
            Self::Delete(_) | Self::Update(..) => 1,
        }
    }

    /// Bytes that count against a queue's limit.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Delete(deletion) => deletion.size(),
            Self::Group(view) => view.size,
            Self::Update(leaf, state) => leaf.size(state),
        }
    }

    /// Appends the message.
    pub(super) fn write(&self, encoding: Encoding, duplicates: u32, out: &mut BytesMut) {
        match self {
            Self::Delete(deletion) => out.extend_from_slice(deletion.frame()),
            Self::Group(view) => out.extend_from_slice(&view.frame(encoding, duplicates)),
            Self::Update(leaf, state) => {
                out.extend_from_slice(&leaf.frame(state, encoding, duplicates));
            }
        }
    }
}

impl Deletion {
    /// A place that is gone since `at`, together with the leaves in `removed`.
    pub(super) fn new(target: Target, path: Path, at: Timestamp, removed: Arc<[u64]>) -> Self {
        Self {
            target,
            path,
            at,
            removed,
            frame: OnceLock::new(),
        }
    }

    fn frame(&self) -> &Bytes {
        self.frame
            .get_or_init(|| frame_delete(&LeafHead::new(&self.target, &self.path), self.at))
    }

    fn size(&self) -> usize {
        DELETE_BYTES + self.removed.len() * size_of::<u64>()
    }
}

impl Batch {
    /// Joins items; the batch is shared by all who get it.
    fn new(items: Vec<(Item, u32)>) -> Arc<Self> {
        Arc::new(Self {
            size: items.iter().map(|(item, _)| item.size()).sum(),
            items,
            chunks: [const { OnceLock::new() }; Encoding::COUNT],
        })
    }

    /// Splits items into batches of at most [`TURN_ITEMS`], and not much more than [`TURN_BYTES`].
    pub(super) fn split(items: Vec<(Item, u32)>) -> Vec<Arc<Self>> {
        let mut batches = Vec::with_capacity(items.len().div_ceil(TURN_ITEMS));
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let mut bytes = 0;
            let mut batch = Vec::with_capacity(TURN_ITEMS.min(items.len()));
            while batch.len() < TURN_ITEMS && bytes < TURN_BYTES {
                let Some((item, duplicates)) = items.next() else {
                    break;
                };
                bytes += item.size();
                batch.push((item, duplicates));
            }
            batches.push(Self::new(batch));
        }
        batches
    }

    /// All messages in a row, encoded by the first who asks and shared from then on.
    pub(super) fn chunk(&self, encoding: Encoding) -> Bytes {
        let encode = || {
            let mut out = BytesMut::with_capacity(self.size);
            for (item, duplicates) in &self.items {
                item.write(encoding, *duplicates, &mut out);
            }
            out.freeze()
        };
        match self.chunks.get(encoding.index()) {
            Some(shared) => shared.get_or_init(encode).clone(),
            None => encode(),
        }
    }
}

/// Items per turn of a subscriber. About 16 KiB of ordinary updates: one TLS record and one DATA frame of the usual
/// size.
pub(super) const TURN_ITEMS: usize = 96;

/// Bytes per turn of a subscriber: where values are large, a turn shall not hold many of them in memory at once.
pub(super) const TURN_BYTES: usize = 64 << 10;

/// A delete's path, timestamp and framing, on average.
const DELETE_BYTES: usize = 128;
