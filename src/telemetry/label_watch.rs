//! Entries that come into view, or leave it, when their labels change.

use std::sync::Arc;

use hashbrown::HashMap;
use hashbrown::HashSet;

use crate::model::Path;
use crate::model::Target;
use crate::model::TargetSelector;

use super::core::Write;
use super::effects::deletion;
use super::item::Item;
use super::journal::Journal;
use super::labels;
use super::leaf::Leaf;
use super::tenant::Inner;
use super::tenant::Labelled;

/// For each subscription with labels, the leaves below the labelled entries that it covered before a write.
#[derive(Debug)]
pub(super) struct LabelWatch {
    entries: Vec<Path>,
    before: Vec<HashMap<u64, Arc<Leaf>>>,
}

impl LabelWatch {
    /// Notes what is covered below the entries whose labels a write may change.
    pub(super) fn start(inner: &Inner, write: &Write<'_>) -> Self {
        let mut entries = Vec::new();
        if !inner.labelled.is_empty() {
            let updates = write.updates.iter().copied().flatten();
            entries.extend(updates.filter_map(|update| labels::labelled_entry(&update.path)));
            let tree = inner.trees.get(write.target);
            for (_, leaves) in tree
                .iter()
                .flat_map(|tree| write.deletes.iter().flat_map(|pattern| tree.named(pattern)))
            {
                entries.extend(
                    leaves
                        .iter()
                        .filter_map(|leaf| labels::labelled_entry(&leaf.path)),
                );
            }
            entries.sort();
            entries.dedup();
        }
        Self {
            before: covered(inner, write.target, &entries),
            entries,
        }
    }

    /// Tells each subscription what it has lost and gained.
    /// `told` are leaves of which all subscribers hear anyway.
    pub(super) fn finish(self, journal: &mut Journal<'_>, told: &HashSet<u64>) {
        if self.entries.is_empty() {
            return;
        }
        let (target, at) = (journal.target, journal.at);
        let inner = &mut *journal.inner;
        inner.void_routes();
        let after = covered(inner, target, &self.entries);
        let subscriptions = inner.labelled.clone();
        for ((subscription, before), after) in subscriptions.iter().zip(&self.before).zip(&after) {
            let tree = inner.trees.get(target);
            let is_alive = |leaf: &Leaf| {
                tree.and_then(|tree| tree.find(&leaf.path))
                    .is_some_and(|known| known.id == leaf.id)
            };
            let lost: Vec<Item> = before
                .iter()
                .filter(|(id, leaf)| !after.contains_key(*id) && is_alive(leaf))
                .map(|(_, leaf)| deletion(target, leaf, at))
                .collect();
            let gained: Vec<Item> = after
                .iter()
                .filter(|(id, _)| !before.contains_key(*id) && !told.contains(*id))
                .map(|(_, leaf)| Item::Update(Arc::clone(leaf), leaf.state()))
                .collect();
            let to = || vec![Arc::clone(&subscription.subscriber)];
            inner.backlog.direct(to(), lost);
            inner.backlog.direct(to(), gained);
        }
    }
}

/// Per subscription with labels: the leaves below `entries` that it covers now.
fn covered(inner: &Inner, target: &Target, entries: &[Path]) -> Vec<HashMap<u64, Arc<Leaf>>> {
    let covered_by = |subscription: &Labelled| {
        let mut covered = HashMap::new();
        let is_meant = match &subscription.selector {
            TargetSelector::All => !target.is_own(),
            TargetSelector::One(one) => one == target,
        };
        let Some(tree) = inner.trees.get(target).filter(|_| is_meant) else {
            return covered;
        };
        for node in entries.iter().filter_map(|entry| tree.node(entry)) {
            node.leaves(&mut |leaf| {
                if tree.is_covered(&subscription.pattern, subscription.depth, &leaf.path) {
                    covered.insert(leaf.id, Arc::clone(leaf));
                }
            });
        }
        covered
    };
    if entries.is_empty() {
        return Vec::new();
    }
    inner.labelled.iter().map(covered_by).collect()
}
