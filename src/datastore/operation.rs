//! Operations of the model that delete more than one entry.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::audit::Event;
use crate::model::TenantId;
use crate::schema::Fault;

use super::Datastore;
use super::EditError;
use super::changing::missing;
use super::error::internal;
use super::index::references;
use super::port::Batch;
use super::port::CommitError;
use super::port::Id;
use super::port::Record;
use super::port::Write;
use super::state::ENDPOINTS;
use super::state::SERVICES;
use super::state::SESSIONS;

/// The input of `delete-service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteService {
    /// The service's key.
    pub service: String,
    /// Endpoints that nothing else uses go too.
    pub with_endpoints: bool,
}

impl Datastore {
    /// Deletes a service, its sessions that no other service has, and on demand the endpoints that no other session
    /// has: all or nothing.
    ///
    /// # Errors
    ///
    /// [`EditError`]: nothing has changed.
    pub async fn delete_service(
        &self,
        tenant: &TenantId,
        input: &DeleteService,
        event: &Event,
    ) -> Result<(), EditError> {
        for _attempt in 0..ATTEMPTS {
            let batch = self.service_batch(tenant, input).await?;
            match self.commit(tenant, &batch, event).await {
                Ok(_) => return Ok(()),
                // A session that was put into another service meanwhile is no longer the service's alone.
                Err(CommitError::Changed | CommitError::InUse { .. }) => {}
                Err(other) => return Err(self.explain(other)),
            }
        }
        Err(EditError::Busy)
    }

    async fn service_batch(
        &self,
        tenant: &TenantId,
        input: &DeleteService,
    ) -> Result<Batch, EditError> {
        let service = Id {
            collection: SERVICES.to_owned(),
            key: input.service.clone(),
        };
        let mut gone = BTreeSet::from([service.clone()]);
        let mut batch = Batch::default();
        let record = self.entries.entry(tenant, &service).await?;
        let record = record.ok_or_else(missing)?;
        let sessions = self.referred(&service, &record, SESSIONS)?;
        push(&mut batch, service, &record);
        let mut endpoints = BTreeSet::new();
        for session in sessions {
            if self.is_used_by_others(tenant, &session, &gone).await? {
                continue;
            }
            let record = self.entries.entry(tenant, &session).await?;
            let record = record.ok_or_else(missing)?;
            endpoints.extend(self.referred(&session, &record, ENDPOINTS)?);
            gone.insert(session.clone());
            push(&mut batch, session, &record);
        }
        if !input.with_endpoints {
            return Ok(batch);
        }
        for endpoint in endpoints {
            if self.is_used_by_others(tenant, &endpoint, &gone).await? {
                continue;
            }
            let record = self.entries.entry(tenant, &endpoint).await?;
            let record = record.ok_or_else(missing)?;
            push(&mut batch, endpoint, &record);
        }
        Ok(batch)
    }

    async fn is_used_by_others(
        &self,
        tenant: &TenantId,
        id: &Id,
        gone: &BTreeSet<Id>,
    ) -> Result<bool, EditError> {
        let referrers = self.entries.referrers(tenant, id).await?;
        Ok(referrers.iter().any(|referrer| !gone.contains(referrer)))
    }

    /// The entries of `collection` that an entry refers to.
    fn referred(&self, id: &Id, record: &Record, collection: &str) -> Result<BTreeSet<Id>, Fault> {
        let own = self.schema().collection_named(&id.collection);
        let own = own.ok_or_else(internal)?;
        let entry: Value = serde_json::from_str(&record.body).map_err(|_| internal())?;
        Ok(references(self.schema(), own, &entry)
            .into_iter()
            .map(|reference| reference.to)
            .filter(|to| to.collection == collection)
            .collect())
    }
}

fn push(batch: &mut Batch, id: Id, record: &Record) {
    batch
        .expected
        .push((id.clone(), Some(record.mark.revision)));
    batch.writes.push(Write { id, content: None });
}

/// How often it is begun anew after another writer was faster.
const ATTEMPTS: u32 = 16;
