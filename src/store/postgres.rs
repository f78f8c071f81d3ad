//! Opening a shared database.

use std::fs;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::Executor as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgPoolOptions;
use zeroize::Zeroizing;

use super::Error;
use super::PostgresConfig;
use super::Store;
use super::database::Pool;
use super::database::within;
use super::notifications::Notifications;

impl Store {
    /// Opens a shared database, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when it does not answer or lets this user do too little; [`Error::Newer`] when a newer version
    /// has brought its schema up to date; [`Error::Encoding`] when it keeps no Unicode.
    pub async fn open_postgres(config: &PostgresConfig) -> Result<Self, Error> {
        let name = config.url.to_string();
        let options = options(config)?;
        // Not through a pool, which tries again and again, and in the end cannot say what was wrong.
        let encoding = within(config.connect_timeout, encoding(&options))
            .await
            .map_err(|source| Error::unusable(&name, source))?;
        if encoding != ENCODING {
            return Err(Error::Encoding { store: name });
        }
        let pool = |connections| pool(config, connections).connect_lazy_with(options.clone());
        let shared = |pool| Pool::Postgres(pool, config.query_timeout.saturating_add(GRACE));
        let store = Self {
            writer: shared(pool(WRITERS)),
            readers: shared(pool(config.connections)),
            notifications: Some(Notifications::new(pool(1))),
        };
        store
            .migrate()
            .await
            .map_err(|error| Error::migration(&name, error))?;
        Ok(store)
    }
}

async fn encoding(options: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut connection = options.connect().await?;
    let encoding = sqlx::query_scalar("SELECT current_setting('server_encoding')")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(encoding)
}

fn options(config: &PostgresConfig) -> Result<PgConnectOptions, Error> {
    let timeout = format!("{}ms", config.query_timeout.as_millis());
    let options = config
        .url
        .options()
        .map_err(Error::Url)?
        .application_name(env!("CARGO_PKG_NAME"))
        .options([
            ("statement_timeout", &timeout),
            ("lock_timeout", &timeout),
            // A node that stops in the middle of a change, or is cut off, must not hold up the others.
            ("idle_in_transaction_session_timeout", &timeout),
            ("tcp_user_timeout", &timeout),
        ]);
    let Some(path) = &config.password_file else {
        return Ok(options);
    };
    let text = fs::read_to_string(path).map_err(|source| Error::File {
        path: path.clone(),
        source,
    })?;
    let text = Zeroizing::new(text);
    Ok(options.password(text.trim_end_matches(['\r', '\n'])))
}

fn pool(config: &PostgresConfig, connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(config.connect_timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(DURABLE).await?;
                Ok(())
            })
        })
}

/// What is acknowledged is on the disk, also where the server's own setting is to promise more than that it did.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                       WHERE current_setting('synchronous_commit') = 'off'";

/// The server's name for UTF-8.
const ENCODING: &str = "UTF8";

/// Writers of all nodes take turns, so a node needs one connection to write and one that already waits.
const WRITERS: u32 = 2;

/// The server gives up first, and says why; this is for a server that says nothing any more.
const GRACE: Duration = Duration::from_secs(1);

/// A connection that nobody has used for so long is given back to the server.
const IDLE_TIMEOUT: Duration = Duration::from_mins(10);

/// Connections follow a server that has moved, and let go of its memory.
const MAX_LIFETIME: Duration = Duration::from_mins(30);
