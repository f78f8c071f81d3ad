//! One place per distinct leaf, in the order in which the leaves first changed.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::item::Item;
use super::item::Key;
use super::item::TURN_BYTES;
use super::item::TURN_ITEMS;

/// A queue without repetition. What is put again keeps its place and counts a duplicate.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Holes are entries that a delete made void.
    order: VecDeque<Option<(Item, u32)>>,
    /// The sequence number of the first in `order`.
    base: usize,
    places: HashMap<Key, usize, foldhash::fast::RandomState>,
    bytes: usize,
}

impl Slots {
    /// Distinct entries.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Sum of the entries' sizes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts items in their order.
    pub(super) fn put_all(&mut self, items: &[(Item, u32)]) {
        for (item, duplicates) in items {
            match item {
                Item::Delete(_) => self.put_delete(item),
                Item::Group(_) => self.put_group(item, *duplicates),
                Item::Update(..) => self.put_update(item, *duplicates),
            }
        }
    }

    /// Takes what is in front: one turn.
    pub(super) fn take(&mut self) -> Vec<(Item, u32)> {
        let mut taken = Vec::with_capacity(TURN_ITEMS.min(self.len()));
        let mut bytes = 0;
        while taken.len() < TURN_ITEMS && bytes < TURN_BYTES {
            let Some(front) = self.order.pop_front() else {
                break;
            };
            self.base += 1;
            if let Some((item, duplicates)) = front {
                self.places.remove(&item.key());
                self.bytes -= item.size();
                bytes += item.size();
                taken.push((item, duplicates));
            }
        }
        if self.is_empty() {
            // A lagging subscriber may have had many; a current one shall not keep their room.
            *self = Self::default();
        }
        taken
    }

    fn put_update(&mut self, item: &Item, duplicates: u32) {
        let key = item.key();
        let place = self.places.get(&key).copied();
        match place.and_then(|place| self.order.get_mut(place - self.base)?.as_mut()) {
            Some((waiting, counted)) => {
                self.bytes = self.bytes - waiting.size() + item.size();
                *waiting = item.clone();
                *counted = counted.saturating_add(duplicates).saturating_add(1);
            }
            None => self.push(key, item, duplicates),
        }
    }

    /// What waits of the removed leaves is void. So is an earlier delete of the same, which cannot stand for this
    /// one: a group below may have been reported in between.
    fn put_delete(&mut self, item: &Item) {
        let Item::Delete(deletion) = item else { return };
        for &id in deletion.removed.iter() {
            self.remove(&Key::Leaf(id));
        }
        let (target, path) = (deletion.target.clone(), deletion.path.clone());
        self.remove(&Key::Group(target, path, None));
        let key = item.key();
        self.remove(&key);
        self.push(key, item, 0);
    }

    /// A group says all about its members, so it voids what waits of them, and goes to the end: what was
    /// deleted in between must not come after it.
    fn put_group(&mut self, item: &Item, duplicates: u32) {
        let Item::Group(view) = item else { return };
        let earlier = self.remove(&item.key());
        for (leaf, _) in &view.leaves {
            self.remove(&Key::Leaf(leaf.id));
        }
        let earlier = earlier.map_or(0, |counted| counted.saturating_add(1));
        self.push(item.key(), item, duplicates.saturating_add(earlier));
    }

    fn push(&mut self, key: Key, item: &Item, duplicates: u32) {
        self.places.insert(key, self.base + self.order.len());
        self.bytes += item.size();
        self.order.push_back(Some((item.clone(), duplicates)));
    }

    /// Makes an entry void. Returns its duplicates.
    fn remove(&mut self, key: &Key) -> Option<u32> {
        let place = self.places.remove(key)?;
        let (item, duplicates) = self.order.get_mut(place - self.base)?.take()?;
        self.bytes -= item.size();
        if self.order.len() > SPARSE && self.order.len() / 2 > self.places.len() {
            self.compact();
        }
        Some(duplicates)
    }

    /// Drops the holes.
    fn compact(&mut self) {
        self.order.retain(Option::is_some);
        self.base = 0;
        self.places = (0..)
            .zip(&self.order)
            .filter_map(|(place, entry)| Some((entry.as_ref()?.0.key(), place)))
            .collect();
    }
}

/// Below so many entries, holes are not worth a thought.
const SPARSE: usize = 64;
