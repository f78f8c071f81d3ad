//! Leaves on their way to one reader: members of an atomic group together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Pattern;
use crate::model::Target;

use super::group::Group;
use super::group::GroupView;
use super::item::Item;
use super::leaf::Leaf;

/// Joins leaves to items: the values of a moment.
#[derive(Debug)]
pub(super) struct Collected<'a> {
    items: Vec<Item>,
    scope: Option<&'a Arc<Pattern>>,
    members: BTreeMap<u64, (Arc<Group>, Vec<Arc<Leaf>>)>,
}

impl<'a> Collected<'a> {
    /// Nothing yet. `scope` is the pattern of a sample.
    pub(super) fn new(scope: Option<&'a Arc<Pattern>>) -> Self {
        Self {
            items: Vec::new(),
            scope,
            members: BTreeMap::new(),
        }
    }

    /// Takes a leaf with its current value.
    pub(super) fn add(&mut self, leaf: &Arc<Leaf>) {
        let cell = leaf.cell.lock();
        match &cell.group {
            Some(group) => {
                let of_group = self.members.entry(group.id);
                let (_, members) = of_group.or_insert_with(|| (Arc::clone(group), Vec::new()));
                members.push(Arc::clone(leaf));
            }
            None => self
                .items
                .push(Item::Update(Arc::clone(leaf), Arc::clone(&cell.state))),
        }
    }

    /// All leaves of a target were taken.
    pub(super) fn end_target(&mut self, target: &Target) {
        for (group, members) in std::mem::take(&mut self.members).into_values() {
            let view = GroupView::new(&group, target, &members, self.scope);
            self.items.push(Item::Group(view));
        }
    }

    /// What was taken.
    pub(super) fn into_items(self) -> Vec<Item> {
        self.items
    }
}
