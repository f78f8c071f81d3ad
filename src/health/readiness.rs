//! Which components are ready to serve.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

/// The components that must be ready before traffic should come. Cheap to clone; clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<RwLock<BTreeMap<&'static str, bool>>>);

/// One component's say. Dropping it takes nothing back.
#[derive(Clone, Debug)]
pub struct Component {
    readiness: Readiness,
    name: &'static str,
}

impl Readiness {
    /// Nothing to wait for yet: ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component, not ready until it says so. The same name again is the same component, not ready anew.
    pub fn component(&self, name: &'static str) -> Component {
        self.0.write().insert(name, false);
        Component {
            readiness: self.clone(),
            name,
        }
    }

    /// Whether every component is ready.
    pub fn is_ready(&self) -> bool {
        self.0.read().values().all(|ready| *ready)
    }

    /// The components that are not ready, by name.
    pub fn waiting(&self) -> Vec<&'static str> {
        self.0
            .read()
            .iter()
            .filter(|(_, ready)| !**ready)
            .map(|(name, _)| *name)
            .collect()
    }
}

impl Component {
    /// From now on the component serves.
    pub fn set_ready(&self) {
        self.set(true);
    }

    /// From now on it does not: it lost what it needs, or a drain has begun.
    pub fn set_not_ready(&self) {
        self.set(false);
    }

    fn set(&self, ready: bool) {
        self.readiness.0.write().insert(self.name, ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_waits_for_every_component() {
        let readiness = Readiness::new();
        assert!(readiness.is_ready());
        let store = readiness.component("store");
        let listener = readiness.component("listener");
        assert_eq!(readiness.waiting(), ["listener", "store"]);
        store.set_ready();
        listener.set_ready();
        assert!(readiness.is_ready());
        listener.set_not_ready();
        assert_eq!(readiness.waiting(), ["listener"]);
    }
}
