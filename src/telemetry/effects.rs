//! What subscribers are told of a write.
//!
//! The work grows with the leaves written and with the distinct sets of subscribers, not with their product.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
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
use super::route::Route;
use super::subscriber::Shared;

/// Puts what a finished write means for subscribers into the backlog: deletes, then groups, then values
/// (gNMI spec 3.5.2.3).
pub(super) fn emit(mut journal: Journal<'_>, watch: &LabelWatch) {
    let mut removed = std::mem::take(&mut journal.removed);
    let has_removed = !removed.is_empty();
    watch.complete(journal.inner, &mut removed);
    emit_removals(&mut journal, &removed);
    let changed = journal.changed(has_removed);
    let mut groups = std::mem::take(&mut journal.groups);
    if !groups.is_empty() || !watch.is_idle() {
        let mut told: HashSet<u64> = changed.iter().map(|leaf| leaf.id).collect();
        groups.retain(|(group, is_new)| {
            *is_new || group.members.iter().any(|leaf| told.contains(&leaf.id))
        });
        let members = groups.iter().flat_map(|(group, _)| &group.members);
        told.extend(members.map(|leaf| leaf.id));
        watch.finish(&mut journal, &told);
    }
    for (group, _) in groups {
        emit_group(&mut journal, &group);
    }
    for leaf in changed {
        let route = journal.inner.route(&leaf);
        let generation = journal.inner.listeners.routes.generation();
        journal.inner.backlog.change(generation, &route, &leaf);
    }
    journal.drop_empty_tree();
}

/// One delete of the root for those who asked for all of it, one per leaf for the others.
fn emit_removals(journal: &mut Journal<'_>, removed: &[Removal]) {
    let (target, at) = (journal.target, journal.at);
    let inner = &mut *journal.inner;
    let mut deletes: BTreeMap<usize, (Arc<Route>, Vec<Item>)> = BTreeMap::new();
    let mut add = |route: &Arc<Route>, item: Item| {
        let of_route = deletes.entry(route.place);
        let (_, items) = of_route.or_insert_with(|| (Arc::clone(route), Vec::new()));
        items.push(item);
    };
    let mut others: HashMap<(usize, usize), Arc<Route>> = HashMap::new();
    for Removal { root, leaves } in removed {
        let whole = inner.covering(target, root);
        if !whole.subscribers.is_empty() {
            let ids = leaves.iter().map(|(leaf, _)| leaf.id).collect();
            let root = Deletion::new(target.clone(), root.clone(), at, ids);
            add(&whole, Item::Delete(Arc::new(root)));
        }
        for (leaf, route) in leaves {
            let partial = others
                .entry((route.place, whole.place))
                .or_insert_with(|| inner.listeners.routes.without(route, &whole));
            if !partial.subscribers.is_empty() {
                add(partial, deletion(target, leaf, at));
            }
        }
    }
    for (route, items) in deletes.into_values() {
        inner.backlog.direct(&route, items);
    }
}

/// The whole group for those who asked for all members, a view for each distinct part that others asked for.
fn emit_group(journal: &mut Journal<'_>, group: &Group) {
    let (target, inner) = (journal.target, &mut *journal.inner);
    let mut by_route: BTreeMap<usize, (Arc<Route>, Vec<Arc<Leaf>>)> = BTreeMap::new();
    for leaf in &group.members {
        let route = inner.route(leaf);
        let of_route = by_route.entry(route.place);
        let (_, members) = of_route.or_insert_with(|| (route, Vec::new()));
        members.push(Arc::clone(leaf));
    }
    if by_route.len() == 1 {
        for (route, _) in by_route.values() {
            let view = GroupView::new(group, target, &group.members, None);
            inner.backlog.direct(route, vec![Item::Group(view)]);
        }
        return;
    }
    let mut asked: BTreeMap<u64, (&Arc<Shared>, Vec<usize>)> = BTreeMap::new();
    for (route, _) in by_route.values() {
        for subscriber in &route.subscribers {
            let (_, routes) = asked
                .entry(subscriber.id)
                .or_insert_with(|| (subscriber, Vec::new()));
            routes.push(route.place);
        }
    }
    let mut by_part: BTreeMap<Vec<usize>, Vec<Arc<Shared>>> = BTreeMap::new();
    for (subscriber, routes) in asked.into_values() {
        let subscribers = by_part.entry(routes).or_default();
        subscribers.push(Arc::clone(subscriber));
    }
    for (routes, subscribers) in by_part {
        let members = routes.iter().filter_map(|place| by_route.get(place));
        let members: Vec<_> = members.flat_map(|(_, leaves)| leaves).cloned().collect();
        let view = GroupView::new(group, target, &members, None);
        let route = inner.listeners.routes.to(subscribers);
        inner.backlog.direct(&route, vec![Item::Group(view)]);
    }
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
