//! Subscriptions to changes, and the search for those that a leaf concerns.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;

use super::labels;
use super::matcher::Matcher;
use super::route::Nodes;
use super::route::Reach;
use super::route::Route;
use super::route::Routes;
use super::route::Subscribers;
use super::subscriber::Shared;
use super::tree::Tree;

/// Who listens to what. Samples are not in here: they walk the tree.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    matcher: Matcher<Entry>,
    /// What searches have found since the last change of the matcher.
    pub(super) routes: Routes,
    /// Subscriptions that ask for labels.
    pub(super) labelled: Vec<Labelled>,
}

/// One subscription to changes.
#[derive(Clone, Debug)]
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

impl Listeners {
    /// Adds a subscription.
    pub(super) fn add(
        &mut self,
        subscriber: &Arc<Shared>,
        selector: &TargetSelector,
        depth: Option<u32>,
        pattern: &Arc<Pattern>,
    ) {
        let labelled = labels::in_pattern(pattern).then(|| Arc::clone(pattern));
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
        self.matcher.add(selector, pattern, &entry);
        self.routes.void();
    }

    /// Removes all subscriptions of one subscriber; `patterns` are theirs.
    pub(super) fn remove(&mut self, id: u64, selector: &TargetSelector, patterns: &[Arc<Pattern>]) {
        if patterns.is_empty() {
            return;
        }
        for pattern in patterns {
            let is_it = |entry: &Entry| entry.subscriber.id == id;
            self.matcher.remove(selector, pattern, is_it);
        }
        self.labelled
            .retain(|labelled| labelled.subscriber.id != id);
        self.routes.void();
    }

    /// Those who have asked for what is at `path`. `tree` is the target's.
    pub(super) fn search(
        &mut self,
        reach: Reach,
        tree: Option<&Tree>,
        target: &Target,
        path: &Path,
    ) -> Arc<Route> {
        let mut visited: SmallVec<[(&[Entry], usize); 4]> = SmallVec::new();
        self.matcher.visit(target, path, |entries, below| {
            visited.push((entries, below));
        });
        // The matcher does not move its entries before the next change, and that voids all routes.
        let all: usize = visited.iter().map(|(entries, _)| entries.len()).sum();
        let way = (all > FEW).then(|| {
            let nodes = visited
                .iter()
                .map(|(entries, below)| (entries.as_ptr().addr(), *below));
            (reach, nodes.collect::<Nodes>())
        });
        if let Some(route) = way.as_ref().and_then(|way| self.routes.along(way)) {
            return route;
        }
        let mut subscribers = Subscribers::new();
        let mut is_by_labels = false;
        for (entries, below) in visited {
            for entry in entries {
                is_by_labels |= entry.labelled.is_some();
                if entry.asks_for(reach, tree, path, below) {
                    subscribers.push(Arc::clone(&entry.subscriber));
                }
            }
        }
        let route = self.routes.to(subscribers);
        if let Some(way) = way.filter(|_| !is_by_labels) {
            self.routes.note(way, &route);
        }
        route
    }
}

/// So many subscribers are gathered in less time than a way to them is remembered.
const FEW: usize = 4;

impl Entry {
    fn asks_for(&self, reach: Reach, tree: Option<&Tree>, path: &Path, below: usize) -> bool {
        match reach {
            Reach::Leaf => {
                let is_near = self.depth.is_none_or(|depth| below <= depth as usize);
                let has_labels = |pattern: &Arc<Pattern>| {
                    tree.is_some_and(|tree| tree.is_covered(pattern, self.depth, path))
                };
                is_near && self.labelled.as_ref().is_none_or(has_labels)
            }
            Reach::Whole => self.depth.is_none() && self.labelled.is_none(),
        }
    }
}
