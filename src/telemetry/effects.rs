//! What subscribers are told of a write.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashSet;

use crate::model::Target;
use crate::model::Timestamp;

use super::group::Group;
use super::group::GroupView;
use super::item::Deletion;
use super::item::Item;
use super::journal::Journal;
use super::journal::Removal;
use super::label_watch::LabelWatch;
use super::leaf::Leaf;
use super::subscriber::Shared;

/// Puts what a finished write means for subscribers into the backlog: deletes, then groups, then values
/// (gNMI spec 3.5.2.3).
pub(super) fn emit(mut journal: Journal<'_>, watch: LabelWatch) {
    for removal in std::mem::take(&mut journal.removed) {
        emit_removal(&mut journal, &removal);
    }
    let mut changed = journal.changed();
    let told: HashSet<u64> = changed.iter().map(|leaf| leaf.id).collect();
    watch.finish(&mut journal, &told);
    for (group, is_new) in std::mem::take(&mut journal.groups) {
        if is_new || group.members.iter().any(|leaf| told.contains(&leaf.id)) {
            emit_group(&mut journal, &group);
        }
        let members: HashSet<u64> = group.members.iter().map(|leaf| leaf.id).collect();
        changed.retain(|leaf| !members.contains(&leaf.id));
    }
    for leaf in &changed {
        let (generation, route) = journal.inner.route(leaf);
        journal
            .inner
            .backlog
            .change(generation, &route, leaf, leaf.state());
    }
    journal.drop_empty_tree();
}

/// One delete of the root for those who asked for all of it, one per leaf for the others.
fn emit_removal(journal: &mut Journal<'_>, removal: &Removal) {
    let (target, at) = (journal.target, journal.at);
    let ids: Arc<[u64]> = removal.leaves.iter().map(|(leaf, _)| leaf.id).collect();
    let covering = journal.inner.covering(target, &removal.root);
    let mut whole: BTreeMap<u64, Arc<Shared>> = BTreeMap::new();
    let mut partial: BTreeMap<u64, (Arc<Shared>, Vec<Item>)> = BTreeMap::new();
    for (leaf, route) in &removal.leaves {
        let mut item = None;
        for subscriber in &route.subscribers {
            if covering.contains(&subscriber.id) {
                whole
                    .entry(subscriber.id)
                    .or_insert_with(|| Arc::clone(subscriber));
                continue;
            }
            let item = item
                .get_or_insert_with(|| deletion(target, leaf, at))
                .clone();
            let (_, items) = partial
                .entry(subscriber.id)
                .or_insert_with(|| (Arc::clone(subscriber), Vec::new()));
            items.push(item);
        }
    }
    let root = Deletion::new(target.clone(), removal.root.clone(), at, ids);
    let backlog = &mut journal.inner.backlog;
    backlog.direct(
        whole.into_values().collect(),
        vec![Item::Delete(Arc::new(root))],
    );
    for (subscriber, items) in partial.into_values() {
        backlog.direct(vec![subscriber], items);
    }
}

/// The whole group for those who asked for all members, a view for each of the others.
fn emit_group(journal: &mut Journal<'_>, group: &Group) {
    let mut asked: BTreeMap<u64, (Arc<Shared>, Vec<Arc<Leaf>>)> = BTreeMap::new();
    for leaf in &group.members {
        let (_, route) = journal.inner.route(leaf);
        for subscriber in &route.subscribers {
            let (_, members) = asked
                .entry(subscriber.id)
                .or_insert_with(|| (Arc::clone(subscriber), Vec::new()));
            members.push(Arc::clone(leaf));
        }
    }
    let mut whole = Vec::new();
    for (subscriber, members) in asked.into_values() {
        if members.len() == group.members.len() {
            whole.push(subscriber);
        } else {
            let view = GroupView::new(group, journal.target, &members);
            journal
                .inner
                .backlog
                .direct(vec![subscriber], vec![Item::Group(view)]);
        }
    }
    let view = GroupView::new(group, journal.target, &group.members);
    journal.inner.backlog.direct(whole, vec![Item::Group(view)]);
}

/// One leaf is gone.
pub(super) fn deletion(target: &Target, leaf: &Leaf, at: Timestamp) -> Item {
    let removed = Arc::from([leaf.id]);
    Item::Delete(Arc::new(Deletion::new(
        target.clone(),
        leaf.path.clone(),
        at,
        removed,
    )))
}
