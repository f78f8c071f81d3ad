//! Where entries are kept.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::audit::Event;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Notice;

/// The store of entries. `store` implements it; the tests in `store/tests` are what every implementation passes.
///
/// What a call has acknowledged survives the process and the machine.
#[async_trait]
pub trait Entries: Following + Telling + Debug + Send + Sync {
    /// One entry.
    async fn entry(&self, tenant: &TenantId, id: &Id) -> Result<Option<Record>, Unavailable>;

    /// The collection's entries that have these keys, in any order.
    async fn some(
        &self,
        tenant: &TenantId,
        collection: &str,
        keys: &[String],
    ) -> Result<Vec<Record>, Unavailable>;

    /// The collection's entries by key, at most `limit` after `after`.
    async fn entries(
        &self,
        tenant: &TenantId,
        collection: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Record>, Unavailable>;

    /// When a collection, or with `None` the datastore, was last changed.
    async fn mark(&self, tenant: &TenantId, collection: Option<&str>) -> Result<Mark, Unavailable>;

    /// Who refers to an entry.
    async fn referrers(&self, tenant: &TenantId, to: &Id) -> Result<Vec<Id>, Unavailable>;

    /// Makes a batch of changes with its audit event: all or nothing.
    async fn commit(
        &self,
        tenant: &TenantId,
        at: Timestamp,
        batch: &Batch,
        event: &Event,
    ) -> Result<Mark, CommitError>;

    /// Replaces the state of an entry, with what is told of it and its audit event: all or nothing. An entry that is in
    /// the state already stays as it is, and nothing is told. False when there is no such entry.
    async fn set_state(
        &self,
        tenant: &TenantId,
        id: &Id,
        change: &StateChange,
        event: &Event,
    ) -> Result<bool, Unavailable>;
}

/// What has changed lately, for those who keep a copy of the entries.
#[async_trait]
pub trait Following: Send + Sync {
    /// The number of the tenant's newest change; 0 where there is none. Grows by one with each change of an entry.
    async fn newest_change(&self, tenant: &TenantId) -> Result<u64, Unavailable>;

    /// The entries that have changed after the change with the number `after`, as they are at one moment.
    async fn changes(&self, tenant: &TenantId, after: u64) -> Result<Changes, Unavailable>;
}

/// What has happened, kept for those who come late.
#[async_trait]
pub trait Telling: Send + Sync {
    /// Keeps a notice, under its id or the next one that is free, and of the tenant's notices the latest `keep`.
    async fn tell(&self, tenant: &TenantId, notice: &Notice, keep: u32) -> Result<(), Unavailable>;

    /// The tenant's notices after the one with the id `after`, in their order, at most `limit`.
    async fn told(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Notice>, Unavailable>;
}

/// What has changed, each entry once, in the order of their last change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Nothing between is missing; otherwise all entries are to be read anew.
    pub is_whole: bool,
    /// The number of the newest of them.
    pub newest: u64,
    /// The entries.
    pub entries: Vec<Change>,
}

/// An entry that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub id: Id,
    /// When it has last changed.
    pub at: Timestamp,
    /// What it is now; `None` when it is gone.
    pub record: Option<Record>,
}

/// A new state of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct StateChange {
    /// A JSON object in canonical form.
    pub state: String,
    /// What is told of it, in this order.
    pub notices: Vec<Notice>,
    /// How many of the tenant's notices are kept.
    pub keep: u32,
}

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// The collection's name.
    pub collection: String,
    /// The keys, as they stand in a URL.
    pub key: String,
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The keys, as they stand in a URL.
    pub key: String,
    /// The configuration: a JSON object in canonical form.
    pub body: String,
    /// The state: a JSON object, or nothing.
    pub state: Option<String>,
    /// When it was last changed.
    pub mark: Mark,
}

/// A point in the history of a tenant's configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Counts the tenant's edits, from 1; 0 is before the first.
    pub revision: u64,
    /// When that was.
    pub modified: Timestamp,
}

/// Changes to make at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What the changes build upon: entries with their revision, or that there is none.
    pub expected: Vec<(Id, Option<u64>)>,
    /// The same for a collection, or for the datastore.
    pub expected_mark: Option<(Option<String>, u64)>,
    /// The changes; each entry at most once.
    pub writes: Vec<Write>,
}

/// One entry's new content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which entry.
    pub id: Id,
    /// What it becomes; `None` deletes it.
    pub content: Option<Content>,
}

/// An entry to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The configuration: a JSON object in canonical form.
    pub body: String,
    /// The state of an entry that is new.
    pub initial_state: Option<String>,
    /// What it refers to.
    pub references: Vec<Reference>,
    /// What nobody else in the collection may have.
    pub uniques: Vec<Unique>,
}

/// A reference to another entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it stands: an instance-identifier.
    pub path: String,
    /// What it refers to.
    pub to: Id,
}

/// A value that is unique in its collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// By which leaves.
    pub leaves: String,
    /// Their values.
    pub value: String,
}

/// Why changes are not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// What they build upon is no longer so.
    #[error("changed meanwhile")]
    Changed,
    /// They refer to what is not there.
    #[error("reference leads nowhere")]
    Dangling {
        /// Which entry does.
        id: Id,
        /// The reference.
        reference: Reference,
    },
    /// They delete what this refers to.
    #[error("is referred to")]
    InUse {
        /// What would be deleted.
        id: Id,
        /// Where the reference stands.
        path: String,
    },
    /// Another entry has these values.
    #[error("value is not unique")]
    NotUnique {
        /// Which entry wants them.
        id: Id,
        /// By which leaves.
        leaves: String,
    },
    /// The store does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl CommitError {
    /// The entry that it is about.
    pub const fn id(&self) -> Option<&Id> {
        match self {
            Self::Dangling { id, .. } | Self::InUse { id, .. } | Self::NotUnique { id, .. } => {
                Some(id)
            }
            Self::Changed | Self::Unavailable(_) => None,
        }
    }
}

/// The store does not answer. It has logged why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("datastore is unavailable")]
pub struct Unavailable;
