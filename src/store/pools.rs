//! An open store: who reads, who writes.

use sqlx::migrate::MigrateError;

use super::database::Pool;
use super::database::Transaction;
use super::database::within;
use super::migrations::migrator;
use super::notifications::Notifications;
use super::query::query;

/// An open store: a SQLite file of this machine, or a PostgreSQL database that several gateways share. Cheap to clone.
///
/// Several processes may have it open at once: gateways, and commands that manage accounts.
#[derive(Clone, Debug)]
pub struct Store {
    /// Apart from the readers, so that writers who wait for each other never keep a look-up waiting.
    pub(super) writer: Pool,
    pub(super) readers: Pool,
    /// Where others write, too, and can say so.
    pub(super) notifications: Option<Notifications>,
}

impl Store {
    /// Waits for what is running and closes the store. What was acknowledged is on the disk in any case.
    pub async fn close(&self) {
        if let Some(notifications) = &self.notifications {
            notifications.close().await;
        }
        for pool in [&self.readers, &self.writer] {
            match pool {
                Pool::Postgres(pool, _) => pool.close().await,
                Pool::Sqlite(pool) => pool.close().await,
            }
        }
    }

    /// A transaction that is the only one to write from its beginning, on all nodes: what it looks at stays true until
    /// it commits, and numbers that it gives out become visible in their order.
    pub(super) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        match &self.writer {
            Pool::Postgres(pool, deadline) => {
                // Each statement must see what was committed before it, the first after the lock above all.
                let statement = "BEGIN ISOLATION LEVEL READ COMMITTED";
                let begun = within(*deadline, pool.begin_with(statement)).await?;
                let mut transaction = Transaction::Postgres(begun, *deadline);
                // Held until the commit is visible to everybody.
                query("SELECT pg_advisory_xact_lock($1)")
                    .bind(WRITER_LOCK)
                    .execute(&mut transaction)
                    .await?;
                Ok(transaction)
            }
            Pool::Sqlite(pool) => pool
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map(Transaction::Sqlite),
        }
    }

    /// Brings the schema up to date, all steps or none. Of two processes that come at once, one waits and finds it done.
    pub(super) async fn migrate(&self) -> Result<(), MigrateError> {
        let migrator = migrator(&self.writer);
        let mut transaction = self.begin().await?;
        match &mut transaction {
            Transaction::Postgres(on, _) => migrator.run_direct(None, &mut **on, false).await?,
            Transaction::Sqlite(on) => migrator.run_direct(None, &mut **on, false).await?,
        }
        Ok(transaction.commit().await?)
    }
}

/// Names the writers' lock among the advisory locks of a PostgreSQL database: "tollgate" in ASCII.
const WRITER_LOCK: i64 = i64::from_be_bytes(*b"tollgate");
