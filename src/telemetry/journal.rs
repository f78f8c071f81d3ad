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
    /// What is gone.
    pub(super) removed: Vec<Removal>,
    steps: Vec<Step>,
    /// Groups that were reported, and whether each has other members than before.
    pub(super) groups: Vec<(Arc<Group>, bool)>,
}

/// Leaves that went together, with those who must be told.
#[derive(Debug)]
pub(super) struct Removal {
    /// All that was below this is gone.
    pub(super) root: Path,
    /// Not empty.
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
            self.remove(root, leaves);
        }
    }

    /// Makes all that is below `path` be exactly `updates`.
    pub(super) fn replace(&mut self, path: &Path, updates: &[Update]) -> Result<(), Error> {
        self.remove_others(path, updates);
        updates.iter().try_for_each(|update| self.put(update))
    }

    /// Writes one leaf, creating it if need be.
    pub(super) fn put(&mut self, update: &Update) -> Result<(), Error> {
        // A non-atomic write below the prefix breaks the baseline (gNMI spec 2.1.1).
        if let Some(leaf) = self.find(&update.path) {
            if let Some(group) = leaf.group() {
                self.dissolve(&group);
            }
            self.overwrite(leaf, &update.value);
            return Ok(());
        }
        let tree = self.inner.trees.get(self.target);
        for group in tree.map_or_else(Vec::new, |tree| tree.groups_above(&update.path)) {
            self.dissolve(&group);
        }
        self.create(&update.path, &update.value).map(|_| ())
    }

    /// Makes `updates` the whole state below `prefix`, and one group (gNMI spec 2.1.1).
    pub(super) fn put_group(&mut self, prefix: &Path, updates: &[Update]) -> Result<(), Error> {
        let tree = self.inner.trees.get(self.target);
        let above = tree.map_or_else(Vec::new, |tree| tree.groups_above(prefix));
        let mut known = None;
        for group in above {
            if group.prefix == *prefix {
                self.dissolve(&group);
                known = Some(group.members.len());
            } else {
                // Atomic data under a super-prefix is gone.
                self.remove(group.prefix.clone(), group.members.clone());
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
            if !update.path.is_under(prefix) {
                // No part of the group.
                self.put(update)?;
                continue;
            }
            let leaf = match self.find(&update.path) {
                Some(leaf) => self.overwrite(leaf, &update.value),
                None => self.create(&update.path, &update.value)?,
            };
            if seen.insert(leaf.id) {
                members.push(leaf);
            }
        }
        // One that was not there before is news anyway, so the number tells whether one has gone.
        let is_new = known != Some(members.len());
        self.form(is_new, prefix, members);
        Ok(())
    }

    /// The leaves whose value is another than before the write, each once. `has_removed` tells whether some of those
    /// written may be gone again.
    pub(super) fn changed(&self, has_removed: bool) -> Vec<Arc<Leaf>> {
        let mut changed: Vec<Arc<Leaf>> = Vec::new();
        let mut seen = HashSet::new();
        for step in &self.steps {
            let (leaf, before) = match step {
                Step::Created(leaf) => (leaf, None),
                Step::Written(leaf, before) => (leaf, Some(before)),
                Step::Dissolved(_) | Step::Grouped(_) | Step::Removed(_) => continue,
            };
            // What was before all is in a leaf's first step.
            let is_first = self.steps.len() == 1 || seen.insert(leaf.id);
            let is_news = || before.is_none_or(|before| leaf.differs(before));
            if is_first && is_news() && (!has_removed || self.is_alive(leaf)) {
                changed.push(Arc::clone(leaf));
            }
        }
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
        self.find(&leaf.path).is_some_and(|it| it.id == leaf.id)
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
                self.remove(leaf.path.clone(), vec![leaf]);
            }
        }
    }

    /// Removes leaves below `root`. One leaf of an atomic group takes the whole group with it.
    fn remove(&mut self, root: Path, mut leaves: Vec<Arc<Leaf>>) {
        if !self.removed.is_empty() {
            // Some may have gone already, with their group.
            leaves.retain(|leaf| self.is_alive(leaf));
        }
        if leaves.is_empty() {
            return;
        }
        let above = self.tree().groups_above(&root);
        if let Some(group) = above
            .into_iter()
            .find(|group| group.prefix.elems.len() < root.elems.len())
        {
            return self.remove(group.prefix.clone(), group.members.clone());
        }
        let mut routed = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            if let Some(group) = leaf.group() {
                self.dissolve(&group);
            }
            let route = self.inner.last_route(&leaf);
            routed.push((leaf, route));
        }
        for (leaf, _) in &routed {
            self.take_out(leaf);
            self.steps.push(Step::Removed(Arc::clone(leaf)));
        }
        self.removed.push(Removal {
            root,
            leaves: routed,
        });
    }

    fn find(&self, path: &Path) -> Option<Arc<Leaf>> {
        let tree = self.inner.trees.get(self.target)?;
        tree.find(path).cloned()
    }

    fn overwrite(&mut self, leaf: Arc<Leaf>, value: &Value) -> Arc<Leaf> {
        let mut cell = leaf.cell.lock();
        let is_same = cell.state.value == *value;
        let version = cell.state.version + u64::from(!is_same);
        let state = Arc::new(State::new(value.clone(), self.at, self.nature, version));
        let before = std::mem::replace(&mut cell.state, state);
        drop(cell);
        self.steps.push(Step::Written(Arc::clone(&leaf), before));
        leaf
    }

    fn create(&mut self, path: &Path, value: &Value) -> Result<Arc<Leaf>, Error> {
        if self.inner.leaves >= self.max_leaves {
            return Err(Error::Full(self.max_leaves));
        }
        self.tree().check_shape(path)?;
        let state = State::new(value.clone(), self.at, self.nature, 1);
        let id = self.inner.next_id();
        let leaf = Arc::new(Leaf::new(id, self.target.clone(), path.clone(), state));
        self.put_in(&leaf);
        self.steps.push(Step::Created(Arc::clone(&leaf)));
        Ok(leaf)
    }

    fn form(&mut self, is_new: bool, prefix: &Path, members: Vec<Arc<Leaf>>) {
        let group = Arc::new(Group {
            id: self.inner.next_id(),
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
            self.groups.push((group, is_new));
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
