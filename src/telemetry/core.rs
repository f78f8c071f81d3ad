//! The telemetry core: every tenant's trees and subscribers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Waker;

use dashmap::DashMap;
use parking_lot::Mutex;

use crate::model::Edit;
use crate::model::Nature;
use crate::model::Notification;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::SubscriptionList;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::model::Update;
use crate::wire::Encoding;

use super::config::Config;
use super::effects::emit;
use super::error::Error;
use super::journal::Journal;
use super::label_watch::LabelWatch;
use super::snapshot::Node;
use super::snapshot::Snapshot;
use super::subscriber::Subscriber;
use super::tenant::Tenant;

/// The latest values of all tenants, and who is told of their changes. Cheap to clone.
///
/// Synchronous and without I/O. Two calls give it time: [`Core::pump`] hands written changes to subscribers,
/// [`Core::tick`] makes samples and heartbeats due; wakers tell when either is wanted.
#[derive(Clone, Debug)]
pub struct Core(Arc<CoreInner>);

#[derive(Debug)]
struct CoreInner {
    config: Config,
    tenants: DashMap<TenantId, Arc<Tenant>>,
    /// Tenants with a backlog.
    dirty: Mutex<Vec<Arc<Tenant>>>,
    pump_waker: Mutex<Option<Waker>>,
    tick_waker: Mutex<Option<Waker>>,
    next_subscriber: AtomicU64,
}

impl Core {
    /// A core without data.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(CoreInner {
            config,
            tenants: DashMap::new(),
            dirty: Mutex::new(Vec::new()),
            pump_waker: Mutex::new(None),
            tick_waker: Mutex::new(None),
            next_subscriber: AtomicU64::new(1),
        }))
    }

    /// Writes what a source reports. Costs the same however many subscribers there are, and waits for none.
    ///
    /// A later write wins, whatever its timestamp: per leaf, the order of arrival counts.
    ///
    /// # Errors
    ///
    /// [`Error`] when the tenant is full or a path does not fit into the tree; then nothing was written.
    pub fn publish(&self, tenant: &TenantId, notification: &Notification) -> Result<(), Error> {
        let Notification {
            timestamp,
            target,
            nature,
            atomic,
            deletes,
            updates,
        } = notification;
        let write = Write {
            target,
            at: *timestamp,
            nature: *nature,
            atomic: atomic.as_ref(),
            deletes,
            updates: &[updates],
        };
        self.write(tenant, &write, |journal| {
            for pattern in deletes {
                journal.delete(pattern);
            }
            match atomic {
                Some(prefix) => journal.put_group(prefix, updates),
                None => updates.iter().try_for_each(|update| journal.put(update)),
            }
        })
    }

    /// Carries out the operations of a Set in their order: all, or none (gNMI spec 3.4.3).
    ///
    /// # Errors
    ///
    /// [`Error`] as for [`Core::publish`].
    pub fn set(
        &self,
        tenant: &TenantId,
        target: &Target,
        at: Timestamp,
        edits: &[Edit],
    ) -> Result<(), Error> {
        let (mut deletes, mut updates) = (Vec::new(), Vec::new());
        for edit in edits {
            match edit {
                Edit::Delete(pattern) => deletes.push(pattern.clone()),
                Edit::Replace(path, written) => {
                    deletes.push(Pattern::from(path));
                    updates.push(written.as_slice());
                }
                Edit::Update(written) => updates.push(written),
            }
        }
        let nature = Nature::Config;
        let write = Write {
            target,
            at,
            nature,
            atomic: None,
            deletes: &deletes,
            updates: &updates,
        };
        self.write(tenant, &write, |journal| {
            edits.iter().try_for_each(|edit| match edit {
                Edit::Delete(pattern) => {
                    journal.delete(pattern);
                    Ok(())
                }
                Edit::Replace(path, written) => journal.replace(path, written),
                Edit::Update(written) => written.iter().try_for_each(|update| journal.put(update)),
            })
        })
    }

    /// Removes a target with all its data: one delete of the root per origin (gNMI spec 2.2.2.1).
    pub fn remove_target(&self, tenant: &TenantId, target: &Target, at: Timestamp) {
        let root = Pattern::default();
        let write = Write {
            target,
            at,
            nature: Nature::State,
            atomic: None,
            deletes: std::slice::from_ref(&root),
            updates: &[],
        };
        let _removed = self.write(tenant, &write, |journal| {
            journal.delete(&root);
            Ok(())
        });
    }

    /// Whether the tenant has a target of that name. The gateway's own data is always there.
    pub fn has_target(&self, tenant: &TenantId, target: &Target) -> bool {
        target.is_own()
            || self
                .tenant(tenant)
                .is_some_and(|tenant| tenant.inner.lock().trees.contains_key(target))
    }

    /// Leaves of one tenant.
    pub fn leaves(&self, tenant: &TenantId) -> usize {
        self.tenant(tenant)
            .map_or(0, |tenant| tenant.inner.lock().leaves)
    }

    /// What the patterns cover at this moment, at most `depth` levels below what they name.
    pub fn snapshot(
        &self,
        tenant: &TenantId,
        selector: &TargetSelector,
        patterns: &[Pattern],
        depth: Option<u32>,
    ) -> Snapshot {
        let items = self.tenant(tenant).map_or_else(Vec::new, |tenant| {
            let inner = tenant.inner.lock();
            inner.items(selector, patterns.iter(), depth, None)
        });
        Snapshot::new(items)
    }

    /// The nodes that the pattern names, target by target, each with its leaves.
    pub fn nodes(
        &self,
        tenant: &TenantId,
        selector: &TargetSelector,
        pattern: &Pattern,
        depth: Option<u32>,
    ) -> Vec<Node> {
        let Some(tenant) = self.tenant(tenant) else {
            return Vec::new();
        };
        let inner = tenant.inner.lock();
        let named = inner
            .selected(selector)
            .flat_map(|(_, tree)| tree.named(pattern));
        named
            .filter_map(|(path, leaves)| Node::new(path, &leaves, depth))
            .collect()
    }

    /// Starts a STREAM. `now` is what its samples and heartbeats count from.
    pub fn subscribe(
        &self,
        tenant: &TenantId,
        list: &SubscriptionList,
        encoding: Encoding,
        now: Timestamp,
    ) -> Subscriber {
        let tenant = self.tenant_or_new(tenant);
        let id = self.0.next_subscriber.fetch_add(1, Ordering::Relaxed);
        let joined = tenant.subscribe(id, list, &self.0.config, now);
        if joined.is_due_earlier {
            wake(&self.0.tick_waker);
        }
        Subscriber::new(tenant, joined, encoding)
    }

    /// Names who is woken when there is something to pump.
    pub fn set_pump_waker(&self, waker: Waker) {
        *self.0.pump_waker.lock() = Some(waker);
    }

    /// Names who is woken when something is due earlier than the last [`Core::tick`] said.
    pub fn set_tick_waker(&self, waker: Waker) {
        *self.0.tick_waker.lock() = Some(waker);
    }

    /// Hands written changes to the queues of their subscribers. Returns whether there were any.
    pub fn pump(&self) -> bool {
        let dirty = std::mem::take(&mut *self.0.dirty.lock());
        for tenant in &dirty {
            tenant.fan_out();
        }
        !dirty.is_empty()
    }

    /// Queues the samples and heartbeats that are due, and ends subscribers that read nothing for too long.
    /// Returns when to call again at the latest; `None` while there is no subscriber.
    pub fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        let tenants: Vec<_> = self
            .0
            .tenants
            .iter()
            .map(|entry| Arc::clone(entry.value()))
            .collect();
        let due = tenants.iter().filter_map(|tenant| {
            tenant.check_stalls(now, &self.0.config);
            tenant.tick(now)
        });
        due.min()
    }

    fn write(
        &self,
        tenant: &TenantId,
        write: &Write<'_>,
        steps: impl FnOnce(&mut Journal<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let tenant = self.tenant_or_new(tenant);
        let (was_clean, backlog) = {
            let mut inner = tenant.inner.lock();
            let was_clean = inner.backlog.is_empty();
            let watch = LabelWatch::start(&inner, write);
            let mut journal = Journal::open(&mut inner, write, self.0.config.max_leaves);
            match steps(&mut journal) {
                Ok(()) => emit(journal, &watch),
                Err(error) => {
                    journal.roll_back();
                    return Err(error);
                }
            }
            (was_clean, inner.backlog.len())
        };
        if was_clean && backlog > 0 {
            self.0.dirty.lock().push(Arc::clone(&tenant));
            wake(&self.0.pump_waker);
        }
        if backlog > MAX_BACKLOG {
            // The source runs ahead of the pump: it does the pump's work, so that the backlog stays bounded.
            tenant.fan_out();
        }
        Ok(())
    }

    fn tenant(&self, tenant: &TenantId) -> Option<Arc<Tenant>> {
        self.0
            .tenants
            .get(tenant)
            .map(|entry| Arc::clone(entry.value()))
    }

    fn tenant_or_new(&self, tenant: &TenantId) -> Arc<Tenant> {
        self.tenant(tenant).unwrap_or_else(|| {
            let entry = self.0.tenants.entry(tenant.clone());
            Arc::clone(&entry.or_insert_with(|| Arc::new(Tenant::new())))
        })
    }
}

/// The frame of one write.
#[derive(Debug)]
pub(super) struct Write<'a> {
    pub(super) target: &'a Target,
    pub(super) at: Timestamp,
    pub(super) nature: Nature,
    /// What the updates are the whole state of.
    pub(super) atomic: Option<&'a Path>,
    /// All that it may delete besides.
    pub(super) deletes: &'a [Pattern],
    /// All that it may write.
    pub(super) updates: &'a [&'a [Update]],
}

fn wake(waker: &Mutex<Option<Waker>>) {
    let waker = waker.lock().clone();
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Changes that may wait for the pump: some milliseconds of its work, and tens of megabytes at most.
const MAX_BACKLOG: usize = 65_536;
