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

use crate::datastore::Datastore;
use crate::datastore::Place;
use crate::datastore::port::Change;
use crate::datastore::port::Id;
use crate::datastore::port::Record;
use crate::datastore::port::Unavailable;
use crate::model::Class;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Nature;
use crate::model::Notification;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::model::Update;
use crate::schema::Defaults;
use crate::telemetry;
use crate::telemetry::Core;
use crate::wire::RFC7951;

use super::access::Need;
use super::leaves;

/// Keeps the copies of all tenants. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::gnmi) struct Mirror(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    datastore: Datastore,
    core: Core,
    /// Of each tenant that somebody has asked for: up to which change it is copied; `None` before it is.
    copied: DashMap<TenantId, Arc<Mutex<Option<u64>>>>,
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

/// Entries that are written at once, as of when, and what they are; without a record one is gone.
type Group = (Timestamp, Vec<(Id, Option<Record>)>);

/// What has become of some entries.
#[derive(Debug, Default)]
struct Differences {
    deletes: Vec<Pattern>,
    config: Vec<Update>,
    state: Vec<Update>,
}

impl Mirror {
    /// Copies nothing yet.
    pub(in crate::gnmi) fn new(datastore: Datastore, core: Core) -> Self {
        Self(Arc::new(Inner {
            datastore,
            core,
            copied: DashMap::new(),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
        }))
    }

    pub(in crate::gnmi) fn datastore(&self) -> &Datastore {
        &self.0.datastore
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

    async fn bring_up(
        &self,
        tenant: &TenantId,
        copied: &mut Option<u64>,
    ) -> Result<(), MirrorError> {
        if let Some(known) = *copied {
            *copied = self.catch_up(tenant, known).await?;
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
    async fn catch_up(&self, tenant: &TenantId, known: u64) -> Result<Option<u64>, MirrorError> {
        let newest = self.0.datastore.newest_change(tenant).await?;
        if newest == known {
            return Ok(Some(known));
        }
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

    /// Copies everything, and takes away what is no longer there.
    async fn load(&self, tenant: &TenantId) -> Result<u64, MirrorError> {
        let datastore = &self.0.datastore;
        let schema = datastore.schema();
        loop {
            let known = datastore.newest_change(tenant).await?;
            let mut gone = self.entries_in_tree(tenant);
            for collection in schema.collections() {
                let mut after: Option<String> = None;
                loop {
                    let page = datastore.page(tenant, collection, after.as_deref()).await?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.key.clone());
                    let groups = page.into_iter().map(|record| {
                        gone.remove(&leaves::entry_path(schema, collection, &record.key));
                        let id = Id {
                            collection: schema.collection_name(collection),
                            key: record.key.clone(),
                        };
                        (record.mark.modified, vec![(id, Some(record))])
                    });
                    let groups: Vec<Group> = groups.collect();
                    self.write(tenant, groups).await?;
                }
            }
            if !gone.is_empty() {
                let differences = Differences {
                    deletes: gone.iter().map(Pattern::from).collect(),
                    ..Differences::default()
                };
                let mark = datastore.mark(tenant, &Place::Datastore).await?;
                let at = mark.unwrap_or_default().modified;
                self.publish(tenant, at, differences)?;
            }
            // What has changed while it was read.
            if let Some(newest) = self.catch_up(tenant, known).await? {
                return Ok(newest);
            }
        }
    }

    fn entries_in_tree(&self, tenant: &TenantId) -> HashSet<Path> {
        let any = || {
            Glob::One(GlobElem {
                name: None,
                keys: Vec::new(),
                labels: Vec::new(),
            })
        };
        let pattern = Pattern {
            origin: Some(Origin::new(RFC7951)),
            elems: vec![any(), any()],
        };
        let own = TargetSelector::One(Target::own());
        let nodes = self.0.core.nodes(tenant, &own, &pattern, Some(0));
        nodes.into_iter().map(|node| node.path).collect()
    }

    /// Makes the tree have entries as they are now, each group at once.
    async fn write(&self, tenant: &TenantId, groups: Vec<Group>) -> Result<(), MirrorError> {
        let (mirror, owner) = (self.clone(), tenant.clone());
        let compared = tokio::task::spawn_blocking(move || {
            let compare = |(at, entries): Group| {
                let mut differences = Differences::default();
                for (id, record) in &entries {
                    mirror.compare(&owner, id, record.as_ref(), &mut differences);
                }
                (at, differences)
            };
            groups.into_iter().map(compare).collect::<Vec<_>>()
        });
        for (at, differences) in compared.await.map_err(|_| Unavailable)? {
            self.publish(tenant, at, differences)?;
        }
        Ok(())
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

    fn publish(
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

/// Requests that wait for a copy at once: as many as a hundred collectors with ten streams each.
const MOST_WAITING: usize = 1_000;
