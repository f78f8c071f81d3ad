//! The latest changes of the datastore's entries.

use async_trait::async_trait;

use crate::datastore::port::Change;
use crate::datastore::port::Changes;
use crate::datastore::port::Following;
use crate::datastore::port::Id;
use crate::datastore::port::Mark;
use crate::datastore::port::Record;
use crate::datastore::port::Unavailable;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Store;
use super::database::Row;
use super::database::Transaction;
use super::entries::logged;
use super::query::query;
use super::rows::Columns;
use super::rows::stored;

#[async_trait]
impl Following for Store {
    async fn newest_change(&self, tenant: &TenantId) -> Result<u64, Unavailable> {
        let row = query(NEWEST).bind(tenant.as_str());
        let row = row.fetch_one(&self.readers).await.map_err(logged)?;
        Columns::of(&row).number().map_err(logged)
    }

    async fn changes(&self, tenant: &TenantId, after: u64) -> Result<Changes, Unavailable> {
        // One statement sees one moment, so that no commit is seen in part.
        let rows = query(
            "SELECT max(c.serial), count(*), max(c.at), c.collection, c.key, \
             e.body, e.state, e.revision, e.modified \
             FROM entry_changes c LEFT JOIN entries e \
             ON e.tenant = c.tenant AND e.collection = c.collection AND e.key = c.key \
             WHERE c.tenant = $1 AND c.serial > $2 \
             GROUP BY c.collection, c.key, e.body, e.state, e.revision, e.modified \
             ORDER BY max(c.serial)",
        )
        .bind(tenant.as_str())
        .bind(stored(after))
        .fetch_all(&self.readers)
        .await
        .map_err(logged)?;
        let (mut changes, mut seen) = (Changes::default(), 0);
        changes.newest = after;
        for row in &rows {
            let (serial, count, change) = change(row).map_err(logged)?;
            changes.newest = serial;
            changes.entries.push(change);
            seen += count;
        }
        changes.is_whole = changes.newest - after == seen;
        Ok(changes)
    }
}

/// Notes that entries have changed, and forgets what was noted long ago.
pub(super) async fn note(
    transaction: &mut Transaction,
    tenant: &TenantId,
    at: Timestamp,
    ids: &[Id],
) -> Result<(), sqlx::Error> {
    let row = query(NEWEST).bind(tenant.as_str());
    let row = row.fetch_one(&mut *transaction).await?;
    let mut serial = Columns::of(&row).number()?;
    for id in ids {
        serial += 1;
        query(
            "INSERT INTO entry_changes (tenant, serial, at, collection, key) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(tenant.as_str())
        .bind(stored(serial))
        .bind(at.nanos())
        .bind(&id.collection)
        .bind(&id.key)
        .execute(&mut *transaction)
        .await?;
    }
    query("DELETE FROM entry_changes WHERE tenant = $1 AND serial <= $2")
        .bind(tenant.as_str())
        .bind(stored(serial.saturating_sub(KEPT)))
        .execute(transaction)
        .await
        .map(drop)
}

/// The last change of an entry, how many there were, and what has become of it.
fn change(row: &Row) -> Result<(u64, u64, Change), sqlx::Error> {
    let mut columns = Columns::of(row);
    let (serial, count) = (columns.number()?, columns.number()?);
    let at = columns.next().map(Timestamp::from_nanos)?;
    let id = Id {
        collection: columns.next()?,
        key: columns.next()?,
    };
    let (body, state): (Option<String>, Option<String>) = (columns.next()?, columns.next()?);
    let record = match body {
        Some(body) => Some(Record {
            key: id.key.clone(),
            body,
            state,
            mark: Mark {
                revision: columns.number()?,
                modified: columns.next().map(Timestamp::from_nanos)?,
            },
        }),
        None => None,
    };
    Ok((serial, count, Change { id, at, record }))
}

const NEWEST: &str =
    "SELECT CAST(coalesce(max(serial), 0) AS BIGINT) FROM entry_changes WHERE tenant = $1";

/// Changes of a tenant that are kept, about a megabyte. Whoever is further behind reads all entries anew.
const KEPT: u64 = 10_000;
