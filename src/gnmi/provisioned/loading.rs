//! Copying all that a tenant has: for the first time, or anew when too much has changed to be followed.

use std::collections::BTreeMap;
use std::collections::HashSet;

use crate::datastore::Place;
use crate::datastore::port::Change;
use crate::datastore::port::Id;
use crate::datastore::port::Record;
use crate::datastore::port::Unavailable;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::schema::Collection;
use crate::wire::RFC7951;

use super::leaves;
use super::mirror::Differences;
use super::mirror::Group;
use super::mirror::Mirror;
use super::mirror::MirrorError;

/// A page of a collection.
type Page = Vec<(Id, Record)>;

/// What is to become of entries, and as of when.
type Found = BTreeMap<Id, (Timestamp, Differences)>;

impl Mirror {
    /// Makes the tree have what the datastore has. Returns up to which change.
    pub(super) async fn load(&self, tenant: &TenantId) -> Result<u64, MirrorError> {
        loop {
            let known = self.datastore().newest_change(tenant).await?;
            let old = self.entries_in_tree(tenant);
            let newest = if old.is_empty() {
                self.copy(tenant, known).await?
            } else {
                self.replace(tenant, known, old).await?
            };
            // Otherwise too much has changed meanwhile.
            if let Some(newest) = newest {
                return Ok(newest);
            }
        }
    }

    /// Copies page by page into a tree that has none of it, and what has changed meanwhile. Who asks waits for it.
    async fn copy(&self, tenant: &TenantId, known: u64) -> Result<Option<u64>, MirrorError> {
        for collection in self.datastore().schema().collections() {
            let mut after = None;
            while let Some(page) = self.page(tenant, collection, &mut after).await? {
                let groups = page.into_iter().map(group).collect();
                self.write(tenant, groups).await?;
            }
        }
        let newest = self.datastore().newest_change(tenant).await?;
        if newest == known {
            return Ok(Some(known));
        }
        self.catch_up(tenant, (known, newest)).await
    }

    /// Puts what there is now in the place of what there was, all at once: a reader sees one or the other, and what was
    /// committed together never in part.
    async fn replace(
        &self,
        tenant: &TenantId,
        known: u64,
        mut gone: HashSet<Path>,
    ) -> Result<Option<u64>, MirrorError> {
        let mut found = Found::new();
        for collection in self.datastore().schema().collections() {
            let mut after = None;
            while let Some(page) = self.page(tenant, collection, &mut after).await? {
                let entries = page.into_iter().map(|(id, record)| {
                    gone.remove(&leaves::entry_path(
                        self.datastore().schema(),
                        collection,
                        &id.key,
                    ));
                    (id, record.mark.modified, Some(record))
                });
                self.find(tenant, entries.collect(), &mut found).await?;
            }
        }
        // The pages are of different moments; with what has changed since, all is of one.
        let changes = self.datastore().changes(tenant, known).await?;
        if !changes.is_whole {
            return Ok(None);
        }
        let entries = changes.entries.into_iter();
        let entries = entries.map(|Change { id, at, record }| {
            if let Some(collection) = self.datastore().schema().collection_named(&id.collection) {
                gone.remove(&leaves::entry_path(
                    self.datastore().schema(),
                    collection,
                    &id.key,
                ));
            }
            (id, at, record)
        });
        self.find(tenant, entries.collect(), &mut found).await?;
        let mut all = Differences {
            deletes: gone.iter().map(Pattern::from).collect(),
            ..Differences::default()
        };
        let mut at = self
            .datastore()
            .mark(tenant, &Place::Datastore)
            .await?
            .unwrap_or_default()
            .modified;
        for (time, differences) in found.into_values() {
            at = at.max(time);
            all.deletes.extend(differences.deletes);
            all.config.extend(differences.config);
            all.state.extend(differences.state);
        }
        self.publish(tenant, at, all)?;
        Ok(Some(changes.newest))
    }

    /// Finds what is to become of entries, instead of what was found of them before.
    async fn find(
        &self,
        tenant: &TenantId,
        entries: Vec<(Id, Timestamp, Option<Record>)>,
        found: &mut Found,
    ) -> Result<(), MirrorError> {
        let ids: Vec<Id> = entries.iter().map(|(id, ..)| id.clone()).collect();
        let groups = entries
            .into_iter()
            .map(|(id, at, record)| (at, vec![(id, record)]));
        let differences = self.differences(tenant, groups.collect()).await?;
        found.extend(ids.into_iter().zip(differences));
        Ok(())
    }

    /// The next page of a collection; `None` when there are no more.
    async fn page(
        &self,
        tenant: &TenantId,
        collection: &Collection,
        after: &mut Option<String>,
    ) -> Result<Option<Page>, Unavailable> {
        let datastore = self.datastore();
        let page = datastore.page(tenant, collection, after.as_deref()).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        *after = Some(last.key.clone());
        let name = datastore.schema().collection_name(collection);
        let id = |record: &Record| Id {
            collection: name.clone(),
            key: record.key.clone(),
        };
        Ok(Some(
            page.into_iter()
                .map(|record| (id(&record), record))
                .collect(),
        ))
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
        let nodes = self.core().nodes(tenant, &own, &pattern, Some(0));
        nodes.into_iter().map(|node| node.path).collect()
    }
}

fn group((id, record): (Id, Record)) -> Group {
    (record.mark.modified, vec![(id, Some(record))])
}
