//! One place in a tree, its latest value, and the bytes that carry it.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::model::Nature;
use crate::model::Path;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Value;
use crate::wire::Encoding;
use crate::wire::LeafHead;
use crate::wire::frame_update;

use super::backlog::Mark;
use super::group::Group;
use super::route::CachedRoute;

/// A place that holds a value. It lives from creation to deletion; created again, it is another leaf.
pub(super) struct Leaf {
    /// Unique in the process: what queues key by.
    pub(super) id: u64,
    /// Whose tree it is in.
    pub(super) target: Target,
    /// Where.
    pub(super) path: Path,
    /// The part of every message that never changes, encoded once.
    head: LeafHead,
    /// What changes. Written under the tenant's lock alone; its own lock is never contended for long.
    pub(super) cell: Mutex<Cell>,
}

/// The changing part of a leaf.
pub(super) struct Cell {
    /// The latest value.
    pub(super) state: Arc<State>,
    /// Who is told of changes, as of some generation of the matcher.
    pub(super) route: Option<CachedRoute>,
    /// Where the backlog holds a change of this leaf that is not fanned out yet.
    pub(super) mark: Option<Mark>,
    /// The atomic group that the leaf belongs to.
    pub(super) group: Option<Arc<Group>>,
}

/// One value of a leaf. Shared by the tree, the backlog and every queue that has yet to send it.
pub(super) struct State {
    /// The value.
    pub(super) value: Value,
    /// When it was collected.
    pub(super) at: Timestamp,
    /// Who may write it.
    pub(super) nature: Nature,
    /// Grows when the value changes, stays when the same value is collected again.
    pub(super) version: u64,
    /// The complete message, once per encoding that somebody asked for.
    frames: [OnceLock<Bytes>; Encoding::COUNT],
}

impl Leaf {
    /// A leaf with its first value.
    pub(super) fn new(id: u64, target: Target, path: Path, state: State) -> Self {
        Self {
            id,
            head: LeafHead::new(&target, &path),
            target,
            path,
            cell: Mutex::new(Cell {
                state: Arc::new(state),
                route: None,
                mark: None,
                group: None,
            }),
        }
    }

    /// The latest value.
    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(&self.cell.lock().state)
    }

    /// The atomic group that the leaf belongs to.
    pub(super) fn group(&self) -> Option<Arc<Group>> {
        self.cell.lock().group.clone()
    }

    /// Whether the latest value is another than that of `before`.
    pub(super) fn differs(&self, before: &State) -> bool {
        let state = &self.cell.lock().state;
        state.version != before.version && state.value != before.value
    }

    /// The message that carries `state`, encoded when first asked for and shared from then on.
    pub(super) fn frame(&self, state: &State, encoding: Encoding, duplicates: u32) -> Bytes {
        let encode =
            |duplicates| frame_update(&self.head, encoding, &state.value, state.at, duplicates);
        match state.frames.get(encoding.index()) {
            Some(shared) if duplicates == 0 => shared.get_or_init(|| encode(0)).clone(),
            _ => encode(duplicates),
        }
    }

    /// Bytes that an undelivered change of this leaf is counted with: about its message's length.
    pub(super) fn size(&self, state: &State) -> usize {
        self.head.heap_bytes() + state.value.heap_bytes() + FIXED_BYTES
    }
}

impl State {
    /// A value as collected.
    pub(super) fn new(value: Value, at: Timestamp, nature: Nature, version: u64) -> Self {
        Self {
            value,
            at,
            nature,
            version,
            frames: [const { OnceLock::new() }; Encoding::COUNT],
        }
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leaf({:?} {})", self.target, self.path)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({:?} at {})", self.value, self.at.nanos())
    }
}

/// Timestamp, scalar value and the framing around them.
const FIXED_BYTES: usize = 32;
