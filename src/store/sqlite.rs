//! Opening the file.

use std::fs;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::sqlite::SqliteSynchronous;
use tokio::time::Instant;

use crate::iam::port::Fault;

use super::Error;
use super::Store;
use super::database::Pool;

impl Store {
    /// Opens the file at `path`, or makes it, readable by its owner alone. Checks its structure, which reads all of it,
    /// and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] with [`Fault::Corrupt`] for a damaged file, with [`Fault::Full`] or [`Fault::ReadOnly`] for
    /// a disk that takes no writes; [`Error::Newer`] for a file that a newer version has written.
    pub async fn open_sqlite(path: &Path) -> Result<Self, Error> {
        create(path).map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })?;
        let began = Instant::now();
        loop {
            let opened = Self::try_open(path).await;
            let is_busy = matches!(
                opened,
                Err(Error::Unusable {
                    fault: Fault::Busy,
                    ..
                })
            );
            if !is_busy || began.elapsed() > BUSY_TIMEOUT {
                return opened;
            }
            // While another process makes the file, SQLite does not always wait by itself.
            tokio::time::sleep(OPEN_PAUSE).await;
        }
    }

    async fn try_open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let unusable = |source| Error::unusable(&name, source);
        let (writer, readers) = connect(path).await.map_err(unusable)?;
        if !is_sound(&writer).await.map_err(unusable)? {
            return Err(Error::Unusable {
                store: name,
                fault: Fault::Corrupt,
                source: None,
            });
        }
        let store = Self {
            writer: Pool::Sqlite(writer),
            readers: Pool::Sqlite(readers),
            notifications: None,
        };
        store
            .migrate()
            .await
            .map_err(|error| Error::migration(&name, error))?;
        Ok(store)
    }
}

async fn connect(path: &Path) -> Result<(SqlitePool, SqlitePool), sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit returns when it would survive a power cut, not just the end of the process.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(BUSY_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    let writer = pool()
        .max_connections(1)
        .connect_with(options.clone())
        .await?;
    let readers = pool()
        .max_connections(READERS)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok((writer, readers))
}

async fn is_sound(writer: &SqlitePool) -> Result<bool, sqlx::Error> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(writer)
        .await?;
    if found != "ok" {
        tracing::error!(found, "database is corrupt");
    }
    Ok(found == "ok")
}

/// Makes an empty file, before SQLite would make one that everybody can read. Its companions inherit the mode.
///
/// Does not touch one that is there: to close it would drop the locks that this process has on it through SQLite.
fn create(path: &Path) -> io::Result<()> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path);
    match created {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::metadata(path)?.is_file() {
                Ok(())
            } else {
                Err(io::ErrorKind::IsADirectory.into())
            }
        }
        other => other.map(drop),
    }
}

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two attempts to open a file that another process is making.
const OPEN_PAUSE: Duration = Duration::from_millis(20);

/// Connections that read: enough to keep a few cores busy.
const READERS: u32 = 4;

const OWNER_ONLY: u32 = 0o600;
