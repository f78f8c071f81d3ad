//! The audit trail, chained (iam A1).

use async_trait::async_trait;

use crate::audit::Event;
use crate::audit::Hash;
use crate::audit::Link;
use crate::audit::Log;
use crate::audit::LogError;
use crate::audit::hash_of;

use super::Store;
use super::database::Transaction;
use super::fault::unavailable;
use super::query::query;
use super::rows::Columns;
use super::rows::stored;

#[async_trait]
impl Log for Store {
    async fn append(&self, events: &[Event]) -> Result<(), LogError> {
        self.append_events(events).await.map_err(logged)
    }

    async fn links(&self, after: u64, limit: u32) -> Result<Vec<Link>, LogError> {
        let sql =
            "SELECT seq, body, previous, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
        let query = query(sql).bind(stored(after)).bind(limit);
        let rows = query.fetch_all(&self.readers).await.map_err(logged)?;
        let link = |columns: &mut Columns<'_>| {
            Ok(Link {
                seq: columns.number()?,
                body: columns.next()?,
                previous: columns.hash()?,
                hash: columns.hash()?,
            })
        };
        rows.iter()
            .map(|row| link(&mut Columns::of(row)))
            .collect::<Result<_, _>>()
            .map_err(logged)
    }
}

impl Store {
    async fn append_events(&self, events: &[Event]) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        append(&mut transaction, events).await?;
        transaction.commit().await
    }
}

/// Appends events within a transaction that has begun as the only writer, so nobody else takes the place.
pub(super) async fn append(
    transaction: &mut Transaction,
    events: &[Event],
) -> Result<(), sqlx::Error> {
    let newest = query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await?;
    let (mut seq, mut previous): (u64, Hash) = match &newest {
        Some(row) => {
            let mut columns = Columns::of(row);
            (columns.number()?, columns.hash()?)
        }
        None => (0, [0; 32]),
    };
    for event in events {
        seq += 1;
        let body = event.to_json();
        let hash = hash_of(seq, &previous, &body);
        query("INSERT INTO audit (seq, body, previous, hash) VALUES ($1, $2, $3, $4)")
            .bind(stored(seq))
            .bind(body)
            .bind(previous.as_slice())
            .bind(hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        previous = hash;
    }
    Ok(())
}

fn logged(error: sqlx::Error) -> LogError {
    // The text for people is in the log; nobody needs more.
    let _ = unavailable(error);
    LogError
}
