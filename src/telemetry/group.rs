//! Atomic groups: leaves that change together (gNMI spec 2.1.1).

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::Timestamp;
use crate::wire::Encoding;
use crate::wire::frame_atomic;

use super::leaf::Leaf;
use super::leaf::State;

/// The leaves below one prefix that were reported as a whole. A non-atomic write below the prefix dissolves it.
pub(super) struct Group {
    /// Unique among leaves and groups.
    pub(super) id: u64,
    /// What the members are the whole state of.
    pub(super) prefix: Path,
    /// When they were collected.
    pub(super) at: Timestamp,
    /// All of them.
    pub(super) members: Vec<Arc<Leaf>>,
}

/// One report of a group, as one subscriber sees it: its members alone, under the group's prefix (gNMI spec 3.5.2.5).
pub(super) struct GroupView {
    /// Whose tree.
    pub(super) target: Target,
    /// The group's prefix.
    pub(super) prefix: Path,
    /// The pattern of the sample that this is part of; `None` where it is the answer to all that the subscriber asked
    /// for. Of two views with one prefix and scope the later says all that the earlier does.
    pub(super) scope: Option<Arc<Pattern>>,
    /// When the values were collected.
    at: Timestamp,
    /// What the subscriber asked for.
    pub(super) leaves: Vec<(Arc<Leaf>, Arc<State>)>,
    /// Bytes that this counts with against a queue's limit.
    pub(super) size: usize,
    frames: [OnceLock<Bytes>; Encoding::COUNT],
}

impl GroupView {
    /// The current values of some members.
    pub(super) fn new(
        group: &Group,
        target: &Target,
        members: &[Arc<Leaf>],
        scope: Option<&Arc<Pattern>>,
    ) -> Arc<Self> {
        let leaves: Vec<_> = members
            .iter()
            .map(|leaf| (Arc::clone(leaf), leaf.state()))
            .collect();
        Arc::new(Self {
            target: target.clone(),
            prefix: group.prefix.clone(),
            scope: scope.cloned(),
            at: group.at,
            size: leaves.iter().map(|(leaf, state)| leaf.size(state)).sum(),
            leaves,
            frames: [const { OnceLock::new() }; Encoding::COUNT],
        })
    }

    /// The message. Dropped earlier reports are counted on every leaf: each lost that many values.
    pub(super) fn frame(&self, encoding: Encoding, duplicates: u32) -> Bytes {
        let encode = || {
            let leaves = self.leaves.iter();
            let leaves = leaves.map(|(leaf, state)| (&leaf.path, &state.value, duplicates));
            frame_atomic(encoding, &self.target, &self.prefix, self.at, leaves)
        };
        match self.frames.get(encoding.index()) {
            Some(shared) if duplicates == 0 => shared.get_or_init(encode).clone(),
            _ => encode(),
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({} of {})", self.prefix, self.members.len())
    }
}

impl fmt::Debug for GroupView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupView({} {:?})", self.prefix, self.leaves)
    }
}
