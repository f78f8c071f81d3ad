//! The copy of the datastore in the telemetry core.
//!
//! A tenant's entries are copied when somebody first asks for them, and followed from then on: by the numbers of the
//! changes, so that none is lost between the copying and the following, whichever node has made it. What a reader is
//! answered has at least the changes that were acknowledged before it asked.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::Mutex;
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::datastore::port::Change;
use crate::datastore::port::Id;
use crate::datastore::port::Record;
use crate::datastore::port::Unavailable;
use crate::model::Class;
use crate::model::Nature;
use crate::model::Notification;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::model::Update;
use crate::schema::Defaults;
use crate::telemetry;
use crate::telemetry::Core;

use super::access::Need;
use super::leaves;

/// Keeps the copies of all tenants. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::gnmi) struct Mirror(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    datastore: Datastore,
    core: Core,
    clock: Clock,
    /// Of each tenant that somebody has asked for.
    copied: DashMap<TenantId, Arc<Mutex<Copied>>>,
    /// For those who wait for a copy, also when they are gone.
    waiting: Arc<Semaphore>,
}

/// Why there is no copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(in crate::gnmi) enum MirrorError {
    /// The leaves of the tenant's entries do not fit.
    #[error(transparent)]
    Core(#[from] telemetry::Error),
    /// The store does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl MirrorError {
    /// Whose fault it is.
    pub(in crate::gnmi) fn class(&self) -> Class {
        match self {
            Self::Core(error) => error.class(),
            Self::Unavailable(_) => Class::Unavailable,
        }
    }
}

/// How far a tenant's copy is.
#[derive(Debug, Default)]
struct Copied {
    /// Up to which change; `None` before there is a copy.
    known: Option<u64>,
    /// Since when it does not fit.
    failing: Option<Failing>,
}

/// A copy that does not fit into the tree, and for that it would have to be read anew each time.
#[derive(Debug)]
struct Failing {
    error: telemetry::Error,
    /// The newest change then: after another one it may fit.
    newest: u64,
    /// When it was tried, and how long it is not tried again.
    at: Timestamp,
    wait: Duration,
}

/// Entries that are written at once, as of when, and what they are; without a record one is gone.
pub(super) type Group = (Timestamp, Vec<(Id, Option<Record>)>);

/// What has become of some entries.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) deletes: Vec<Pattern>,
    pub(super) config: Vec<Update>,
    pub(super) state: Vec<Update>,
}

impl Mirror {
    /// Copies nothing yet.
    pub(in crate::gnmi) fn new(datastore: Datastore, core: Core, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            datastore,
            core,
            clock,
            copied: DashMap::new(),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
        }))
    }

    pub(in crate::gnmi) fn datastore(&self) -> &Datastore {
        &self.0.datastore
    }

    pub(super) fn core(&self) -> &Core {
        &self.0.core
    }

    /// Brings the copy of a tenant up to all that was committed before, where that is needed. Goes on when the one who
    /// asked is gone: a long copy would never be made for clients that wait for a shorter time.
    ///
    /// # Errors
    ///
    /// [`MirrorError`] when it cannot, if the data was asked for by name. Who asks for data of all origins gets what
    /// there is: telemetry does not depend on the store.
    pub(in crate::gnmi) async fn refresh(
        &self,
        tenant: &TenantId,
        need: Need,
    ) -> Result<(), MirrorError> {
        if need == Need::Nothing {
            return Ok(());
        }
        match self.renew(tenant).await {
            Err(error) if need == Need::Among => {
                tracing::debug!(%tenant, %error, "data of all origins is told without configuration");
                Ok(())
            }
            outcome => outcome,
        }
    }

    async fn renew(&self, tenant: &TenantId) -> Result<(), MirrorError> {
        let waiting = Arc::clone(&self.0.waiting);
        let place = waiting.try_acquire_owned().map_err(|_| Unavailable)?;
        let copied = Arc::clone(&self.0.copied.entry(tenant.clone()).or_default());
        let (mirror, tenant) = (self.clone(), tenant.clone());
        let refreshed = tokio::spawn(async move {
            let _place = place;
            // Who comes second finds it done.
            let mut copied = copied.lock().await;
            mirror.bring_up(&tenant, &mut copied).await
        });
        refreshed.await.map_err(|_| Unavailable)?
    }

    /// The same for a tenant that somebody has asked for, unless it is being done.
    async fn refresh_known(&self, tenant: &TenantId) -> Result<(), MirrorError> {
        let copied = self.0.copied.get(tenant).map(|it| Arc::clone(it.value()));
        let Some(copied) = copied else { return Ok(()) };
        // One tenant's long copy holds up no other; what changes meanwhile is seen in the next turn.
        let Ok(mut copied) = copied.try_lock() else {
            return Ok(());
        };
        self.bring_up(tenant, &mut copied).await
    }

    async fn bring_up(&self, tenant: &TenantId, copied: &mut Copied) -> Result<(), MirrorError> {
        let newest = self.0.datastore.newest_change(tenant).await?;
        let failing = copied.failing.as_ref().filter(|it| it.newest == newest);
        let now = self.0.clock.now();
        // A clock that was put back makes nobody wait.
        let waits = |it: &&Failing| now >= it.at && now.since(it.at) < it.wait;
        if let Some(failing) = failing.filter(waits) {
            return Err(failing.error.clone().into());
        }
        let failed = failing.map(|it| it.wait);
        copied.failing = None;
        let outcome = self.bring_up_to(tenant, &mut copied.known, newest).await;
        if let Err(MirrorError::Core(error)) = &outcome {
            let wait = failed.map_or(SHORTEST_WAIT, |wait| (wait * 2).min(LONGEST_WAIT));
            copied.failing = Some(Failing {
                error: error.clone(),
                newest,
                at: self.0.clock.now(),
                wait,
            });
        }
        outcome
    }

    async fn bring_up_to(
        &self,
        tenant: &TenantId,
        copied: &mut Option<u64>,
        newest: u64,
    ) -> Result<(), MirrorError> {
        if let Some(known) = *copied {
            if newest == known {
                return Ok(());
            }
            *copied = self.catch_up(tenant, (known, newest)).await?;
        }
        if copied.is_none() {
            *copied = Some(self.load(tenant).await?);
        }
        Ok(())
    }

    /// Follows what changes, here and on other nodes, until cancelled.
    pub(in crate::gnmi) async fn follow(&self, stop: CancellationToken) {
        let mut polls = tokio::time::interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let feed = self.0.datastore.feed();
        let mut behind = HashSet::new();
        loop {
            let changed: Vec<TenantId> = tokio::select! {
                () = stop.cancelled() => return,
                changed = feed.next() => changed.into_iter().collect(),
                _ = polls.tick() => self.0.copied.iter().map(|it| it.key().clone()).collect(),
            };
            for tenant in changed {
                match self.refresh_known(&tenant).await {
                    Ok(()) => {
                        behind.remove(&tenant);
                    }
                    // Once, not twice a second for as long as the store is away.
                    Err(error) if behind.insert(tenant.clone()) => {
                        tracing::warn!(%tenant, %error, "configuration in the gNMI tree is not up to date");
                    }
                    Err(_) => {}
                }
            }
        }
    }

    /// Takes over what has changed since; `None` where too much has.
    pub(super) async fn catch_up(
        &self,
        tenant: &TenantId,
        (known, newest): (u64, u64),
    ) -> Result<Option<u64>, MirrorError> {
        // Numbers that go back are those of another tenant of the same name.
        if newest < known {
            return Ok(None);
        }
        let changes = self.0.datastore.changes(tenant, known).await?;
        if !changes.is_whole {
            return Ok(None);
        }
        let at = changes.entries.iter().map(|change| change.at).max();
        let entries = changes.entries.into_iter();
        let entries = entries.map(|Change { id, record, .. }| (id, record));
        // All at once: what was committed together is seen together.
        let group = (at.unwrap_or_default(), entries.collect());
        self.write(tenant, vec![group]).await?;
        Ok(Some(changes.newest))
    }

    /// Makes the tree have entries as they are now, each group at once.
    pub(super) async fn write(
        &self,
        tenant: &TenantId,
        groups: Vec<Group>,
    ) -> Result<(), MirrorError> {
        for (at, differences) in self.differences(tenant, groups).await? {
            self.publish(tenant, at, differences)?;
        }
        Ok(())
    }

    /// What must change in the tree for it to have entries as they are now, each group at once.
    pub(super) async fn differences(
        &self,
        tenant: &TenantId,
        groups: Vec<Group>,
    ) -> Result<Vec<(Timestamp, Differences)>, MirrorError> {
        let (mirror, owner) = (self.clone(), tenant.clone());
        let compared = tokio::task::spawn_blocking(move || {
            let compare = |(at, entries): Group| {
                let mut differences = Differences::default();
                for (id, record) in &entries {
                    mirror.compare(&owner, id, record.as_ref(), &mut differences);
                }
                (at, differences)
            };
            groups.into_iter().map(compare).collect()
        });
        Ok(compared.await.map_err(|_| Unavailable)?)
    }

    /// What must change in the tree for it to have an entry as it is now.
    fn compare(
        &self,
        tenant: &TenantId,
        id: &Id,
        record: Option<&Record>,
        differences: &mut Differences,
    ) {
        let schema = self.0.datastore.schema();
        let Some(collection) = schema.collection_named(&id.collection) else {
            return;
        };
        let path = leaves::entry_path(schema, collection, &id.key);
        let own = TargetSelector::One(Target::own());
        let old = self.0.core.nodes(tenant, &own, &Pattern::from(&path), None);
        let old = old.into_iter().flat_map(|node| node.readings);
        let mut old: HashMap<_, _> = old.map(|reading| (reading.path, reading.value)).collect();
        let Some(record) = record else {
            if !old.is_empty() {
                differences.deletes.push(Pattern::from(&path));
            }
            return;
        };
        let entry = record.value(schema, collection, Defaults::ReportAll);
        // What other modules have stored is shown as it is.
        let entry = entry.or_else(|_| record.value(schema, collection, Defaults::Explicit));
        let entry = entry.unwrap_or_default();
        for (nature, update) in leaves::of(schema, collection, &id.key, &entry) {
            if old.remove(&update.path).as_ref() == Some(&update.value) {
                continue;
            }
            match nature {
                Nature::Config => differences.config.push(update),
                Nature::State => differences.state.push(update),
            }
        }
        let gone = old.keys().map(Pattern::from);
        differences.deletes.extend(gone);
    }

    pub(super) fn publish(
        &self,
        tenant: &TenantId,
        at: Timestamp,
        found: Differences,
    ) -> Result<(), telemetry::Error> {
        let Differences {
            deletes,
            config,
            state,
        } = found;
        for (nature, deletes, updates) in [
            (Nature::Config, deletes, config),
            (Nature::State, Vec::new(), state),
        ] {
            if deletes.is_empty() && updates.is_empty() {
                continue;
            }
            let notification = Notification {
                timestamp: at,
                target: Target::own(),
                nature,
                atomic: None,
                deletes,
                updates,
            };
            self.0.core.publish(tenant, &notification)?;
        }
        Ok(())
    }
}

/// How late the changes of another node are at most: it costs each tenant one look at an index.
const POLL: Duration = Duration::from_millis(500);

/// How long a copy that does not fit is not made again, unless something changes: the first time, and at most. Longer
/// would keep those waiting who have been given room.
pub(super) const SHORTEST_WAIT: Duration = POLL;
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Requests that wait for a copy at once: as many as a hundred collectors with ten streams each.
const MOST_WAITING: usize = 1_000;
