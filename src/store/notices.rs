//! The latest notifications of the datastore.

use async_trait::async_trait;
use serde_json::Value;

use crate::datastore::Notice;
use crate::datastore::port::Telling;
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
impl Telling for Store {
    async fn tell(&self, tenant: &TenantId, notice: &Notice, keep: u32) -> Result<(), Unavailable> {
        let told = async {
            // The only writer, so that numbers become visible in their order.
            let mut transaction = self.begin().await?;
            keep_notice(&mut transaction, tenant, notice, keep).await?;
            transaction.commit().await
        };
        told.await.map_err(logged)
    }

    async fn told(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Notice>, Unavailable> {
        let rows = query(
            "SELECT id, at, kind, grouped_by, content FROM notices \
             WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(tenant.as_str())
        .bind(stored(after))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(logged)?;
        let notices = rows.iter().map(notice).collect::<Result<_, _>>();
        notices.map_err(logged)
    }
}

/// Keeps a notice in a transaction that is the only writer.
pub(super) async fn keep_notice(
    transaction: &mut Transaction,
    tenant: &TenantId,
    notice: &Notice,
    keep: u32,
) -> Result<(), sqlx::Error> {
    let newest = query("SELECT coalesce(max(id), 0) FROM notices WHERE tenant = $1")
        .bind(tenant.as_str())
        .fetch_one(&mut *transaction)
        .await?;
    let newest = Columns::of(&newest).number()?;
    query(
        "INSERT INTO notices (tenant, id, at, kind, grouped_by, content) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tenant.as_str())
    .bind(stored(notice.id.max(newest.saturating_add(1))))
    .bind(notice.at.nanos())
    .bind(&notice.kind)
    .bind(notice.group.clone())
    .bind(notice.content.to_string())
    .execute(&mut *transaction)
    .await?;
    query(
        "DELETE FROM notices WHERE tenant = $1 AND id <= \
         (SELECT id FROM notices WHERE tenant = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
    )
    .bind(tenant.as_str())
    .bind(keep)
    .execute(transaction)
    .await?;
    Ok(())
}

fn notice(row: &Row) -> Result<Notice, sqlx::Error> {
    let mut columns = Columns::of(row);
    Ok(Notice {
        id: columns.number()?,
        at: columns.next().map(Timestamp::from_nanos)?,
        kind: columns.next()?,
        group: columns.next()?,
        content: columns
            .next::<&str>()
            .map(|text| serde_json::from_str(text).unwrap_or(Value::Null))?,
    })
}
