//! A batch of changes to the datastore's entries and indexes, in one transaction.

use crate::datastore::port::Batch;
use crate::datastore::port::CommitError;
use crate::datastore::port::Content;
use crate::datastore::port::Id;
use crate::datastore::port::Mark;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::changes::note;
use super::database::Transaction;
use super::entries::DATASTORE;
use super::entries::failed;
use super::entries::mark_of;
use super::query::query;
use super::rows::Columns;
use super::rows::stored;

/// A batch on its way, in a transaction that began as the only writer.
pub(super) struct Writer<'a> {
    transaction: Transaction,
    tenant: &'a TenantId,
    mark: Mark,
}

impl<'a> Writer<'a> {
    pub(super) fn new(transaction: Transaction, tenant: &'a TenantId, at: Timestamp) -> Self {
        let mark = Mark {
            revision: 0,
            modified: at,
        };
        Self {
            transaction,
            tenant,
            mark,
        }
    }

    /// Makes the changes of a batch. They are not committed yet.
    pub(super) async fn make(mut self, batch: &Batch) -> Result<(Transaction, Mark), CommitError> {
        self.check_expected(batch).await?;
        self.write(batch).await?;
        self.check_references(batch).await?;
        Ok((self.transaction, self.mark))
    }

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
