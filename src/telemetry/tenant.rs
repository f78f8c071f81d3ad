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
use super::collected::Collected;
use super::config::Config;
use super::item::Item;
use super::leaf::Leaf;
use super::listeners::Listeners;
use super::route::Reach;
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
    /// Held while changes are handed to queues, so that they get there in order. The number of such turns.
    pub(super) fan_out: Mutex<u64>,
}

/// What a tenant's lock guards.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) trees: BTreeMap<Target, Tree>,
    /// Leaves of all trees.
    pub(super) leaves: usize,
    next_id: u64,
    pub(super) backlog: Backlog,
    pub(super) listeners: Listeners,
    pub(super) subscribers: HashMap<u64, Registered>,
    /// When to look for stalled subscribers, if there is any.
    pub(super) next_check: Option<Timestamp>,
    pub(super) timers: Timers,
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

/// A subscriber at the moment of joining.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) shared: Arc<Shared>,
    /// What existed.
    pub(super) initial: Snapshot,
    /// Whether something is due earlier than before.
    pub(super) is_due_earlier: bool,
}

impl Tenant {
    /// A tenant without data.
    pub(super) fn new() -> Self {
        Self {
            fan_out: Mutex::new(0),
            inner: Mutex::new(Inner {
                trees: BTreeMap::new(),
                leaves: 0,
                next_id: 0,
                backlog: Backlog::default(),
                listeners: Listeners::default(),
                subscribers: HashMap::new(),
                next_check: None,
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
    ) -> Joined {
        let shared = Arc::new(Shared::new(id, config));
        let mut inner = self.inner.lock();
        let due = inner.next_due();
        let (mut on_change, mut timers) = (Vec::new(), Vec::new());
        for subscription in &list.subscriptions {
            let pattern = Arc::new(subscription.pattern.clone());
            if matches!(subscription.trigger, Trigger::OnChange { .. }) {
                let listeners = &mut inner.listeners;
                listeners.add(&shared, &list.target, list.depth, &pattern);
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
            items = inner.items(
                &list.target,
                patterns(&list.subscriptions),
                list.depth,
                None,
            );
            inner.timers.note_sent(&registered.timers, &items);
        }
        inner.subscribers.insert(id, registered);
        inner
            .next_check
            .get_or_insert(now.saturating_add(config.check_interval()));
        let next = inner.next_due();
        Joined {
            shared,
            initial: Snapshot::new(items),
            is_due_earlier: next.is_some_and(|next| due.is_none_or(|due| next < due)),
        }
    }

    /// Forgets a subscriber.
    pub(super) fn unsubscribe(&self, id: u64) {
        let mut inner = self.inner.lock();
        let Some(registered) = inner.subscribers.remove(&id) else {
            return;
        };
        // Routes may name the subscriber for a while; nothing shall gather for it.
        registered.shared.queue.lock().close();
        let (selector, patterns) = (&registered.selector, &registered.on_change);
        inner.listeners.remove(id, selector, patterns);
        inner.timers.remove(&registered.timers);
    }
}

impl Inner {
    /// A number for a leaf or a group, unique in the tenant.
    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// What the patterns cover, each leaf once, members of an atomic group together. `scope` is the pattern of a
    /// sample.
    pub(super) fn items<'a>(
        &self,
        selector: &TargetSelector,
        patterns: impl Iterator<Item = &'a Pattern>,
        depth: Option<u32>,
        scope: Option<&Arc<Pattern>>,
    ) -> Vec<Item> {
        let patterns: Vec<_> = patterns.collect();
        let mut collected = Collected::new(scope);
        for (target, tree) in self.selected(selector) {
            let mut seen = HashSet::new();
            for &pattern in &patterns {
                tree.walk(pattern, depth, &mut |leaf| {
                    if patterns.len() == 1 || seen.insert(leaf.id) {
                        collected.add(leaf);
                    }
                });
            }
            collected.end_target(target);
        }
        collected.into_items()
    }

    /// The trees that a selector means.
    pub(super) fn selected<'a>(
        &'a self,
        selector: &'a TargetSelector,
    ) -> impl Iterator<Item = (&'a Target, &'a Tree)> {
        self.trees
            .iter()
            .filter(move |(target, _)| selector.means(target))
    }

    /// Who is told of changes of `leaf`. From the leaf's cache, or by a search.
    pub(super) fn route(&mut self, leaf: &Leaf) -> Arc<Route> {
        let cached = leaf.cell.lock().route;
        if let Some(route) = self.listeners.routes.cached(cached) {
            return route;
        }
        let route = self.search(Reach::Leaf, &leaf.target, &leaf.path);
        leaf.cell.lock().route = Some(self.listeners.routes.to_cache(&route));
        route
    }

    /// Who was told of the latest change of `leaf`. Not remembered: the write that asks may be undone.
    pub(super) fn last_route(&mut self, leaf: &Leaf) -> Arc<Route> {
        let cached = leaf.cell.lock().route;
        let known = self.listeners.routes.cached(cached);
        known.unwrap_or_else(|| self.search(Reach::Leaf, &leaf.target, &leaf.path))
    }

    /// The subscribers that cover all of `path`: who sees it deleted as a whole.
    pub(super) fn covering(&mut self, target: &Target, path: &Path) -> Arc<Route> {
        self.search(Reach::Whole, target, path)
    }

    /// When something is due: a sample, a heartbeat, or a look for stalled subscribers.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let due = self.timers.next_due().into_iter();
        due.chain(self.next_check).min()
    }

    fn search(&mut self, reach: Reach, target: &Target, path: &Path) -> Arc<Route> {
        let tree = self.trees.get(target);
        self.listeners.search(reach, tree, target, path)
    }
}

/// The patterns of a list.
pub(super) fn patterns(subscriptions: &[Subscription]) -> impl Iterator<Item = &Pattern> {
    subscriptions
        .iter()
        .map(|subscription| &subscription.pattern)
}
