//! Reading and editing the datastore.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::audit::Event;
use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Fault;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

use super::Edit;
use super::EditError;
use super::Op;
use super::Place;
use super::edit::collections_of;
use super::edit::entries_of;
use super::error::internal;
use super::index::key_text;
use super::port::Batch;
use super::port::CommitError;
use super::port::Entries;
use super::port::Id;
use super::port::Mark;
use super::port::Record;
use super::port::Unavailable;
use super::state::Status;
use super::tree::identifier;
use super::working::Working;

/// The configuration of all tenants. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Datastore {
    schema: Arc<Schema>,
    pub(super) entries: Arc<dyn Entries>,
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

impl Datastore {
    /// A datastore in a store.
    pub fn new(schema: Arc<Schema>, entries: Arc<dyn Entries>) -> Self {
        Self { schema, entries }
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
            let (batch, is_new) = prepared;
            match self.commit(tenant, &batch, event).await {
                Ok(mark) => return Ok(Outcome { is_new, mark }),
                Err(CommitError::Changed) => {}
                Err(other) => return Err(self.explain(other)),
            }
        }
        Err(EditError::Busy)
    }

    /// Starts or stops a session. False when there is none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the store does not answer.
    pub async fn set_status(
        &self,
        tenant: &TenantId,
        collection: &Collection,
        entry: &Step,
        (status, event): (Status, &Event),
    ) -> Result<bool, Unavailable> {
        let id = self.id(collection, entry);
        let state = status.to_state().to_string();
        self.entries.set_state(tenant, &id, &state, event).await
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
        let committed = self.entries.commit(tenant, event.at, batch, event).await;
        committed.map(Some)
    }

    async fn prepare(
        &self,
        tenant: &TenantId,
        edits: &[Edit],
        precondition: Option<&Precondition>,
    ) -> Result<(Batch, bool), EditError> {
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
        let mut is_new = false;
        for (index, edit) in edits.iter().enumerate() {
            is_new = self
                .apply(tenant, &mut working, edit)
                .await
                .map_err(|error| numbered(error, index))?;
        }
        let schema = Arc::clone(&self.schema);
        let mut batch = tokio::task::spawn_blocking(move || working.into_batch(&schema))
            .await
            .map_err(|_| EditError::from(internal()))??;
        batch.expected_mark = expected_mark;
        Ok((batch, is_new))
    }

    async fn apply(
        &self,
        tenant: &TenantId,
        working: &mut Working,
        edit: &Edit,
    ) -> Result<bool, EditError> {
        let schema = &*self.schema;
        match Place::of(schema, &edit.target) {
            Place::Nowhere => Err(
                Fault::new(Tag::OperationNotSupported, "is not configuration")
                    .at(identifier(schema, &edit.target))
                    .into(),
            ),
            Place::Entry {
                collection,
                entry,
                inside,
            } => {
                let id = self.id(collection, entry);
                self.take(tenant, working, &id).await?;
                working
                    .apply(schema, &id, (entry, inside), edit.op.clone())
                    .map_err(|fault| {
                        let path = fault.path.clone();
                        fault
                            .at(path.unwrap_or_else(|| identifier(schema, &edit.target)))
                            .into()
                    })
            }
            Place::Collection(collection) => {
                self.apply_collection(tenant, working, collection, edit.op.clone())
                    .await
            }
            Place::Datastore => {
                let (value, is_replaced) = match edit.op.clone() {
                    Op::Create(value, _) => {
                        return self.create_all(tenant, working, value).await;
                    }
                    Op::Merge(value, _) => (value, false),
                    Op::Replace(value, _) => (value, true),
                    Op::Delete | Op::Move(_) | Op::Remove => {
                        let message = "the datastore cannot be deleted";
                        return Err(Fault::new(Tag::OperationNotSupported, message).into());
                    }
                };
                let Value::Object(mut content) = value else {
                    return Err(internal().into());
                };
                let mut given = collections_of(schema, &mut content);
                for collection in schema.collections() {
                    let at = given.iter().position(|(it, _)| *it == collection);
                    let content = at.map(|at| given.swap_remove(at).1);
                    let op = match (content, is_replaced) {
                        (Some(content), true) => Op::Replace(content, None),
                        (Some(content), false) => Op::Merge(content, false),
                        (None, true) => Op::Remove,
                        (None, false) => continue,
                    };
                    self.apply_collection(tenant, working, collection, op)
                        .await?;
                }
                Ok(false)
            }
        }
    }

    async fn create_all(
        &self,
        tenant: &TenantId,
        working: &mut Working,
        value: Value,
    ) -> Result<bool, EditError> {
        let Value::Object(mut content) = value else {
            return Err(internal().into());
        };
        for (collection, content) in collections_of(&self.schema, &mut content) {
            self.apply_collection(tenant, working, collection, Op::Create(content, None))
                .await?;
        }
        Ok(true)
    }

    /// A collection's container is always there; what is created, merged or deleted is its entries.
    async fn apply_collection(
        &self,
        tenant: &TenantId,
        working: &mut Working,
        collection: &Collection,
        op: Op,
    ) -> Result<bool, EditError> {
        let schema = &*self.schema;
        let (content, make): (Value, fn(Value) -> Op) = match op {
            Op::Create(content, _) => (content, |entry| Op::Create(entry, None)),
            Op::Merge(content, _) => (content, |entry| Op::Merge(entry, false)),
            Op::Replace(content, _) => {
                self.clear(tenant, working, collection).await?;
                (content, |entry| Op::Replace(entry, None))
            }
            Op::Delete | Op::Remove => {
                self.clear(tenant, working, collection).await?;
                return Ok(false);
            }
            Op::Move(_) => {
                let message = "list is not ordered by its user";
                return Err(Fault::new(Tag::InvalidValue, message).into());
            }
        };
        let mut is_new = false;
        for (step, entry) in entries_of(schema, collection, content) {
            let id = self.id(collection, &step);
            self.take(tenant, working, &id).await?;
            let target = [
                Step {
                    node: collection.container,
                    keys: Vec::new(),
                },
                step,
            ];
            let [_, step] = &target;
            is_new = working
                .apply(schema, &id, (step, &[]), make(entry))
                .map_err(|fault| fault.at(identifier(schema, &target)))?;
        }
        Ok(is_new)
    }

    /// Deletes all entries of a collection.
    async fn clear(
        &self,
        tenant: &TenantId,
        working: &mut Working,
        collection: &Collection,
    ) -> Result<(), EditError> {
        let name = self.schema.collection_name(collection);
        let mut after: Option<String> = None;
        loop {
            let page = self.page(tenant, collection, after.as_deref()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for record in page {
                let id = Id {
                    collection: name.clone(),
                    key: record.key.clone(),
                };
                if !working.knows(&id) {
                    working.take(id, Some(record))?;
                }
            }
        }
        let entry = Step {
            node: collection.list,
            keys: Vec::new(),
        };
        for id in working.present(&name) {
            working.apply(&self.schema, &id, (&entry, &[]), Op::Remove)?;
        }
        Ok(())
    }

    async fn take(
        &self,
        tenant: &TenantId,
        working: &mut Working,
        id: &Id,
    ) -> Result<(), EditError> {
        if !working.knows(id) {
            let stored = self.entries.entry(tenant, id).await?;
            working.take(id.clone(), stored)?;
        }
        Ok(())
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
            CommitError::Dangling(reference) => {
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

fn numbered(error: EditError, index: usize) -> EditError {
    match error {
        EditError::Fault { fault, .. } => EditError::Fault {
            edit: Some(index),
            fault,
        },
        other => other,
    }
}

/// Records that are read from the store at once: some hundred kilobytes.
const PAGE: u32 = 100;

/// How often an edit is made anew after another writer was faster. Each time somebody else has got through.
const ATTEMPTS: u32 = 16;
