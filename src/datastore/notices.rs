//! What happens to a tenant's data: notifications, the latest of which the store keeps for those who come late, on
//! whatever node and after whatever restart.
//!
//! Readers pull from one log per tenant and are woken when it grows, so a slow reader costs no memory: it misses what
//! the log has dropped meanwhile, and learns that it has.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::meter;
use crate::meter::Counter;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::port::Entries;
use super::port::Unavailable;

/// One notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Grows from notice to notice of a tenant, over restarts too.
    pub id: u64,
    /// When it happened.
    pub at: Timestamp,
    /// `module:notification`.
    pub kind: String,
    /// The group of what it is about.
    pub group: Option<String>,
    /// The notification's content.
    pub content: Value,
}

/// Keeps and tells notifications. Cheap to clone.
#[derive(Clone)]
pub struct Notices(Arc<Inner>);

struct Inner {
    store: Arc<dyn Entries>,
    clock: Clock,
    began: Timestamp,
    logs: Mutex<HashMap<TenantId, Log>>,
    dropped: Counter,
}

/// The latest notices of a tenant, as the store has them.
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
    /// What the store has kept.
    pub fn new(store: Arc<dyn Entries>, clock: Clock) -> Self {
        let dropped = meter::counter(
            "tollgate_notifications_forgotten_total",
            "Notifications that are no longer kept for readers who come late.",
        );
        Self(Arc::new(Inner {
            store,
            began: clock.now(),
            clock,
            logs: Mutex::new(HashMap::new()),
            dropped,
        }))
    }

    /// Since when a tenant's notices are kept: as long as the gateway runs, or since the oldest.
    pub fn began(&self, tenant: &TenantId) -> Timestamp {
        let logs = self.0.logs.lock();
        let oldest = logs.get(tenant).and_then(|log| log.kept.front());
        oldest.map_or(self.0.began, |oldest| oldest.at.min(self.0.began))
    }

    /// Tells of something that has happened now, on all nodes.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn tell(
        &self,
        tenant: &TenantId,
        kind: &'static str,
        about: (Option<String>, Value),
    ) -> Result<(), Unavailable> {
        let notice = self.of(kind, about);
        self.0.store.tell(tenant, &notice, Self::KEPT).await?;
        self.refresh(tenant).await
    }

    /// What is to be told of something that happens now.
    pub(super) fn of(
        &self,
        kind: &'static str,
        (group, content): (Option<String>, Value),
    ) -> Notice {
        let at = self.0.clock.now();
        Notice {
            // The time makes ids grow over restarts, the store makes them different.
            id: u64::try_from(at.nanos()).unwrap_or(0),
            at,
            kind: kind.to_owned(),
            group,
            content,
        }
    }

    /// Takes over what was told since, here and by other nodes.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn refresh(&self, tenant: &TenantId) -> Result<(), Unavailable> {
        let after = {
            let mut logs = self.0.logs.lock();
            *logs.entry(tenant.clone()).or_default().newest.borrow()
        };
        let told = self.0.store.told(tenant, after, Self::KEPT).await?;
        let mut logs = self.0.logs.lock();
        let log = logs.entry(tenant.clone()).or_default();
        // There may have been more.
        if let Some(first) = told.first().filter(|_| told.len() >= Self::KEPT as usize) {
            log.forgotten = log.forgotten.max(first.id - 1);
        }
        for notice in told {
            // Somebody else may have been faster.
            if notice.id > *log.newest.borrow() {
                self.0.push(log, notice);
            }
        }
        Ok(())
    }

    /// Follows what other nodes tell those who read here, until cancelled.
    pub async fn follow(&self, stop: CancellationToken) {
        let mut polls = tokio::time::interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = polls.tick() => {}
            }
            let read: Vec<TenantId> = {
                let logs = self.0.logs.lock();
                let read = logs
                    .iter()
                    .filter(|(_, log)| log.newest.receiver_count() > 0);
                read.map(|(tenant, _)| tenant.clone()).collect()
            };
            for tenant in read {
                if let Err(error) = self.refresh(&tenant).await {
                    tracing::warn!(%tenant, %error, "notifications of other nodes are late");
                }
            }
        }
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

    /// Notices that are kept of each tenant: a few hundred kilobytes.
    pub(super) const KEPT: u32 = 1_000;

    /// Notices that are read at once: what fits a few packets.
    pub const BATCH: usize = 64;
}

impl Inner {
    fn push(&self, log: &mut Log, notice: Notice) {
        if log.kept.len() >= Notices::KEPT as usize
            && let Some(oldest) = log.kept.pop_front()
        {
            log.forgotten = oldest.id;
            self.dropped.increment(1);
        }
        let id = notice.id;
        log.kept.push_back(Arc::new(notice));
        log.newest.send_replace(id);
    }
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

/// How late a reader may hear of what another node tells.
const POLL: Duration = Duration::from_secs(1);
