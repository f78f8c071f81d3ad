//! One write into a tree: all of it happens, or none (gNMI spec 3.4.3).
//!
//! The write is carried out step by step, each step noted. If one fails the notes are undone in reverse; else they
//! say what subscribers must be told. Nobody sees what is in between: the tenant's lock is held throughout.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::model::Nature;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Update;
use crate::model::Value;

use super::core::Write;
use super::error::Error;
use super::group::Group;
use super::leaf::Leaf;
use super::leaf::State;
use super::route::Route;
use super::tenant::Inner;
use super::tree::Tree;

/// What one write has done so far.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    pub(super) inner: &'a mut Inner,
    pub(super) target: &'a Target,
    pub(super) at: Timestamp,
    nature: Nature,
    max_leaves: usize,
    pub(super) removed: Vec<Removal>,
    steps: Vec<Step>,
    /// Groups that were reported, and whether each is new.
    pub(super) groups: Vec<(Arc<Group>, bool)>,
}

/// Leaves that went together, with those who must be told.
#[derive(Debug)]
pub(super) struct Removal {
    /// All that was below this is gone.
    pub(super) root: Path,
    pub(super) leaves: Vec<(Arc<Leaf>, Arc<Route>)>,
}

/// What can be undone.
#[derive(Debug)]
enum Step {
    Created(Arc<Leaf>),
    Dissolved(Arc<Group>),
    Grouped(Path),
    Removed(Arc<Leaf>),
    Written(Arc<Leaf>, Arc<State>),
}

impl<'a> Journal<'a> {
    /// Opens a write to one target's tree.
    pub(super) fn open(inner: &'a mut Inner, write: &Write<'a>, max_leaves: usize) -> Self {
        Self {
            inner,
            target: write.target,
            at: write.at,
            nature: write.nature,
            max_leaves,
            removed: Vec::new(),
            steps: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Removes all that the pattern covers. Of nothing there: nothing happens (gNMI spec 3.4.6).
    pub(super) fn delete(&mut self, pattern: &Pattern) {
        let Some(tree) = self.inner.trees.get(self.target) else {
            return;
        };
        for (root, leaves) in tree.named(pattern) {
            self.remove(root, &leaves);
        }
    }

    /// Makes all that is below `path` be exactly `updates`.
    pub(super) fn replace(&mut self, path: &Path, updates: &[Update]) -> Result<(), Error> {
        self.remove_others(path, updates);
        updates.iter().try_for_each(|update| self.put(update))
    }

    /// Writes one leaf, creating it if need be.
    pub(super) fn put(&mut self, update: &Update) -> Result<(), Error> {
        let groups = match self.inner.trees.get(self.target) {
            Some(tree) => tree.groups_above(&update.path),
            None => Vec::new(),
        };
        for group in groups {
            // A non-atomic write below the prefix breaks the baseline (gNMI spec 2.1.1).
            self.dissolve(&group);
        }
        self.write(&update.path, &update.value).map(|_| ())
    }

    /// Makes `updates` the whole state below `prefix`, and one group (gNMI spec 2.1.1).
    pub(super) fn put_group(&mut self, prefix: &Path, updates: &[Update]) -> Result<(), Error> {
        let tree = self.inner.trees.get(self.target);
        let above = tree.map_or_else(Vec::new, |tree| tree.groups_above(prefix));
        let mut known = None;
        for group in above {
            if group.prefix == *prefix {
                known = Some(group.id);
                self.dissolve(&group);
            } else {
                // Atomic data under a super-prefix is gone.
                let members = group.members.clone();
                self.remove(group.prefix.clone(), &members);
            }
        }
        let mut inside = Vec::new();
        if let Some(node) = self.tree().node(prefix) {
            node.groups(&mut |group| inside.push(Arc::clone(group)));
        }
        for group in &inside {
            self.dissolve(group);
        }
        self.remove_others(prefix, updates);
        let (mut members, mut seen) = (Vec::with_capacity(updates.len()), HashSet::new());
        for update in updates {
            let leaf = self.write(&update.path, &update.value)?;
            if seen.insert(leaf.id) {
                members.push(leaf);
            }
        }
        self.form(known, prefix, members);
        Ok(())
    }

    /// The leaves whose value is new, each once.
    pub(super) fn changed(&self) -> Vec<Arc<Leaf>> {
        let mut changed: Vec<Arc<Leaf>> = Vec::new();
        for step in &self.steps {
            let leaf = match step {
                Step::Created(leaf) => leaf,
                Step::Written(leaf, before) if leaf.state().version != before.version => leaf,
                _ => continue,
            };
            if self.is_alive(leaf) {
                changed.push(Arc::clone(leaf));
            }
        }
        let mut seen = HashSet::with_capacity(changed.len());
        changed.retain(|leaf| seen.insert(leaf.id));
        changed
    }

    /// Undoes everything.
    pub(super) fn roll_back(mut self) {
        for step in std::mem::take(&mut self.steps).into_iter().rev() {
            match step {
                Step::Created(leaf) => self.take_out(&leaf),
                Step::Dissolved(group) => {
                    for leaf in &group.members {
                        leaf.cell.lock().group = Some(Arc::clone(&group));
                    }
                    if let Some(node) = self.tree().node_mut(&group.prefix.clone()) {
                        node.group = Some(group);
                    }
                }
                Step::Grouped(prefix) => {
                    if let Some(node) = self.tree().node_mut(&prefix) {
                        node.group = None;
                        node.leaves(&mut |leaf| leaf.cell.lock().group = None);
                    }
                }
                Step::Removed(leaf) => self.put_in(&leaf),
                Step::Written(leaf, before) => leaf.cell.lock().state = before,
            }
        }
        self.drop_empty_tree();
    }

    /// Removes the target if its last leaf is gone.
    pub(super) fn drop_empty_tree(&mut self) {
        if self
            .inner
            .trees
            .get(self.target)
            .is_some_and(Tree::is_empty)
        {
            self.inner.trees.remove(self.target);
        }
    }

    fn is_alive(&self, leaf: &Leaf) -> bool {
        let tree = self.inner.trees.get(self.target);
        tree.and_then(|tree| tree.find(&leaf.path))
            .is_some_and(|known| known.id == leaf.id)
    }

    fn tree(&mut self) -> &mut Tree {
        self.inner.trees.entry(self.target.clone()).or_default()
    }

    fn put_in(&mut self, leaf: &Arc<Leaf>) {
        self.inner.leaves += 1;
        self.tree().insert(leaf);
    }

    fn take_out(&mut self, leaf: &Leaf) {
        self.inner.leaves -= 1;
        self.tree().remove(leaf);
    }

    /// Removes what is below `path` and not written by `updates`, leaf by leaf.
    fn remove_others(&mut self, path: &Path, updates: &[Update]) {
        let kept: HashSet<&Path> = updates.iter().map(|update| &update.path).collect();
        let mut gone = Vec::new();
        if let Some(node) = self.tree().node(path) {
            node.leaves(&mut |leaf| {
                if !kept.contains(&leaf.path) {
                    gone.push(Arc::clone(leaf));
                }
            });
        }
        for leaf in gone {
            if self.is_alive(&leaf) {
                self.remove(leaf.path.clone(), std::slice::from_ref(&leaf));
            }
        }
    }

    /// Removes leaves below `root`. One leaf of an atomic group takes the whole group with it.
    fn remove(&mut self, root: Path, leaves: &[Arc<Leaf>]) {
        let above = self.tree().groups_above(&root);
        if let Some(group) = above
            .into_iter()
            .find(|group| group.prefix.elems.len() < root.elems.len())
        {
            let members = group.members.clone();
            return self.remove(group.prefix.clone(), &members);
        }
        let mut routed = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let group = leaf.cell.lock().group.clone();
            if let Some(group) = group {
                self.dissolve(&group);
            }
            let (_, route) = self.inner.route(leaf);
            routed.push((Arc::clone(leaf), route));
        }
        for leaf in leaves {
            self.take_out(leaf);
            self.steps.push(Step::Removed(Arc::clone(leaf)));
        }
        self.removed.push(Removal {
            root,
            leaves: routed,
        });
    }

    fn write(&mut self, path: &Path, value: &Value) -> Result<Arc<Leaf>, Error> {
        let (at, nature) = (self.at, self.nature);
        if let Some(leaf) = self
            .inner
            .trees
            .get(self.target)
            .and_then(|tree| tree.find(path))
        {
            let leaf = Arc::clone(leaf);
            let mut cell = leaf.cell.lock();
            let is_same = cell.state.value == *value;
            let version = if is_same {
                cell.state.version
            } else {
                cell.state.version + 1
            };
            let state = Arc::new(State::new(value.clone(), at, nature, version));
            let before = std::mem::replace(&mut cell.state, state);
            drop(cell);
            self.steps.push(Step::Written(Arc::clone(&leaf), before));
            return Ok(leaf);
        }
        if self.inner.leaves >= self.max_leaves {
            return Err(Error::Full(self.max_leaves));
        }
        self.tree().check_shape(path)?;
        let state = State::new(value.clone(), at, nature, 1);
        let id = self.inner.next_id();
        let leaf = Arc::new(Leaf::new(id, self.target.clone(), path.clone(), state));
        self.put_in(&leaf);
        self.steps.push(Step::Created(Arc::clone(&leaf)));
        Ok(leaf)
    }

    fn form(&mut self, known: Option<u64>, prefix: &Path, members: Vec<Arc<Leaf>>) {
        let id = known.unwrap_or_else(|| self.inner.next_id());
        let group = Arc::new(Group {
            id,
            prefix: prefix.clone(),
            at: self.at,
            members,
        });
        for leaf in &group.members {
            leaf.cell.lock().group = Some(Arc::clone(&group));
        }
        if let Some(node) = self.tree().node_mut(prefix) {
            node.group = Some(Arc::clone(&group));
            self.steps.push(Step::Grouped(prefix.clone()));
            self.groups.push((group, known.is_none()));
        }
    }

    fn dissolve(&mut self, group: &Arc<Group>) {
        for leaf in &group.members {
            leaf.cell.lock().group = None;
        }
        if let Some(node) = self.tree().node_mut(&group.prefix) {
            node.group = None;
        }
        self.steps.push(Step::Dissolved(Arc::clone(group)));
    }
}
