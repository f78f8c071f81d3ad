//! Who is told of a leaf's changes.

use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::subscriber::Shared;

/// The subscribers of one or many leaves. Leaves with the same subscribers share one route.
#[derive(Debug)]
pub(super) struct Route {
    /// Unique among the routes of its generation.
    pub(super) place: usize,
    /// Each once, sorted by id.
    pub(super) subscribers: Subscribers,
}

/// Subscribers of a leaf. Most leaves have few.
pub(super) type Subscribers = SmallVec<[Arc<Shared>; 2]>;

/// The routes of one generation: between two changes of the matcher.
#[derive(Debug, Default)]
pub(super) struct Routes {
    generation: u64,
    known: Vec<Arc<Route>>,
    by_ids: HashMap<SmallVec<[u64; 4]>, usize, foldhash::fast::RandomState>,
    by_nodes: HashMap<(Reach, Nodes), usize, foldhash::fast::RandomState>,
}

/// What a leaf remembers of its route. Void as soon as the generation has passed.
///
/// Telemetry repeats its paths, so nearly every write finds its route here: some 15 ns instead of a search. A place,
/// not a reference: leaves that are never written again must not keep the subscribers of old generations.
#[derive(Clone, Copy, Debug)]
pub(super) struct CachedRoute {
    generation: u64,
    place: usize,
}

/// How much of a path a subscriber must have asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    /// The leaf there.
    Leaf,
    /// Everything there and below: who sees it deleted as a whole.
    Whole,
}

/// The places in the matcher that a search came to, each with the levels below it. Many leaves share them, so that
/// after a change of the matcher the subscribers of all are gathered once.
pub(super) type Nodes = SmallVec<[(usize, usize); 4]>;

impl Routes {
    /// The number of this generation.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Begins the next generation.
    pub(super) fn void(&mut self) {
        self.generation += 1;
        self.known.clear();
        self.by_ids.clear();
        self.by_nodes.clear();
    }

    /// The route that a leaf remembers, if it is of this generation.
    pub(super) fn cached(&self, cached: Option<CachedRoute>) -> Option<Arc<Route>> {
        let cached = cached.filter(|cached| cached.generation == self.generation)?;
        self.known.get(cached.place).cloned()
    }

    /// What a leaf shall remember.
    pub(super) fn to_cache(&self, route: &Route) -> CachedRoute {
        CachedRoute {
            generation: self.generation,
            place: route.place,
        }
    }

    /// The route that an earlier search along the same nodes found.
    pub(super) fn along(&self, way: &(Reach, Nodes)) -> Option<Arc<Route>> {
        self.known.get(*self.by_nodes.get(way)?).cloned()
    }

    /// Remembers what a search along these nodes has found.
    pub(super) fn note(&mut self, way: (Reach, Nodes), route: &Route) {
        self.by_nodes.insert(way, route.place);
    }

    /// The route to these subscribers, in any order.
    pub(super) fn to(&mut self, subscribers: impl Into<Subscribers>) -> Arc<Route> {
        let mut subscribers = subscribers.into();
        subscribers.sort_unstable_by_key(|subscriber| subscriber.id);
        subscribers.dedup_by_key(|subscriber| subscriber.id);
        let ids = subscribers.iter().map(|subscriber| subscriber.id);
        let next = self.known.len();
        let place = *self.by_ids.entry(ids.collect()).or_insert(next);
        if let Some(route) = self.known.get(place) {
            return Arc::clone(route);
        }
        let route = Arc::new(Route { place, subscribers });
        self.known.push(Arc::clone(&route));
        route
    }

    /// The route to those of `route` that are not in `others`.
    pub(super) fn without(&mut self, route: &Route, others: &Route) -> Arc<Route> {
        let rest = route.subscribers.iter();
        let rest = rest.filter(|subscriber| !others.contains(subscriber.id));
        let rest: Subscribers = rest.cloned().collect();
        self.to(rest)
    }
}

impl Route {
    /// Whether a subscriber is on the route.
    pub(super) fn contains(&self, id: u64) -> bool {
        let by_id = |subscriber: &Arc<Shared>| subscriber.id.cmp(&id);
        self.subscribers.binary_search_by(by_id).is_ok()
    }
}
