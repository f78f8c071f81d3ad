//! Changes that were written but not fanned out yet.
//!
//! A write costs one entry here however many subscribers there are; [`super::Core::pump`] hands the entries to
//! their queues. A leaf that changes again before that keeps its entry and counts a duplicate.

use std::sync::Arc;

use hashbrown::HashMap;

use super::item::Batch;
use super::item::Item;
use super::leaf::Leaf;
use super::leaf::State;
use super::route::Route;
use super::subscriber::Shared;

/// Changes of one tenant, in segments that must be fanned out one after the other.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    segments: Vec<Segment>,
    /// The number of the first in `segments`.
    first: u64,
    entries: usize,
}

/// Changes among which only the order per leaf counts.
#[derive(Debug)]
pub(super) enum Segment {
    /// Changes of values, joined by route.
    Changes {
        /// All routes are of this generation, so a leaf has one route in here.
        generation: u64,
        /// What goes where.
        groups: Vec<RouteGroup>,
        /// Places in `groups` by route id.
        places: HashMap<u64, usize, foldhash::fast::RandomState>,
    },
    /// Items for certain subscribers: deletes, atomic groups, and what a changed label brings or takes.
    Direct(Vec<Arc<Shared>>, Vec<(Item, u32)>),
}

/// The changes that take one route.
#[derive(Debug)]
pub(super) struct RouteGroup {
    route: Arc<Route>,
    items: Vec<(Item, u32)>,
}

/// Where a leaf's change stands in the backlog.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    segment: u64,
    group: usize,
    item: usize,
}

impl Backlog {
    /// Entries that wait: what a writer looks at before it writes more.
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Adds a change of a leaf's value. The leaf's own mark is kept up to date.
    pub(super) fn change(
        &mut self,
        generation: u64,
        route: &Arc<Route>,
        leaf: &Arc<Leaf>,
        state: Arc<State>,
    ) {
        if route.subscribers.is_empty() {
            return;
        }
        let mut cell = leaf.cell.lock();
        let last = self.first + self.segments.len() as u64;
        if let Some(mark) = cell.mark
            && mark.segment + 1 == last
            && let Some(Segment::Changes {
                generation: of,
                groups,
                ..
            }) = self.segments.last_mut()
            && *of == generation
            && let Some(group) = groups.get_mut(mark.group)
            && let Some((waiting, duplicates)) = group.items.get_mut(mark.item)
        {
            *waiting = Item::Update(Arc::clone(leaf), state);
            *duplicates = duplicates.saturating_add(1);
            return;
        }
        let segment = match self.segments.last() {
            Some(Segment::Changes { generation: of, .. }) if *of == generation => last - 1,
            _ => {
                self.segments.push(Segment::changes(generation));
                last
            }
        };
        if let Some(Segment::Changes { groups, places, .. }) = self.segments.last_mut() {
            let place = *places.entry(route.id).or_insert_with(|| {
                groups.push(RouteGroup {
                    route: Arc::clone(route),
                    items: Vec::new(),
                });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.items.push((Item::Update(Arc::clone(leaf), state), 0));
                cell.mark = Some(Mark {
                    segment,
                    group: place,
                    item: group.items.len() - 1,
                });
                self.entries += 1;
            }
        }
    }

    /// Adds items for certain subscribers, after all that came before and before all that comes later.
    pub(super) fn direct(&mut self, to: Vec<Arc<Shared>>, items: Vec<Item>) {
        if !to.is_empty() && !items.is_empty() {
            self.entries += items.len();
            let items = items.into_iter().map(|item| (item, 0)).collect();
            self.segments.push(Segment::Direct(to, items));
        }
    }

    /// Takes everything.
    pub(super) fn take(&mut self) -> Vec<Segment> {
        self.first += self.segments.len() as u64;
        self.entries = 0;
        std::mem::take(&mut self.segments)
    }
}

impl Segment {
    fn changes(generation: u64) -> Self {
        Self::Changes {
            generation,
            groups: Vec::new(),
            places: HashMap::default(),
        }
    }

    /// Hands the items to their subscribers: one batch for all who take the same route.
    pub(super) fn fan_out(self) {
        match self {
            Self::Changes { groups, .. } => {
                for group in groups {
                    hand_over(&group.route.subscribers, group.items);
                }
            }
            Self::Direct(to, items) => hand_over(&to, items),
        }
    }
}

fn hand_over(subscribers: &[Arc<Shared>], items: Vec<(Item, u32)>) {
    let batches = Batch::split(items);
    for subscriber in subscribers {
        subscriber.offer(&batches);
    }
}
