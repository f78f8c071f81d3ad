//! Changes that were written but not fanned out yet.
//!
//! A write costs one entry here however many subscribers there are; [`super::Core::pump`] hands the entries to
//! their queues. A leaf that changes again before that keeps its entry and counts a duplicate.

use std::sync::Arc;

use hashbrown::HashMap;

use super::item::Batch;
use super::item::Item;
use super::leaf::Leaf;
use super::route::Route;

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
        /// Places in `groups` by the routes' own.
        places: HashMap<usize, usize, foldhash::fast::RandomState>,
    },
    /// Deletes, atomic groups, and what a changed label brings or takes.
    Direct(RouteGroup),
}

/// Items that take one route.
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

    /// Adds the latest change of a leaf's value. The leaf's own mark is kept up to date.
    pub(super) fn change(&mut self, generation: u64, route: &Arc<Route>, leaf: &Arc<Leaf>) {
        let mut cell = leaf.cell.lock();
        // A member of an atomic group goes with it.
        if route.subscribers.is_empty() || cell.group.is_some() {
            return;
        }
        let state = Arc::clone(&cell.state);
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
            let place = *places.entry(route.place).or_insert_with(|| {
                groups.push(RouteGroup::new(route));
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
    pub(super) fn direct(&mut self, route: &Arc<Route>, items: Vec<Item>) {
        if route.subscribers.is_empty() || items.is_empty() {
            return;
        }
        self.entries += items.iter().map(Item::leaves).sum::<usize>();
        if !matches!(self.segments.last(), Some(Segment::Direct(group)) if Arc::ptr_eq(&group.route, route))
        {
            self.segments.push(Segment::Direct(RouteGroup::new(route)));
        }
        if let Some(Segment::Direct(group)) = self.segments.last_mut() {
            group.items.extend(items.into_iter().map(|item| (item, 0)));
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

    /// Hands the items to their subscribers, in one turn of the fan-out.
    pub(super) fn fan_out(self, turn: u64) {
        match self {
            Self::Changes { groups, .. } => {
                for group in groups {
                    group.fan_out(turn);
                }
            }
            Self::Direct(group) => group.fan_out(turn),
        }
    }
}

impl RouteGroup {
    fn new(route: &Arc<Route>) -> Self {
        Self {
            route: Arc::clone(route),
            items: Vec::new(),
        }
    }

    /// Batches are shared by all on the route.
    fn fan_out(self, turn: u64) {
        let batches = Batch::split(self.items);
        for subscriber in &self.route.subscribers {
            subscriber.offer(&batches, turn);
        }
    }
}
