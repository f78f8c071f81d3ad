//! The values of a moment, on their way to one reader.

use std::sync::Arc;
use std::vec::IntoIter;

use bytes::Bytes;
use bytes::BytesMut;

use crate::model::Nature;
use crate::model::Path;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Value;
use crate::wire::Encoding;

use super::item::Item;
use super::leaf::Leaf;
use super::leaf::State;

/// All leaves that a request covers, as they were at one moment. Holds the values, not the tree: a slow reader
/// costs the memory of values that have changed since, and stops nobody.
#[derive(Debug)]
pub struct Snapshot {
    items: IntoIter<Item>,
}

/// One leaf of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whose it is.
    pub target: Target,
    /// Where.
    pub path: Path,
    /// What.
    pub value: Value,
    /// When it was collected.
    pub at: Timestamp,
    /// Who may write it.
    pub nature: Nature,
}

/// One node that a pattern names, with the leaves from there down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Whose it is.
    pub target: Target,
    /// Where, fully resolved.
    pub path: Path,
    /// Its leaves, in the order of the tree.
    pub readings: Vec<Reading>,
}

impl Node {
    /// The current values of leaves below `path`, at most `depth` levels down.
    pub(super) fn new(path: Path, leaves: &[Arc<Leaf>], depth: Option<u32>) -> Option<Self> {
        let target = leaves.first()?.target.clone();
        let below = |leaf: &Leaf| leaf.path.elems.len() - path.elems.len();
        let readings = leaves
            .iter()
            .filter(|leaf| depth.is_none_or(|depth| below(leaf) <= depth as usize))
            .map(|leaf| reading(leaf, &leaf.state()))
            .collect();
        Some(Self {
            target,
            path,
            readings,
        })
    }
}

impl Snapshot {
    /// Takes over what was found.
    pub(super) fn new(items: Vec<Item>) -> Self {
        Self {
            items: items.into_iter(),
        }
    }

    /// The next messages, about 16 KiB of them, complete with their gRPC headers. `None` when all were taken.
    pub fn next_chunk(&mut self, encoding: Encoding) -> Option<Bytes> {
        let mut out = BytesMut::new();
        while out.len() < CHUNK_BYTES {
            let Some(item) = self.items.next() else { break };
            item.write(encoding, 0, &mut out);
        }
        (!out.is_empty()).then(|| out.freeze())
    }

    /// The leaves themselves.
    pub fn into_readings(self) -> Vec<Reading> {
        let mut readings = Vec::with_capacity(self.items.len());
        for item in self.items {
            match item {
                Item::Delete(_) => {}
                Item::Group(view) => {
                    readings.extend(view.leaves.iter().map(|(leaf, state)| reading(leaf, state)));
                }
                Item::Update(leaf, state) => readings.push(reading(&leaf, &state)),
            }
        }
        readings
    }
}

fn reading(leaf: &Arc<Leaf>, state: &Arc<State>) -> Reading {
    Reading {
        target: leaf.target.clone(),
        path: leaf.path.clone(),
        value: state.value.clone(),
        at: state.at,
        nature: state.nature,
    }
}

/// One TLS record, and one DATA frame of the usual size.
const CHUNK_BYTES: usize = 16 << 10;
