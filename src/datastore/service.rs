//! Reading and editing the datastore.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::audit::Event;
use crate::clock::Clock;
use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Fault;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

use super::Edit;
use super::EditError;
use super::Feed;
use super::Notices;
use super::Place;
use super::error::internal;
use super::index::key_text;
use super::port::Batch;
use super::port::Changes;
use super::port::CommitError;
use super::port::Entries;
use super::port::Id;
use super::port::Mark;
use super::port::Record;
use super::port::Unavailable;
use super::working::Working;

/// The configuration of all tenants. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Datastore {
    schema: Arc<Schema>,
    pub(super) entries: Arc<dyn Entries>,
    notices: Notices,
    pub(super) feed: Feed,
}

/// What an edit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The target of the last edit was not there before.
    pub is_new: bool,
    /// The mark of all that has changed; `None` when nothing has.
    pub mark: Option<Mark>,
}

/// What the writer believes of something.
#[derive(Clone)]
pub struct Precondition {
    /// Of what: the datastore without steps, a collection's container, or an entry.
    pub target: Vec<Step>,
    /// Whether it is as believed, told its mark; `None` when it is not there.
    pub holds: Arc<dyn Fn(Option<Mark>) -> bool + Send + Sync>,
}

impl fmt::Debug for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Precondition")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// Edits that are ready to be made.
struct Prepared {
    batch: Batch,
    is_new: bool,
    /// By entry, the last edit that changes it.
    edits: HashMap<Id, usize>,
}

impl Datastore {
    /// A datastore in a store.
    pub fn new(schema: Arc<Schema>, entries: Arc<dyn Entries>, clock: Clock) -> Self {
        let notices = Notices::new(Arc::clone(&entries), clock);
        Self {
            schema,
            entries,
            notices,
            feed: Feed::default(),
        }
    }

    /// What happens to the data.
    pub const fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Whose data has changed.
    pub const fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The number of the tenant's newest change; 0 where there is none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn newest_change(&self, tenant: &TenantId) -> Result<u64, Unavailable> {
        self.entries.newest_change(tenant).await
    }

    /// The entries that have changed after a change, as they are now.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn changes(&self, tenant: &TenantId, after: u64) -> Result<Changes, Unavailable> {
        self.entries.changes(tenant, after).await
    }

    /// The model of all data.
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// One entry.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn entry(
        &self,
        tenant: &TenantId,
        collection: &Collection,
        entry: &Step,
    ) -> Result<Option<Record>, Unavailable> {
        self.entries
            .entry(tenant, &self.id(collection, entry))
            .await
    }

    /// Some of a collection's entries, after the one with the key `after`, by key; none when there are no more.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn page(
        &self,
        tenant: &TenantId,
        collection: &Collection,
        after: Option<&str>,
    ) -> Result<Vec<Record>, Unavailable> {
        let name = self.schema.collection_name(collection);
        self.entries.entries(tenant, &name, after, PAGE).await
    }

    /// When what is at `place` was last changed; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn mark(
        &self,
        tenant: &TenantId,
        place: &Place<'_>,
    ) -> Result<Option<Mark>, Unavailable> {
        match place {
            Place::Collection(collection) => {
                let name = self.schema.collection_name(collection);
                self.entries.mark(tenant, Some(&name)).await.map(Some)
            }
            Place::Datastore | Place::Nowhere => self.entries.mark(tenant, None).await.map(Some),
            Place::Entry {
                collection, entry, ..
            } => {
                let record = self.entry(tenant, collection, entry).await?;
                Ok(record.map(|record| record.mark))
            }
        }
    }

    /// Makes all edits, in their order, or none, if the precondition holds when they are made.
    ///
    /// # Errors
    ///
    /// [`EditError`]: nothing has changed.
    pub async fn edit(
        &self,
        tenant: &TenantId,
        edits: &[Edit],
        precondition: Option<&Precondition>,
        event: &Event,
    ) -> Result<Outcome, EditError> {
        for _attempt in 0..ATTEMPTS {
            let prepared = self.prepare(tenant, edits, precondition).await?;
            match self.commit(tenant, &prepared.batch, event).await {
                Ok(mark) => {
                    let is_new = prepared.is_new;
                    return Ok(Outcome { is_new, mark });
                }
                Err(CommitError::Changed) => {}
                Err(other) => {
                    let edit = other.id().and_then(|id| prepared.edits.get(id)).copied();
                    return Err(numbered(self.explain(other), edit));
                }
            }
        }
        Err(EditError::Busy)
    }

    pub(super) async fn commit(
        &self,
        tenant: &TenantId,
        batch: &Batch,
        event: &Event,
    ) -> Result<Option<Mark>, CommitError> {
        if batch.writes.is_empty() {
            return Ok(None);
        }
        let mark = self.entries.commit(tenant, event.at, batch, event).await?;
        self.feed.tell(tenant);
        Ok(Some(mark))
    }

    async fn prepare(
        &self,
        tenant: &TenantId,
        edits: &[Edit],
        precondition: Option<&Precondition>,
    ) -> Result<Prepared, EditError> {
        let mut working = Working::default();
        let mut expected_mark = None;
        if let Some(precondition) = precondition {
            let place = Place::of(&self.schema, &precondition.target);
            let mark = match &place {
                // Read once, for the precondition and for the edit: the commit holds both to it.
                Place::Entry {
                    collection, entry, ..
                } => {
                    let id = self.id(collection, entry);
                    self.take(tenant, &mut working, &id).await?;
                    working.mark(&id)
                }
                _ => self.mark(tenant, &place).await?,
            };
            if !(precondition.holds)(mark) {
                return Err(EditError::Precondition);
            }
            let revision = mark.unwrap_or_default().revision;
            expected_mark = match place {
                Place::Collection(it) => Some((Some(self.schema.collection_name(it)), revision)),
                Place::Datastore => Some((None, revision)),
                _ => None,
            };
        }
        let (working, is_new) = self.apply_all(tenant, working, edits).await?;
        let edits = working.edits();
        let schema = Arc::clone(&self.schema);
        let mut batch = tokio::task::spawn_blocking(move || working.into_batch(&schema))
            .await
            .map_err(|_| EditError::from(internal()))??;
        batch.expected_mark = expected_mark;
        Ok(Prepared {
            batch,
            is_new,
            edits,
        })
    }

    /// Makes all edits on the entries that are being worked on. Those of a long entry, or many, on a thread that may
    /// block: others are not kept waiting.
    async fn apply_all(
        &self,
        tenant: &TenantId,
        mut working: Working,
        edits: &[Edit],
    ) -> Result<(Working, bool), EditError> {
        let mut are_of_entries = true;
        for edit in edits {
            match Place::of(&self.schema, &edit.target) {
                Place::Entry {
                    collection, entry, ..
                } => {
                    let id = self.id(collection, entry);
                    self.take(tenant, &mut working, &id).await?;
                }
                _ => are_of_entries = false,
            }
        }
        if are_of_entries && (edits.len() > FEW_EDITS || working.bytes() > SHORT_ENTRIES) {
            let (schema, edits) = (Arc::clone(&self.schema), edits.to_vec());
            let work = move || {
                let is_new = working.apply_all(&schema, &edits)?;
                Ok((working, is_new))
            };
            let done = tokio::task::spawn_blocking(work).await;
            return done.map_err(|_| EditError::from(internal()))?;
        }
        let mut is_new = false;
        for (index, edit) in edits.iter().enumerate() {
            working.edit = index;
            is_new = self
                .apply(tenant, &mut working, edit)
                .await
                .map_err(|error| numbered(error, Some(index)))?;
        }
        Ok((working, is_new))
    }

    pub(super) fn id(&self, collection: &Collection, entry: &Step) -> Id {
        Id {
            collection: self.schema.collection_name(collection),
            key: key_text(&entry.keys),
        }
    }

    /// What the indexes have against a batch, in the words of RFC 7950 section 15.
    pub(super) fn explain(&self, error: CommitError) -> EditError {
        let path = |id: &Id| {
            let collection = self.schema.collection_named(&id.collection);
            let list = collection.map(|it| self.schema.path(it.list));
            format!("{}={}", list.unwrap_or_default(), id.key)
        };
        match error {
            CommitError::Changed => EditError::Busy,
            CommitError::Dangling { reference, .. } => {
                let message = format!(
                    "required instance \"{}\" does not exist",
                    path(&reference.to)
                );
                Fault::new(Tag::DataMissing, message)
                    .app_tag("instance-required")
                    .at(reference.path)
                    .into()
            }
            CommitError::InUse { id, path: by } => {
                let message = format!("\"{}\" is referred to", path(&id));
                Fault::new(Tag::InUse, message)
                    .app_tag("instance-required")
                    .at(by)
                    .into()
            }
            CommitError::NotUnique { id, leaves } => {
                let message = format!("another entry has the same \"{leaves}\"");
                Fault::new(Tag::OperationFailed, message)
                    .app_tag("data-not-unique")
                    .at(path(&id))
                    .into()
            }
            CommitError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

pub(super) fn numbered(error: EditError, edit: Option<usize>) -> EditError {
    match error {
        EditError::Fault { fault, .. } => EditError::Fault { edit, fault },
        other => other,
    }
}

/// Records that are read from the store at once: some hundred kilobytes.
const PAGE: u32 = 100;

/// Edits that are made where they are asked for: some tens of microseconds.
const FEW_EDITS: usize = 16;

/// Bytes of stored entries that are.
const SHORT_ENTRIES: usize = 64 << 10;

/// How often an edit is made anew after another writer was faster. Each time somebody else has got through.
const ATTEMPTS: u32 = 16;
