//! Entries that come into view, or leave it, when their labels change.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashSet;

use crate::model::Path;
use crate::model::Target;

use super::collected::Collected;
use super::core::Write;
use super::effects::deletion;
use super::group::Group;
use super::journal::Journal;
use super::journal::Removal;
use super::labels;
use super::leaf::Leaf;
use super::subscriber::Shared;
use super::tenant::Inner;
use super::tree::Tree;

/// For each subscriber with labels, the leaves below the labelled entries that it covered before a write.
#[derive(Debug)]
pub(super) struct LabelWatch {
    entries: Vec<Path>,
    before: BTreeMap<u64, View>,
}

/// What one subscriber covers by its subscriptions with labels.
#[derive(Debug)]
struct View {
    subscriber: Arc<Shared>,
    leaves: BTreeMap<u64, Arc<Leaf>>,
}

impl LabelWatch {
    /// Notes what is covered below the entries whose labels a write may change.
    pub(super) fn start(inner: &Inner, write: &Write<'_>) -> Self {
        let mut entries = Vec::new();
        if !inner.listeners.labelled.is_empty() {
            let tree = inner.trees.get(write.target);
            entries = written(tree, write);
            if let Some(tree) = tree {
                entries.extend(removed(tree, write));
            }
            entries.sort();
            entries.dedup();
        }
        Self {
            before: covered(inner, write.target, &entries),
            entries,
        }
    }

    /// Whether no label changes.
    pub(super) fn is_idle(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds those who covered a removed leaf before the write: on its removal its label may have been gone already.
    pub(super) fn complete(&self, inner: &mut Inner, removed: &mut [Removal]) {
        if self.is_idle() {
            return;
        }
        for (leaf, route) in removed.iter_mut().flat_map(|removal| &mut removal.leaves) {
            let mut missing = Vec::new();
            for (id, view) in &self.before {
                if view.leaves.contains_key(&leaf.id) && !route.contains(*id) {
                    missing.push(Arc::clone(&view.subscriber));
                }
            }
            if !missing.is_empty() {
                missing.extend_from_slice(&route.subscribers);
                *route = inner.listeners.routes.to(missing);
            }
        }
    }

    /// Tells each subscriber what it has lost and gained.
    /// `told` are leaves of which all subscribers hear anyway.
    pub(super) fn finish(&self, journal: &mut Journal<'_>, told: &HashSet<u64>) {
        if self.is_idle() {
            return;
        }
        let (target, at) = (journal.target, journal.at);
        let inner = &mut *journal.inner;
        inner.listeners.routes.void();
        let after = covered(inner, target, &self.entries);
        for (id, now) in &after {
            let Some(before) = self.before.get(id) else {
                continue;
            };
            let Some(tree) = inner.trees.get(target) else {
                continue;
            };
            let is_alive = |leaf: &Leaf| tree.find(&leaf.path).is_some_and(|it| it.id == leaf.id);
            let is_new = |id: &u64| !before.leaves.contains_key(id) && !told.contains(id);
            let mut lost = Vec::new();
            for (id, leaf) in &before.leaves {
                if !now.leaves.contains_key(id) && is_alive(leaf) && !is_plain(inner, now, leaf) {
                    lost.push(deletion(target, leaf, at));
                }
            }
            let mut gained = BTreeMap::new();
            for (id, leaf) in &now.leaves {
                if is_new(id) && !is_plain(inner, now, leaf) {
                    gained.insert(*id, Arc::clone(leaf));
                }
            }
            let gained = with_their_groups(inner, now, gained);
            let mut items = Collected::new(None);
            for leaf in gained.values() {
                items.add(leaf);
            }
            items.end_target(target);
            let route = inner.listeners.routes.to(vec![Arc::clone(&now.subscriber)]);
            inner.backlog.direct(&route, lost);
            inner.backlog.direct(&route, items.into_items());
        }
    }
}

/// Adds the members of the same groups that the subscriber has seen before: a view of a group is all that it sees.
fn with_their_groups(
    inner: &Inner,
    view: &View,
    gained: BTreeMap<u64, Arc<Leaf>>,
) -> BTreeMap<u64, Arc<Leaf>> {
    let groups = gained.values().filter_map(|leaf| leaf.group());
    let groups: BTreeMap<u64, Arc<Group>> = groups.map(|group| (group.id, group)).collect();
    let members = groups.values().flat_map(|group| &group.members);
    let seen =
        members.filter(|leaf| view.leaves.contains_key(&leaf.id) || is_plain(inner, view, leaf));
    let seen: Vec<_> = seen.map(|leaf| (leaf.id, Arc::clone(leaf))).collect();
    gained.into_iter().chain(seen).collect()
}

/// Whether the subscriber covers the leaf by a subscription without labels, so that labels change nothing for it.
fn is_plain(inner: &Inner, view: &View, leaf: &Leaf) -> bool {
    let registered = inner.subscribers.get(&view.subscriber.id);
    let tree = inner.trees.get(&leaf.target);
    registered.zip(tree).is_some_and(|(registered, tree)| {
        let mut patterns = registered.on_change.iter();
        patterns.any(|pattern| {
            !labels::in_pattern(pattern) && tree.is_covered(pattern, registered.depth, &leaf.path)
        })
    })
}

/// The entries whose labels get another value.
fn written(tree: Option<&Tree>, write: &Write<'_>) -> Vec<Path> {
    let updates = write.updates.iter().copied().flatten();
    let entries = updates.filter_map(|update| {
        let entry = labels::labelled_entry(&update.path)?;
        let known = tree.and_then(|tree| tree.find(&update.path));
        let is_same = known.is_some_and(|leaf| leaf.cell.lock().state.value == update.value);
        (!is_same).then_some(entry)
    });
    entries.collect()
}

/// The entries with a label below what may be removed. An atomic group goes as a whole.
fn removed(tree: &Tree, write: &Write<'_>) -> Vec<Path> {
    let mut roots: Vec<Path> = Vec::new();
    for pattern in write.deletes {
        roots.extend(tree.named(pattern).into_iter().map(|(root, _)| root));
    }
    roots.extend(write.atomic.cloned());
    let mut entries = Vec::new();
    for root in &roots {
        let groups = tree.groups_above(root);
        let top = groups.first().map_or(root, |group| &group.prefix);
        if let Some(node) = tree.node(top) {
            node.leaves(&mut |leaf| entries.extend(labels::labelled_entry(&leaf.path)));
        }
    }
    entries
}

/// By subscriber: the leaves below `entries` that its subscriptions with labels cover now.
fn covered(inner: &Inner, target: &Target, entries: &[Path]) -> BTreeMap<u64, View> {
    let mut views = BTreeMap::new();
    if entries.is_empty() {
        return views;
    }
    for labelled in &inner.listeners.labelled {
        let view = views.entry(labelled.subscriber.id).or_insert_with(|| View {
            subscriber: Arc::clone(&labelled.subscriber),
            leaves: BTreeMap::new(),
        });
        let tree = inner.trees.get(target);
        let Some(tree) = tree.filter(|_| labelled.selector.means(target)) else {
            continue;
        };
        for node in entries.iter().filter_map(|entry| tree.node(entry)) {
            node.leaves(&mut |leaf| {
                if tree.is_covered(&labelled.pattern, labelled.depth, &leaf.path) {
                    view.leaves.insert(leaf.id, Arc::clone(leaf));
                }
            });
        }
    }
    views
}
