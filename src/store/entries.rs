//! The datastore's entries and their indexes.

use async_trait::async_trait;

use crate::audit::Event;
use crate::datastore::port::Batch;
use crate::datastore::port::CommitError;
use crate::datastore::port::Content;
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
use super::database::On;
use super::database::Row;
use super::database::Transaction;
use super::fault::unavailable;
use super::log;
use super::notices::keep_notice;
use super::query::query;
use super::rows::Columns;
use super::rows::stored;

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
        let mut writer = Writer {
            transaction,
            tenant,
            mark: Mark {
                revision: 0,
                modified: at,
            },
        };
        writer.check_expected(batch).await?;
        writer.write(batch).await?;
        writer.check_references(batch).await?;
        let mut transaction = writer.transaction;
        log::append(&mut transaction, std::slice::from_ref(event))
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        log::announce(std::slice::from_ref(event));
        Ok(writer.mark)
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

/// A batch on its way, in a transaction that began as the only writer.
struct Writer<'a> {
    transaction: Transaction,
    tenant: &'a TenantId,
    mark: Mark,
}

impl Writer<'_> {
    /// Whether everything is as the batch believes; and the revision that it will be.
    async fn check_expected(&mut self, batch: &Batch) -> Result<(), CommitError> {
        for (id, expected) in &batch.expected {
            let row = query(
                "SELECT revision FROM entries WHERE tenant = $1 AND collection = $2 AND key = $3",
            )
            .bind(self.tenant.as_str())
            .bind(&id.collection)
            .bind(&id.key)
            .fetch_optional(&mut self.transaction)
            .await
            .map_err(failed)?;
            let found = match row {
                Some(row) => Some(Columns::of(&row).number().map_err(failed)?),
                None => None,
            };
            if found != *expected {
                return Err(CommitError::Changed);
            }
        }
        if let Some((collection, expected)) = &batch.expected_mark {
            let collection = collection.as_deref();
            let mark = mark_of(&mut self.transaction, self.tenant, collection).await;
            if mark.map_err(failed)?.revision != *expected {
                return Err(CommitError::Changed);
            }
        }
        let newest = mark_of(&mut self.transaction, self.tenant, None).await;
        self.mark.revision = newest.map_err(failed)?.revision + 1;
        Ok(())
    }

    /// Writes entries and indexes. Everybody's old values go first, so that two entries can swap theirs.
    async fn write(&mut self, batch: &Batch) -> Result<(), CommitError> {
        for write in &batch.writes {
            for sql in [
                "DELETE FROM entry_references WHERE tenant = $1 AND collection = $2 AND key = $3",
                "DELETE FROM entry_uniques WHERE tenant = $1 AND collection = $2 AND key = $3",
            ] {
                self.at(sql, &write.id).await?;
            }
            if write.content.is_none() {
                let sql = "DELETE FROM entries WHERE tenant = $1 AND collection = $2 AND key = $3";
                self.at(sql, &write.id).await?;
            }
        }
        for write in &batch.writes {
            if let Some(content) = &write.content {
                self.put(&write.id, content).await?;
            }
            self.touch(&write.id.collection).await?;
        }
        self.touch(DATASTORE).await?;
        let ids: Vec<_> = batch.writes.iter().map(|write| write.id.clone()).collect();
        let noted = note(&mut self.transaction, self.tenant, self.mark.modified, &ids).await;
        noted.map_err(failed)
    }

    async fn at(&mut self, sql: &'static str, id: &Id) -> Result<(), CommitError> {
        query(sql)
            .bind(self.tenant.as_str())
            .bind(&id.collection)
            .bind(&id.key)
            .execute(&mut self.transaction)
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn put(&mut self, id: &Id, content: &Content) -> Result<(), CommitError> {
        query(
            "INSERT INTO entries (tenant, collection, key, body, state, revision, modified) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, collection, key) \
             DO UPDATE SET body = $4, revision = $6, modified = $7",
        )
        .bind(self.tenant.as_str())
        .bind(&id.collection)
        .bind(&id.key)
        .bind(&content.body)
        .bind(content.initial_state.clone())
        .bind(stored(self.mark.revision))
        .bind(self.mark.modified.nanos())
        .execute(&mut self.transaction)
        .await
        .map_err(failed)?;
        for reference in &content.references {
            query(
                "INSERT INTO entry_references \
                 (tenant, collection, key, path, to_collection, to_key) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(self.tenant.as_str())
            .bind(&id.collection)
            .bind(&id.key)
            .bind(&reference.path)
            .bind(&reference.to.collection)
            .bind(&reference.to.key)
            .execute(&mut self.transaction)
            .await
            .map_err(failed)?;
        }
        for unique in &content.uniques {
            let done = query(
                "INSERT INTO entry_uniques (tenant, collection, leaves, value, key) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(self.tenant.as_str())
            .bind(&id.collection)
            .bind(&unique.leaves)
            .bind(&unique.value)
            .bind(&id.key)
            .execute(&mut self.transaction)
            .await
            .map_err(failed)?;
            if done == 0 {
                return Err(CommitError::NotUnique {
                    id: id.clone(),
                    leaves: unique.leaves.clone(),
                });
            }
        }
        Ok(())
    }

    async fn touch(&mut self, collection: &str) -> Result<(), CommitError> {
        query(
            "INSERT INTO entry_marks (tenant, collection, revision, modified) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, collection) \
             DO UPDATE SET revision = $3, modified = $4",
        )
        .bind(self.tenant.as_str())
        .bind(collection)
        .bind(stored(self.mark.revision))
        .bind(self.mark.modified.nanos())
        .execute(&mut self.transaction)
        .await
        .map(drop)
        .map_err(failed)
    }

    /// With everything written: whether what is referred to is there, and nothing refers to what is gone.
    async fn check_references(&mut self, batch: &Batch) -> Result<(), CommitError> {
        for write in &batch.writes {
            let Some(content) = &write.content else {
                self.check_unused(&write.id).await?;
                continue;
            };
            for reference in &content.references {
                let row = query(
                    "SELECT key FROM entries WHERE tenant = $1 AND collection = $2 AND key = $3",
                )
                .bind(self.tenant.as_str())
                .bind(&reference.to.collection)
                .bind(&reference.to.key)
                .fetch_optional(&mut self.transaction)
                .await
                .map_err(failed)?;
                if row.is_none() {
                    return Err(CommitError::Dangling {
                        id: write.id.clone(),
                        reference: reference.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    async fn check_unused(&mut self, id: &Id) -> Result<(), CommitError> {
        let row = query(
            "SELECT path FROM entry_references \
             WHERE tenant = $1 AND to_collection = $2 AND to_key = $3 ORDER BY path LIMIT 1",
        )
        .bind(self.tenant.as_str())
        .bind(&id.collection)
        .bind(&id.key)
        .fetch_optional(&mut self.transaction)
        .await
        .map_err(failed)?;
        match row {
            Some(row) => Err(CommitError::InUse {
                id: id.clone(),
                path: Columns::of(&row).next().map_err(failed)?,
            }),
            None => Ok(()),
        }
    }
}

async fn mark_of<'c>(
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

fn failed(error: sqlx::Error) -> CommitError {
    CommitError::Unavailable(logged(error))
}

/// The mark of the whole datastore.
const DATASTORE: &str = "";
