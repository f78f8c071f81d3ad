//! How far outlets of the audit trail have come (iam A6).

use async_trait::async_trait;

use crate::audit::LogError;
use crate::audit::Outlets;
use crate::audit::Tenure;

use super::Store;
use super::log::logged;
use super::query::query;
use super::rows::Columns;
use super::rows::stored;

#[async_trait]
impl Outlets for Store {
    async fn claim(&self, name: &str, tenure: Tenure) -> Result<Option<u64>, LogError> {
        self.claim_outlet(name, tenure).await.map_err(logged)
    }

    async fn advance(&self, name: &str, tenure: Tenure, seq: u64) -> Result<bool, LogError> {
        // An earlier number never wins, whoever comes late.
        let sql = "UPDATE audit_outlets SET seq = $3, until = $4 \
                   WHERE name = $1 AND holder = $2 AND seq <= $3";
        let advanced = query(sql)
            .bind(name)
            .bind(tenure.holder)
            .bind(stored(seq))
            .bind(tenure.until.nanos())
            .execute(&self.writer)
            .await;
        Ok(advanced.map_err(logged)? == 1)
    }

    async fn newest(&self) -> Result<u64, LogError> {
        let row = query(NEWEST).fetch_one(&self.readers).await;
        row.and_then(|row| Columns::of(&row).number())
            .map_err(logged)
    }
}

impl Store {
    async fn claim_outlet(&self, name: &str, tenure: Tenure) -> Result<Option<u64>, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let newest = query(NEWEST).fetch_one(&mut transaction).await?;
        let sql = "INSERT INTO audit_outlets (name, seq, holder, until) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
                   WHERE audit_outlets.holder = excluded.holder OR audit_outlets.until <= $5 \
                   RETURNING seq";
        let row = query(sql)
            .bind(name)
            .bind(stored(Columns::of(&newest).number()?))
            .bind(tenure.holder)
            .bind(tenure.until.nanos())
            .bind(tenure.now.nanos())
            .fetch_optional(&mut transaction)
            .await?;
        let seq = row.map(|row| Columns::of(&row).number()).transpose()?;
        transaction.commit().await?;
        Ok(seq)
    }
}

/// Where the retention has removed all events, the chain goes on after them.
const NEWEST: &str = "SELECT coalesce(max(seq), (SELECT seq FROM audit_beginning), 0) FROM audit";
