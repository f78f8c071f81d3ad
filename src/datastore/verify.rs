//! Whether what is stored is what the loaded modules allow: they may be others than those it was written under.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;

use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Fault;
use crate::schema::Schema;
use crate::schema::Tag;

use super::Datastore;
use super::error::internal;
use super::port::Content;
use super::port::Id;
use super::port::Record;
use super::port::Unavailable;
use super::working::content;

/// What is wrong with a tenant's stored entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many entries were looked at.
    pub entries: usize,
    /// How many of them are refused.
    pub invalid: usize,
    /// The first of those, at most [`Verified::NAMED`].
    pub faults: Vec<Refused>,
}

/// An entry that is stored and would be refused today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which: the list's path and the entry's key, as in a URL.
    pub entry: String,
    /// Why. Its message may hold values.
    pub fault: Fault,
}

/// One entry with what validating it alone has shown.
type Checked = (Record, Result<Content, Fault>);

impl Verified {
    /// Entries of a tenant that are named; the others are only counted, lest a wrong module fill the log.
    pub const NAMED: usize = 100;

    fn refuse(&mut self, entry: String, fault: Fault) {
        self.invalid += 1;
        if self.faults.len() < Self::NAMED {
            self.faults.push(Refused { entry, fault });
        }
    }
}

impl Datastore {
    /// Validates all that a tenant has stored, with references and unique values, page by page. Changes nothing.
    /// What is edited meanwhile is passed over: its edit has validated it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn verify(&self, tenant: &TenantId) -> Result<Verified, Unavailable> {
        let newest = self.entries.mark(tenant, None).await?.revision;
        let mut verified = Verified::default();
        for index in 0..self.schema().collections().len() {
            let Some(collection) = self.schema().collections().get(index) else {
                continue;
            };
            let mut seen = Seen::default();
            let mut after: Option<String> = None;
            loop {
                let page = self.page(tenant, collection, after.as_deref()).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                let old = page.into_iter();
                let old: Vec<_> = old.filter(|it| it.mark.revision <= newest).collect();
                let checked = self.check(index, old).await?;
                let there = self.referred_to(tenant, &checked).await?;
                for (record, content) in checked {
                    verified.entries += 1;
                    let fault = match content {
                        Ok(content) => {
                            let mut fault = seen.twice(&content);
                            if fault.is_none() {
                                let entry = (collection, &record, &content);
                                fault = self.dangling(tenant, entry, &there).await?;
                            }
                            fault
                        }
                        Err(fault) => Some(fault),
                    };
                    if let Some(fault) = fault {
                        let path = self.schema().path(collection.list);
                        verified.refuse(format!("{path}={}", record.key), fault);
                    }
                }
            }
        }
        Ok(verified)
    }

    async fn check(
        &self,
        collection: usize,
        records: Vec<Record>,
    ) -> Result<Vec<Checked>, Unavailable> {
        let schema = Arc::clone(self.schema());
        let work = move || {
            let alone = |record: Record| {
                let collection = schema.collections().get(collection);
                let content =
                    collection.map_or_else(|| Err(internal()), |it| read(&schema, it, &record));
                (record, content)
            };
            records.into_iter().map(alone).collect()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Unavailable)
    }

    /// What is there of all that some entries refer to, read at once.
    async fn referred_to(
        &self,
        tenant: &TenantId,
        checked: &[Checked],
    ) -> Result<HashSet<Id>, Unavailable> {
        let contents = checked
            .iter()
            .filter_map(|(_, content)| content.as_ref().ok());
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for reference in contents.flat_map(|content| &content.references) {
            let Id { collection, key } = &reference.to;
            wanted.entry(collection).or_default().insert(key);
        }
        let mut there = HashSet::new();
        for (collection, keys) in wanted {
            let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
            let found = self.entries.some(tenant, collection, &keys).await?;
            there.extend(found.into_iter().map(|record| Id {
                collection: collection.to_owned(),
                key: record.key,
            }));
        }
        Ok(there)
    }

    /// What the entry refers to and is not `there`, if the entry itself is still what it was.
    async fn dangling(
        &self,
        tenant: &TenantId,
        (collection, record, content): (&Collection, &Record, &Content),
        there: &HashSet<Id>,
    ) -> Result<Option<Fault>, Unavailable> {
        for reference in &content.references {
            if there.contains(&reference.to) {
                continue;
            }
            let id = Id {
                collection: self.schema().collection_name(collection),
                key: record.key.clone(),
            };
            let now = self.entries.entry(tenant, &id).await?;
            let is_same = now.is_some_and(|now| now.mark.revision == record.mark.revision);
            let fault = Fault::new(Tag::DataMissing, "required instance does not exist")
                .app_tag("instance-required")
                .at(reference.path.clone());
            return Ok(is_same.then_some(fault));
        }
        Ok(None)
    }
}

/// Unique values of one collection, as hashes of eight bytes: that is all that grows with the entries.
#[derive(Default)]
struct Seen {
    state: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    fn twice(&mut self, content: &Content) -> Option<Fault> {
        let mut found = None;
        for unique in &content.uniques {
            let hash = self.state.hash_one((&unique.leaves, &unique.value));
            if !self.hashes.insert(hash) {
                let message = format!("another entry has the same \"{}\"", unique.leaves);
                let fault = Fault::new(Tag::OperationFailed, message);
                found = Some(fault.app_tag("data-not-unique"));
            }
        }
        found
    }
}

fn read(schema: &Schema, collection: &Collection, record: &Record) -> Result<Content, Fault> {
    let entry = serde_json::from_str(&record.body).map_err(|_| internal())?;
    let id = Id {
        collection: schema.collection_name(collection),
        key: record.key.clone(),
    };
    content(schema, collection, &id, entry)
}
