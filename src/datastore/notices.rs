//! What happens to a tenant's data: notifications, the latest of which are kept for those who come late.
//!
//! Readers pull from one log per tenant and are woken when it grows, so a slow reader costs no memory: it misses what
//! the log has dropped meanwhile, and learns that it has.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::meter;
use crate::meter::Counter;
use crate::model::TenantId;
use crate::model::Timestamp;

/// One notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Grows from notice to notice of a tenant, over restarts too.
    pub id: u64,
    /// When it happened.
    pub at: Timestamp,
    /// `module:notification`.
    pub kind: &'static str,
    /// The group of what it is about.
    pub group: Option<String>,
    /// The notification's content.
    pub content: Value,
}

/// Keeps and tells notifications. Cheap to clone.
#[derive(Clone)]
pub struct Notices(Arc<Inner>);

struct Inner {
    clock: Clock,
    began: Timestamp,
    logs: Mutex<HashMap<TenantId, Log>>,
    dropped: Counter,
}

struct Log {
    kept: VecDeque<Arc<Notice>>,
    newest: watch::Sender<u64>,
    /// The last that is no longer kept.
    forgotten: u64,
}

/// What a reader has got from the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Notices in their order.
    pub notices: Vec<Arc<Notice>>,
    /// Some were dropped before the first of these.
    pub has_gap: bool,
}

impl Notices {
    /// An empty log for every tenant.
    pub fn new(clock: Clock) -> Self {
        let dropped = meter::counter(
            "tollgate_notifications_forgotten_total",
            "Notifications that are no longer kept for readers who come late.",
        );
        Self(Arc::new(Inner {
            began: clock.now(),
            clock,
            logs: Mutex::new(HashMap::new()),
            dropped,
        }))
    }

    /// Since when notices are kept.
    pub fn began(&self) -> Timestamp {
        self.0.began
    }

    /// Tells of something that has happened now.
    pub fn tell(
        &self,
        tenant: &TenantId,
        kind: &'static str,
        (group, content): (Option<String>, Value),
    ) {
        let at = self.0.clock.now();
        let mut logs = self.0.logs.lock();
        let log = logs.entry(tenant.clone()).or_default();
        // The time makes ids grow over restarts, counting makes them different.
        let time = u64::try_from(at.nanos()).unwrap_or(0);
        let newest = *log.newest.borrow();
        let id = time.max(newest.saturating_add(1));
        if log.kept.len() >= KEPT
            && let Some(oldest) = log.kept.pop_front()
        {
            log.forgotten = oldest.id;
            self.0.dropped.increment(1);
        }
        log.kept.push_back(Arc::new(Notice {
            id,
            at,
            kind,
            group,
            content,
        }));
        log.newest.send_replace(id);
    }

    /// The newest notice's id, 0 if there is none; and what wakes when there is a newer one.
    pub fn watch(&self, tenant: &TenantId) -> watch::Receiver<u64> {
        let mut logs = self.0.logs.lock();
        logs.entry(tenant.clone()).or_default().newest.subscribe()
    }

    /// Notices after the one with the id `after`, at most [`Notices::BATCH`] of them.
    pub fn after(&self, tenant: &TenantId, after: u64) -> Batch {
        let logs = self.0.logs.lock();
        let Some(log) = logs.get(tenant) else {
            return Batch {
                notices: Vec::new(),
                has_gap: false,
            };
        };
        let newer = log.kept.iter().filter(|notice| notice.id > after);
        Batch {
            notices: newer.take(Self::BATCH).cloned().collect(),
            has_gap: after < log.forgotten,
        }
    }

    /// The id after which the notices at and after `start` come.
    pub fn before(&self, tenant: &TenantId, start: Timestamp) -> u64 {
        let logs = self.0.logs.lock();
        let first = logs.get(tenant).and_then(|log| {
            let mut kept = log.kept.iter();
            kept.find(|notice| notice.at >= start)
                .map(|notice| notice.id - 1)
        });
        first.unwrap_or_else(|| logs.get(tenant).map_or(0, |log| *log.newest.borrow()))
    }

    /// Notices that are read at once: what fits a few packets.
    pub const BATCH: usize = 64;
}

impl Default for Log {
    fn default() -> Self {
        Self {
            kept: VecDeque::new(),
            newest: watch::Sender::new(0),
            forgotten: 0,
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

/// Notices that are kept of each tenant: a few hundred kilobytes.
const KEPT: usize = 1_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn log_is_bounded_and_says_what_it_has_lost() {
        let clock = Clock::fixed(Timestamp::from_secs(1));
        let notices = Notices::new(clock.clone());
        let tenant = TenantId::new("pca");
        let mut newest = notices.watch(&tenant);
        for number in 0..=KEPT {
            notices.tell(&tenant, "m:n", (None, json!(number)));
        }
        assert!(newest.has_changed().unwrap());
        let last = *newest.borrow_and_update();
        let first = notices.after(&tenant, 0);
        assert!(first.has_gap);
        assert_eq!(
            (first.notices.len(), &first.notices[0].content),
            (Notices::BATCH, &json!(1))
        );
        let rest = notices.after(&tenant, last - 1);
        assert_eq!((rest.notices.len(), rest.has_gap), (1, false));
        assert!(notices.after(&TenantId::new("other"), 0).notices.is_empty());
    }

    #[test]
    fn replay_begins_at_its_time() {
        let clock = Clock::fixed(Timestamp::from_secs(1));
        let notices = Notices::new(clock.clone());
        let tenant = TenantId::new("pca");
        for secs in [10, 20, 30] {
            clock.set(Timestamp::from_secs(secs));
            notices.tell(&tenant, "m:n", (None, json!(secs)));
        }
        for (start, expected) in [(0, 3), (10, 3), (11, 2), (30, 1), (31, 0)] {
            let after = notices.before(&tenant, Timestamp::from_secs(start));
            assert_eq!(
                notices.after(&tenant, after).notices.len(),
                expected,
                "{start}"
            );
        }
    }
}
