//! One tenant's telemetry: its trees, who listens to them, and what is still to be handed out.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use hashbrown::HashSet;
use parking_lot::Mutex;

use crate::model::Path;
use crate::model::Pattern;
use crate::model::Subscription;
use crate::model::SubscriptionList;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::Timestamp;
use crate::model::Trigger;

use super::backlog::Backlog;
use super::config::Config;
use super::group::GroupView;
use super::item::Item;
use super::leaf::Leaf;
use super::matcher::Matcher;
use super::route::CachedRoute;
use super::route::Route;
use super::snapshot::Snapshot;
use super::subscriber::Shared;
use super::timers::Timer;
use super::timers::Timers;
use super::tree::Tree;

/// One tenant. Nothing in here refers to another, so no path or wildcard reaches across.
#[derive(Debug)]
pub(super) struct Tenant {
    /// Held for one write, one walk or one registration at a time; never while anything is sent.
    pub(super) inner: Mutex<Inner>,
    /// Held while changes are handed to queues, so that they get there in order.
    pub(super) fan_out: Mutex<()>,
}

/// What a tenant's lock guards.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) trees: BTreeMap<Target, Tree>,
    /// Leaves of all trees.
    pub(super) leaves: usize,
    next_id: u64,
    pub(super) backlog: Backlog,
    /// Subscriptions to changes. Samples are not in here: they walk the tree.
    matcher: Matcher<Entry>,
    /// Grows whenever routes may change; cached routes of an earlier generation are void.
    generation: u64,
    /// Routes of this generation by their subscribers' ids.
    routes: HashMap<Box<[u64]>, Arc<Route>>,
    next_route: u64,
    pub(super) subscribers: HashMap<u64, Registered>,
    /// Subscriptions to changes that ask for labels.
    pub(super) labelled: Vec<Labelled>,
    pub(super) timers: Timers,
}

/// One subscription to changes.
#[derive(Debug)]
struct Entry {
    subscriber: Arc<Shared>,
    depth: Option<u32>,
    /// Where the pattern asks for labels, which the matcher does not look at.
    labelled: Option<Arc<Pattern>>,
}

/// One subscription whose leaves come and go with labels.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub(super) subscriber: Arc<Shared>,
    pub(super) selector: TargetSelector,
    pub(super) depth: Option<u32>,
    pub(super) pattern: Arc<Pattern>,
}

/// A subscriber, and what must be undone when it leaves.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) shared: Arc<Shared>,
    pub(super) selector: TargetSelector,
    pub(super) depth: Option<u32>,
    /// All patterns of the matcher that are its own.
    pub(super) on_change: Vec<Arc<Pattern>>,
    /// The numbers of its timers.
    pub(super) timers: Vec<u64>,
}

impl Tenant {
    /// A tenant without data.
    pub(super) fn new() -> Self {
        Self {
            fan_out: Mutex::new(()),
            inner: Mutex::new(Inner {
                trees: BTreeMap::new(),
                leaves: 0,
                next_id: 0,
                backlog: Backlog::default(),
                matcher: Matcher::default(),
                generation: 0,
                routes: HashMap::new(),
                next_route: 0,
                subscribers: HashMap::new(),
                labelled: Vec::new(),
                timers: Timers::default(),
            }),
        }
    }

    /// Registers a subscriber and takes what exists, both in one step: nothing is lost or doubled in between
    /// (gNMI spec 3.5.1.5.2).
    pub(super) fn subscribe(
        &self,
        id: u64,
        list: &SubscriptionList,
        config: &Config,
        now: Timestamp,
    ) -> (Arc<Shared>, Snapshot) {
        let shared = Arc::new(Shared::new(id, config));
        let mut inner = self.inner.lock();
        let (mut on_change, mut timers) = (Vec::new(), Vec::new());
        for subscription in &list.subscriptions {
            let pattern = Arc::new(subscription.pattern.clone());
            if matches!(subscription.trigger, Trigger::OnChange { .. }) {
                inner.listen(&shared, &list.target, list.depth, &pattern);
                on_change.push(Arc::clone(&pattern));
            }
            let timer = Timer::for_trigger(id, &subscription.trigger, &pattern, now);
            timers.extend(timer.map(|timer| inner.timers.add(timer)));
        }
        let registered = Registered {
            shared: Arc::clone(&shared),
            selector: list.target.clone(),
            depth: list.depth,
            on_change,
            timers,
        };
        let mut items = Vec::new();
        if !list.updates_only {
            items = inner.items(&list.target, patterns(&list.subscriptions), list.depth);
            inner.timers.note_sent(&registered.timers, &items);
        }
        inner.subscribers.insert(id, registered);
        (shared, Snapshot::new(items))
    }

    /// Forgets a subscriber.
    pub(super) fn unsubscribe(&self, id: u64) {
        let mut inner = self.inner.lock();
        let Some(registered) = inner.subscribers.remove(&id) else {
            return;
        };
        for pattern in &registered.on_change {
            let is_it = |entry: &Entry| entry.subscriber.id == id;
            inner.matcher.remove(&registered.selector, pattern, is_it);
        }
        inner
            .labelled
            .retain(|labelled| labelled.subscriber.id != id);
        inner.timers.remove(&registered.timers);
        inner.void_routes();
    }
}

impl Inner {
    /// A number for a leaf or a group, unique in the tenant.
    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// What the patterns cover, each leaf once, members of an atomic group together.
    pub(super) fn items<'a>(
        &self,
        selector: &TargetSelector,
        patterns: impl Iterator<Item = &'a Pattern>,
        depth: Option<u32>,
    ) -> Vec<Item> {
        let patterns: Vec<_> = patterns.collect();
        let mut items = Vec::new();
        for (target, tree) in self.selected(selector) {
            let mut seen = HashSet::new();
            let mut members: BTreeMap<u64, Vec<Arc<Leaf>>> = BTreeMap::new();
            for &pattern in &patterns {
                tree.walk(pattern, depth, &mut |leaf| {
                    if patterns.len() > 1 && !seen.insert(leaf.id) {
                        return;
                    }
                    let cell = leaf.cell.lock();
                    match &cell.group {
                        Some(group) => members.entry(group.id).or_default().push(Arc::clone(leaf)),
                        None => items.push(Item::Update(Arc::clone(leaf), Arc::clone(&cell.state))),
                    }
                });
            }
            items.extend(members.into_values().filter_map(|leaves| {
                let group = leaves.first()?.cell.lock().group.clone()?;
                Some(Item::Group(GroupView::new(&group, target, &leaves)))
            }));
        }
        items
    }

    /// The trees that a selector means.
    pub(super) fn selected<'a>(
        &'a self,
        selector: &'a TargetSelector,
    ) -> impl Iterator<Item = (&'a Target, &'a Tree)> {
        self.trees.iter().filter(move |(target, _)| match selector {
            TargetSelector::All => !target.is_own(),
            TargetSelector::One(one) => one == *target,
        })
    }

    /// Who is told of changes of `leaf`. From the leaf's cache, or by a search.
    pub(super) fn route(&mut self, leaf: &Leaf) -> (u64, Arc<Route>) {
        let generation = self.generation;
        if let Some(cached) = &leaf.cell.lock().route
            && cached.generation == generation
        {
            return (generation, Arc::clone(&cached.route));
        }
        let route = self.search(&leaf.target, &leaf.path);
        leaf.cell.lock().route = Some(CachedRoute {
            generation,
            route: Arc::clone(&route),
        });
        (generation, route)
    }

    /// The subscribers that cover all of `path`: who sees it deleted as a whole.
    pub(super) fn covering(&self, target: &Target, path: &Path) -> HashSet<u64> {
        let mut covering = HashSet::new();
        self.matcher.visit(target, path, |entry, _| {
            if entry.depth.is_none() && entry.labelled.is_none() {
                covering.insert(entry.subscriber.id);
            }
        });
        covering
    }

    /// Makes every cached route void.
    pub(super) fn void_routes(&mut self) {
        self.generation += 1;
        self.routes.clear();
    }

    fn listen(
        &mut self,
        subscriber: &Arc<Shared>,
        selector: &TargetSelector,
        depth: Option<u32>,
        pattern: &Arc<Pattern>,
    ) {
        let labelled = super::labels::in_pattern(pattern).then(|| Arc::clone(pattern));
        if labelled.is_some() {
            self.labelled.push(Labelled {
                subscriber: Arc::clone(subscriber),
                selector: selector.clone(),
                depth,
                pattern: Arc::clone(pattern),
            });
        }
        let entry = Entry {
            subscriber: Arc::clone(subscriber),
            depth,
            labelled,
        };
        self.matcher.add(selector, pattern, entry);
        self.void_routes();
    }

    fn search(&mut self, target: &Target, path: &Path) -> Arc<Route> {
        let tree = self.trees.get(target);
        let mut subscribers: Vec<Arc<Shared>> = Vec::new();
        self.matcher.visit(target, path, |entry, below| {
            let is_near = entry.depth.is_none_or(|depth| below <= depth as usize);
            let has_labels = entry.labelled.as_ref().is_none_or(|pattern| {
                tree.is_some_and(|tree| tree.is_covered(pattern, entry.depth, path))
            });
            if is_near && has_labels {
                subscribers.push(Arc::clone(&entry.subscriber));
            }
        });
        subscribers.sort_unstable_by_key(|subscriber| subscriber.id);
        subscribers.dedup_by_key(|subscriber| subscriber.id);
        let ids: Box<[u64]> = subscribers.iter().map(|subscriber| subscriber.id).collect();
        let next = &mut self.next_route;
        let route = self.routes.entry(ids).or_insert_with(|| {
            *next += 1;
            Arc::new(Route {
                id: *next,
                subscribers,
            })
        });
        Arc::clone(route)
    }
}

/// The patterns of a list.
pub(super) fn patterns(subscriptions: &[Subscription]) -> impl Iterator<Item = &Pattern> {
    subscriptions
        .iter()
        .map(|subscription| &subscription.pattern)
}
