//! The datastore's entries and their indexes.

use async_trait::async_trait;

use crate::audit::Event;
use crate::datastore::port::Batch;
use crate::datastore::port::CommitError;
use crate::datastore::port::Entries;
use crate::datastore::port::Id;
use crate::datastore::port::Mark;
use crate::datastore::port::Record;
use crate::datastore::port::StateChange;
use crate::datastore::port::Unavailable;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Store;
use super::changes::note;
use super::committing::Writer;
use super::database::On;
use super::database::Row;
use super::fault::unavailable;
use super::log;
use super::notices::keep_notice;
use super::query::Builder;
use super::query::query;
use super::rows::Columns;

#[async_trait]
impl Entries for Store {
    async fn entry(&self, tenant: &TenantId, id: &Id) -> Result<Option<Record>, Unavailable> {
        let row = query(
            "SELECT key, body, state, revision, modified FROM entries \
             WHERE tenant = $1 AND collection = $2 AND key = $3",
        )
        .bind(tenant.as_str())
        .bind(&id.collection)
        .bind(&id.key)
        .fetch_optional(&self.readers)
        .await
        .map_err(logged)?;
        row.as_ref().map(record).transpose().map_err(logged)
    }

    async fn some(
        &self,
        tenant: &TenantId,
        collection: &str,
        keys: &[String],
    ) -> Result<Vec<Record>, Unavailable> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let mut builder = Builder::new(
                "SELECT key, body, state, revision, modified FROM entries WHERE tenant = ",
                &self.readers,
            );
            builder.push_bind(tenant.as_str());
            builder.push(" AND collection = ").push_bind(collection);
            for (index, key) in keys.iter().enumerate() {
                builder.push(if index == 0 { " AND key IN (" } else { ", " });
                builder.push_bind(key);
            }
            builder.push(")");
            let rows = builder.build().fetch_all(&self.readers).await;
            for row in &rows.map_err(logged)? {
                found.push(record(row).map_err(logged)?);
            }
        }
        Ok(found)
    }

    async fn entries(
        &self,
        tenant: &TenantId,
        collection: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Record>, Unavailable> {
        // No key is empty.
        let rows = query(
            "SELECT key, body, state, revision, modified FROM entries \
             WHERE tenant = $1 AND collection = $2 AND key > $3 ORDER BY key LIMIT $4",
        )
        .bind(tenant.as_str())
        .bind(collection)
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(logged)?;
        rows.iter()
            .map(record)
            .collect::<Result<_, _>>()
            .map_err(logged)
    }

    async fn mark(&self, tenant: &TenantId, collection: Option<&str>) -> Result<Mark, Unavailable> {
        mark_of(&self.readers, tenant, collection)
            .await
            .map_err(logged)
    }

    async fn referrers(&self, tenant: &TenantId, to: &Id) -> Result<Vec<Id>, Unavailable> {
        let rows = query(
            "SELECT DISTINCT collection, key FROM entry_references \
             WHERE tenant = $1 AND to_collection = $2 AND to_key = $3",
        )
        .bind(tenant.as_str())
        .bind(&to.collection)
        .bind(&to.key)
        .fetch_all(&self.readers)
        .await
        .map_err(logged)?;
        let id = |row: &Row| {
            let mut columns = Columns::of(row);
            Ok(Id {
                collection: columns.next()?,
                key: columns.next()?,
            })
        };
        rows.iter()
            .map(id)
            .collect::<Result<_, _>>()
            .map_err(logged)
    }

    async fn commit(
        &self,
        tenant: &TenantId,
        at: Timestamp,
        batch: &Batch,
        event: &Event,
    ) -> Result<Mark, CommitError> {
        let transaction = self.begin().await.map_err(failed)?;
        let writer = Writer::new(transaction, tenant, at);
        let (mut transaction, mark) = writer.make(batch).await?;
        log::append(&mut transaction, std::slice::from_ref(event))
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        log::announce(std::slice::from_ref(event));
        Ok(mark)
    }

    async fn set_state(
        &self,
        tenant: &TenantId,
        id: &Id,
        change: &StateChange,
        event: &Event,
    ) -> Result<bool, Unavailable> {
        let mut transaction = self.begin().await.map_err(logged)?;
        let done = query(
            "UPDATE entries SET state = $4 WHERE tenant = $1 AND collection = $2 AND key = $3 \
             AND coalesce(state, '') <> $4",
        )
        .bind(tenant.as_str())
        .bind(&id.collection)
        .bind(&id.key)
        .bind(&change.state)
        .execute(&mut transaction)
        .await
        .map_err(logged)?;
        if done == 0 {
            return Ok(self.entry(tenant, id).await?.is_some());
        }
        for notice in &change.notices {
            keep_notice(&mut transaction, tenant, notice, change.keep)
                .await
                .map_err(logged)?;
        }
        let noted = note(&mut transaction, tenant, event.at, std::slice::from_ref(id)).await;
        noted.map_err(logged)?;
        log::append(&mut transaction, std::slice::from_ref(event))
            .await
            .map_err(logged)?;
        transaction.commit().await.map_err(logged)?;
        log::announce(std::slice::from_ref(event));
        Ok(true)
    }
}

pub(super) async fn mark_of<'c>(
    on: impl Into<On<'c>>,
    tenant: &TenantId,
    collection: Option<&str>,
) -> Result<Mark, sqlx::Error> {
    let row =
        query("SELECT revision, modified FROM entry_marks WHERE tenant = $1 AND collection = $2")
            .bind(tenant.as_str())
            .bind(collection.unwrap_or(DATASTORE))
            .fetch_optional(on)
            .await?;
    row.as_ref()
        .map_or_else(|| Ok(Mark::default()), |row| mark(&mut Columns::of(row)))
}

fn mark(columns: &mut Columns<'_>) -> Result<Mark, sqlx::Error> {
    Ok(Mark {
        revision: columns.number()?,
        modified: columns.next().map(Timestamp::from_nanos)?,
    })
}

fn record(row: &Row) -> Result<Record, sqlx::Error> {
    let mut columns = Columns::of(row);
    Ok(Record {
        key: columns.next()?,
        body: columns.next()?,
        state: columns.next()?,
        mark: mark(&mut columns)?,
    })
}

pub(super) fn logged(error: sqlx::Error) -> Unavailable {
    // The text for people is in the log; nobody needs more.
    let _ = unavailable(error);
    Unavailable
}

pub(super) fn failed(error: sqlx::Error) -> CommitError {
    CommitError::Unavailable(logged(error))
}

/// Placeholders of one statement; SQLite takes 32,766 of them.
const KEYS_AT_ONCE: usize = 500;

/// The mark of the whole datastore.
pub(super) const DATASTORE: &str = "";
