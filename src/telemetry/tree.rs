//! The latest values of one target.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::model::Elem;
use crate::model::GlobElem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Pattern;

use super::error::Error;
use super::group::Group;
use super::labels;
use super::leaf::Leaf;
use super::progress::Progress;

/// All leaves of one target: by path for writing, as a tree for walking.
#[derive(Debug, Default)]
pub(super) struct Tree {
    origins: BTreeMap<Origin, Node>,
    index: HashTable<Arc<Leaf>>,
    hasher: foldhash::fast::RandomState,
}

/// One level of a tree. Holds a leaf or has branches, never both.
#[derive(Debug, Default)]
pub(super) struct Node {
    leaf: Option<Arc<Leaf>>,
    /// The atomic group whose prefix this is.
    pub(super) group: Option<Arc<Group>>,
    branches: BTreeMap<Elem, Self>,
    /// Branches of one name have different key names, so that a pattern's keys may fit several.
    is_mixed: bool,
}

impl Tree {
    /// Whether there is no leaf.
    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The leaf at a path. Costs one hash of the path.
    pub(super) fn find(&self, path: &Path) -> Option<&Arc<Leaf>> {
        let hash = self.hasher.hash_one(path);
        self.index.find(hash, |leaf| leaf.path == *path)
    }

    /// Whether a leaf can be created at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] when the path or something above it is a leaf, or something lies below it.
    pub(super) fn check_shape(&self, path: &Path) -> Result<(), Error> {
        let Some(mut node) = self.origins.get(&path.origin) else {
            return Ok(());
        };
        for elem in &path.elems {
            if node.leaf.is_some() {
                return Err(Error::Shape(path.clone()));
            }
            match node.branches.get(elem) {
                Some(branch) => node = branch,
                None => return Ok(()),
            }
        }
        if node.branches.is_empty() {
            Ok(())
        } else {
            Err(Error::Shape(path.clone()))
        }
    }

    /// Adds a leaf whose shape was checked.
    pub(super) fn insert(&mut self, leaf: &Arc<Leaf>) {
        let mut node = self.origins.entry(leaf.path.origin.clone()).or_default();
        for elem in &leaf.path.elems {
            node = node.branch(elem);
        }
        node.leaf = Some(Arc::clone(leaf));
        let hash = self.hasher.hash_one(&leaf.path);
        let hasher = &self.hasher;
        self.index
            .insert_unique(hash, Arc::clone(leaf), |leaf| hasher.hash_one(&leaf.path));
    }

    /// Removes a leaf, and the branches that held it alone.
    pub(super) fn remove(&mut self, leaf: &Leaf) {
        let hash = self.hasher.hash_one(&leaf.path);
        if let Ok(entry) = self.index.find_entry(hash, |known| known.id == leaf.id) {
            entry.remove();
        }
        if let Some(root) = self.origins.get_mut(&leaf.path.origin) {
            root.remove(&leaf.path.elems);
            if root.is_hollow() {
                self.origins.remove(&leaf.path.origin);
            }
        }
    }

    /// The node at a path.
    pub(super) fn node(&self, path: &Path) -> Option<&Node> {
        let root = self.origins.get(&path.origin)?;
        path.elems
            .iter()
            .try_fold(root, |node, elem| node.branches.get(elem))
    }

    /// The node at a path, to change it.
    pub(super) fn node_mut(&mut self, path: &Path) -> Option<&mut Node> {
        let root = self.origins.get_mut(&path.origin)?;
        path.elems
            .iter()
            .try_fold(root, |node, elem| node.branches.get_mut(elem))
    }

    /// The atomic groups on the way from the root to `path`, `path` itself included.
    pub(super) fn groups_above(&self, path: &Path) -> Vec<Arc<Group>> {
        let Some(mut node) = self.origins.get(&path.origin) else {
            return Vec::new();
        };
        let mut groups: Vec<_> = node.group.iter().cloned().collect();
        for elem in &path.elems {
            match node.branches.get(elem) {
                Some(branch) => node = branch,
                None => break,
            }
            groups.extend(node.group.iter().cloned());
        }
        groups
    }

    /// Calls `found` for each leaf that the pattern covers, at most `depth` levels below what it names.
    /// Each leaf comes once.
    pub(super) fn walk(
        &self,
        pattern: &Pattern,
        depth: Option<u32>,
        found: &mut dyn FnMut(&Arc<Leaf>),
    ) {
        let depth = depth.unwrap_or(u32::MAX);
        for root in self.roots(pattern) {
            root.walk(pattern, &Progress::start(pattern), depth, None, found);
        }
    }

    /// Whether the pattern covers the leaf at `path`, labels looked at.
    pub(super) fn is_covered(&self, pattern: &Pattern, depth: Option<u32>, path: &Path) -> bool {
        let is_asked = |origin: &Origin| pattern.origin.as_ref().is_none_or(|it| it == origin);
        let Some(mut node) = self
            .origins
            .get(&path.origin)
            .filter(|_| is_asked(&path.origin))
        else {
            return false;
        };
        let depth = depth.map_or(usize::MAX, |depth| depth as usize);
        let mut progress = Progress::start(pattern);
        let mut below = path.elems.len();
        let mut is_covered = progress.is_done(pattern) && below <= depth;
        for elem in &path.elems {
            let Some(branch) = node.below(elem) else {
                return false;
            };
            node = branch;
            progress = progress.step(pattern, elem, &|label, value| {
                labels::has(branch, label, value)
            });
            below -= 1;
            is_covered |= progress.is_done(pattern) && below <= depth;
        }
        is_covered
    }

    /// The paths of the nodes that the pattern names, none below another, each with its leaves.
    pub(super) fn named(&self, pattern: &Pattern) -> Vec<(Path, Vec<Arc<Leaf>>)> {
        let mut named = Vec::new();
        for (origin, root) in &self.origins {
            if pattern.origin.as_ref().is_none_or(|asked| asked == origin) {
                let mut path = Path::new(origin.clone(), Vec::new());
                root.named(pattern, &Progress::start(pattern), &mut path, &mut named);
            }
        }
        named
    }

    fn roots(&self, pattern: &Pattern) -> impl Iterator<Item = &Node> {
        let origin = pattern.origin.as_ref();
        let one = origin.and_then(|origin| self.origins.get(origin));
        let all = origin.is_none().then(|| self.origins.values());
        one.into_iter().chain(all.into_iter().flatten())
    }
}

impl Node {
    /// Every leaf from here down.
    pub(super) fn leaves(&self, found: &mut dyn FnMut(&Arc<Leaf>)) {
        if let Some(leaf) = &self.leaf {
            found(leaf);
        }
        for branch in self.branches.values() {
            branch.leaves(found);
        }
    }

    /// Every atomic group from here down, this node's own included.
    pub(super) fn groups(&self, found: &mut dyn FnMut(&Arc<Group>)) {
        if let Some(group) = &self.group {
            found(group);
        }
        for branch in self.branches.values() {
            branch.groups(found);
        }
    }

    /// The leaf here.
    pub(super) fn leaf(&self) -> Option<&Arc<Leaf>> {
        self.leaf.as_ref()
    }

    /// What lies one level down.
    pub(super) fn below(&self, elem: &Elem) -> Option<&Self> {
        self.branches.get(elem)
    }

    fn branch(&mut self, elem: &Elem) -> &mut Self {
        if !self.is_mixed && !self.branches.contains_key(elem) {
            let namesake = self.namesakes(elem).next();
            self.is_mixed = namesake.is_some_and(|(known, _)| !same_key_names(known, elem));
        }
        self.branches.entry(elem.clone()).or_default()
    }

    fn remove(&mut self, elems: &[Elem]) {
        let Some((elem, rest)) = elems.split_first() else {
            self.leaf = None;
            return;
        };
        if let Some(branch) = self.branches.get_mut(elem) {
            branch.remove(rest);
            if branch.is_hollow() {
                self.branches.remove(elem);
            }
        }
    }

    fn is_hollow(&self) -> bool {
        self.leaf.is_none() && self.branches.is_empty()
    }

    /// Branches with the name of `elem`. Elements are ordered by name first.
    fn namesakes<'a>(&'a self, elem: &Elem) -> impl Iterator<Item = (&'a Elem, &'a Self)> {
        let name = Arc::clone(elem.name());
        self.branches
            .range(Elem::new(Arc::clone(&name))..)
            .take_while(move |(known, _)| *known.name() == name)
    }

    /// `below` is how many levels under a named node are still covered.
    fn walk(
        &self,
        pattern: &Pattern,
        progress: &Progress,
        depth: u32,
        below: Option<u32>,
        found: &mut dyn FnMut(&Arc<Leaf>),
    ) {
        let below = if progress.is_done(pattern) {
            Some(depth)
        } else {
            below
        };
        if below == Some(u32::MAX) {
            return self.leaves(found);
        }
        if let Some(leaf) = self.leaf.as_ref().filter(|_| below.is_some()) {
            found(leaf);
        }
        let below = below.and_then(|below| below.checked_sub(1));
        if below.is_none() && progress.is_lost(pattern) {
            return;
        }
        let only = match below {
            Some(_) => None,
            None => progress.only_next(pattern),
        };
        self.each_candidate(only, &mut |elem, branch| {
            let has_label = |label: &str, value: &str| labels::has(branch, label, value);
            let next = progress.step(pattern, elem, &has_label);
            branch.walk(pattern, &next, depth, below, found);
        });
    }

    fn named(
        &self,
        pattern: &Pattern,
        progress: &Progress,
        path: &mut Path,
        named: &mut Vec<(Path, Vec<Arc<Leaf>>)>,
    ) {
        if progress.is_done(pattern) {
            let mut leaves = Vec::new();
            self.leaves(&mut |leaf| leaves.push(Arc::clone(leaf)));
            named.push((path.clone(), leaves));
            return;
        }
        self.each_candidate(progress.only_next(pattern), &mut |elem, branch| {
            let has_label = |label: &str, value: &str| labels::has(branch, label, value);
            let next = progress.step(pattern, elem, &has_label);
            if !next.is_lost(pattern) || next.is_done(pattern) {
                path.elems.push(elem.clone());
                branch.named(pattern, &next, path, named);
                path.elems.pop();
            }
        });
    }

    /// The branches that may match: one look-up where all keys are given, those of one name where the name is.
    fn each_candidate(&self, only: Option<&GlobElem>, visit: &mut dyn FnMut(&Elem, &Self)) {
        let Some((glob, name)) = only.and_then(|glob| Some((glob, glob.name.clone()?))) else {
            self.branches
                .iter()
                .for_each(|(elem, branch)| visit(elem, branch));
            return;
        };
        let given = glob
            .keys
            .iter()
            .filter_map(|(key, value)| Some((Arc::clone(key), Arc::clone(value.as_ref()?))));
        let exact = Elem::with_keys(name, given);
        if !self.is_mixed
            && let Some((elem, branch)) = self.branches.get_key_value(&exact)
        {
            return visit(elem, branch);
        }
        let mut known = self.namesakes(&exact);
        if !self.is_mixed
            && known
                .next()
                .is_none_or(|(known, _)| same_key_names(known, &exact))
        {
            return;
        }
        self.namesakes(&exact)
            .for_each(|(elem, branch)| visit(elem, branch));
    }
}

fn same_key_names(one: &Elem, other: &Elem) -> bool {
    let names = |elem: &Elem| {
        elem.keys()
            .iter()
            .map(|(key, _)| Arc::clone(key))
            .collect::<Vec<_>>()
    };
    names(one) == names(other)
}
