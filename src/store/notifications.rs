//! What other nodes have changed, told by the server at once (iam R3).
//!
//! A notification is a hint and nothing more: it can be lost, so whoever follows the log also asks from time to time.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Store;
use super::database::Transaction;
use super::query::query;

/// The connection that listens, and who waits for it.
#[derive(Clone, Debug)]
pub(super) struct Notifications {
    pool: PgPool,
    arrived: Arc<Notify>,
}

impl Store {
    /// Listens for changes of other nodes until `stop`, and reconnects when the connection is lost. A gateway runs this
    /// as long as it serves. Returns at once for a store that has nobody to listen to.
    pub async fn listen(&self, stop: CancellationToken) {
        if let Some(notifications) = &self.notifications {
            tokio::select! {
                () = stop.cancelled() => {}
                () = notifications.follow() => {}
            }
        }
    }

    /// Waits until there may be new entries in the revocation log.
    pub(super) async fn hint(&self) {
        match &self.notifications {
            Some(notifications) => notifications.arrived.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl Notifications {
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            arrived: Arc::default(),
        }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    async fn follow(&self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let lost = match self.connect().await {
                Ok(listener) => {
                    tracing::info!("listening for changes of other nodes");
                    pause = SHORTEST_PAUSE;
                    // Something may have been missed before.
                    self.arrived.notify_one();
                    self.receive(listener).await
                }
                Err(error) => error,
            };
            tracing::warn!(error = %lost, pause = ?pause, "lost the notifications of the store; polling goes on");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connect(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    /// Receives until the connection is lost, and says why.
    async fn receive(&self, mut listener: PgListener) -> sqlx::Error {
        loop {
            match tokio::time::timeout(SILENCE, listener.try_recv()).await {
                Ok(Ok(Some(_))) => {
                    // One look at the log finds what all of them are about.
                    while listener.next_buffered().is_some() {}
                    self.arrived.notify_one();
                }
                Ok(Ok(None)) => return sqlx::Error::WorkerCrashed,
                Ok(Err(error)) => return error,
                Err(_) => {
                    let probe = tokio::time::timeout(PROBE_TIMEOUT, listener.execute("SELECT 1"));
                    match probe.await {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => return error,
                        Err(_) => return sqlx::Error::PoolTimedOut,
                    }
                }
            }
        }
    }
}

/// Tells all nodes, when the transaction commits.
pub(super) async fn announce(transaction: &mut Transaction) -> Result<(), sqlx::Error> {
    if matches!(transaction, Transaction::Postgres(..)) {
        query("SELECT pg_notify($1, '')")
            .bind(CHANNEL)
            .execute(transaction)
            .await?;
    }
    Ok(())
}

const CHANNEL: &str = "tollgate_revocations";

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Meanwhile the log is read by polling, so nobody waits for this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After so long without a notification the connection is tried: a peer that is gone says nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// A server that takes longer to say nothing is gone.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
