//! Which pepper the tokens of a store are kept under, so that a node with another one does not serve.

use crate::iam::Pepper;
use crate::iam::PepperProof;

use super::Error;
use super::Store;
use super::database::On;
use super::query::query;
use super::rows::Columns;
use super::rows::stored;

impl Store {
    /// Whether tokens have been kept under a pepper here.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when the store does not answer.
    pub async fn knows_a_pepper(&self) -> Result<bool, Error> {
        let proofs = proofs((&self.readers).into()).await;
        Ok(!proofs.map_err(failed)?.is_empty())
    }

    /// Checks that `pepper` is the one of this store, and notes keys of it that are new.
    ///
    /// # Errors
    ///
    /// [`Error::Pepper`] when it is another, and every token would be refused.
    pub async fn agree_on_pepper(&self, pepper: &Pepper) -> Result<(), Error> {
        let mut transaction = self.begin().await.map_err(failed)?;
        let known = proofs((&mut transaction).into()).await.map_err(failed)?;
        pepper.check(&known).map_err(Error::Pepper)?;
        for proof in pepper.proofs() {
            let sql = "INSERT INTO peppers (key, proof) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            query(sql)
                .bind(proof.key)
                .bind(proof.bytes.as_slice())
                .execute(&mut transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }
}

async fn proofs(on: On<'_>) -> Result<Vec<PepperProof>, sqlx::Error> {
    let sql = "SELECT proof, key FROM peppers ORDER BY key LIMIT $1";
    let rows = query(sql).bind(stored(MOST_KEYS)).fetch_all(on).await?;
    rows.iter()
        .map(|row| Columns::of(row).pepper_proof())
        .collect()
}

fn failed(error: sqlx::Error) -> Error {
    Error::unusable("the store", error)
}

/// More than one a day, for years.
const MOST_KEYS: u64 = 10_000;
