//! Who has changed lately: what wakes those who keep a copy.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::model::TenantId;

/// Tenants whose data this process has changed, each once, until somebody takes them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Feed(Arc<Inner>);

#[derive(Default)]
struct Inner {
    changed: Mutex<BTreeSet<TenantId>>,
    arrived: Notify,
}

impl Feed {
    /// A tenant's data has changed.
    pub(super) fn tell(&self, tenant: &TenantId) {
        self.0.changed.lock().insert(tenant.clone());
        self.0.arrived.notify_one();
    }

    /// Waits until there are some, and takes them. For one reader.
    pub async fn next(&self) -> BTreeSet<TenantId> {
        loop {
            let changed = std::mem::take(&mut *self.0.changed.lock());
            if !changed.is_empty() {
                return changed;
            }
            self.0.arrived.notified().await;
        }
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}
