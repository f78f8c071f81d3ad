//! Changes on their way into the tree.

use super::Path;
use super::Pattern;
use super::Target;
use super::Timestamp;
use super::Value;

/// Timestamped changes below one target, as a source reports them or a Set makes them.
///
/// Deletes come first, then updates; of two updates to one path the last counts (gNMI spec 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// When the values were collected at their source (gNMI spec 3.5.2.3).
    pub timestamp: Timestamp,
    /// Whose tree changes.
    pub target: Target,
    /// Who may write such leaves: decides what a Get of type CONFIG or STATE returns.
    pub nature: Nature,
    /// Where present, the updates are the whole state below this path (gNMI spec 2.1.1).
    pub atomic: Option<Path>,
    /// Everything that these cover goes. Of something missing: nothing happens.
    pub deletes: Vec<Pattern>,
    /// One leaf each.
    pub updates: Vec<Update>,
}

/// One leaf's new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The leaf, absolute.
    pub path: Path,
    /// Its value.
    pub value: Value,
}

/// Whether a leaf is configuration or state (gNMI spec 3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nature {
    /// Written by a client's Set.
    Config,
    /// Reported by a source.
    State,
}

/// One operation of a Set. All of a request happen, or none (gNMI spec 3.4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Removes all that the pattern covers.
    Delete(Pattern),
    /// Makes the node be exactly this: what is below it and not given disappears.
    Replace(Path, Vec<Update>),
    /// Adds or changes, and removes nothing.
    Update(Vec<Update>),
}
