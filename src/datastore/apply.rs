//! From an edit to the entries that it changes.

use serde_json::Value;

use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Fault;
use crate::schema::Step;
use crate::schema::Tag;

use super::Datastore;
use super::Edit;
use super::EditError;
use super::Op;
use super::Place;
use super::edit::collections_of;
use super::edit::entries_of;
use super::error::internal;
use super::port::Id;
use super::tree::identifier;
use super::working::Working;

impl Datastore {
    /// Makes one edit on the entries that are being worked on, and reads those that it needs.
    pub(super) async fn apply(
        &self,
        tenant: &TenantId,
        working: &mut Working,
        edit: &Edit,
    ) -> Result<bool, EditError> {
        let schema = &**self.schema();
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
                Ok(working.apply_one(schema, &id, (entry, inside), edit)?)
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
        for (collection, content) in collections_of(self.schema(), &mut content) {
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
        let schema = self.schema();
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
        let name = self.schema().collection_name(collection);
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
            working.apply(self.schema(), &id, (&entry, &[]), Op::Remove)?;
        }
        Ok(())
    }

    /// Reads an entry, if it was not read before.
    pub(super) async fn take(
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
}
