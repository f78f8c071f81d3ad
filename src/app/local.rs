//! What lies in the data directory: the store, the pepper, and the accounts on top.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::iam;
use crate::iam::Identity;
use crate::iam::Pepper;
use crate::store::PostgresConfig;
use crate::store::Store;

use super::Error;

/// The accounts of one data directory, or of the store that it shares. Several processes may have it open: a gateway, and commands that manage accounts.
#[derive(Clone, Debug)]
pub struct Local {
    /// Authenticator, registry and accounts.
    pub identity: Identity,
    /// The store below them.
    pub store: Store,
}

impl Local {
    /// Opens the data directory, or makes it, for its owner alone; and the shared store, where there is one.
    ///
    /// # Errors
    ///
    /// [`Error`]: the directory, the store or the pepper cannot be used.
    pub async fn open(
        data_dir: &Path,
        shared: Option<&PostgresConfig>,
        config: iam::Config,
        clock: Clock,
    ) -> Result<Self, Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(OWNER_ONLY)
            .create(data_dir)
            .map_err(|source| Error::DataDir {
                path: data_dir.to_owned(),
                source,
            })?;
        let pepper = data_dir.join(PEPPER);
        let store = match shared {
            Some(shared) => Store::open_postgres(shared).await.map_err(Error::Store)?,
            None => open_own(&data_dir.join(DATABASE), &pepper).await?,
        };
        // With a new one every token would be void.
        if !pepper.exists() && store.knows_a_pepper().await.map_err(Error::Store)? {
            return Err(Error::PepperLost(pepper));
        }
        // Beside the database, not in it: a stolen dump confirms no token (iam T4).
        let pepper = Pepper::open_or_create(&pepper).map_err(Error::Pepper)?;
        store.agree_on_pepper(&pepper).await.map_err(Error::Store)?;
        let records = Arc::new(store.clone());
        let log = Arc::new(store.clone());
        let identity = Identity::open(records, log, pepper, config, clock)
            .await
            .map_err(Error::Accounts)?;
        Ok(Self { identity, store })
    }
}

/// The pepper is made first, so a database without one has lost it.
async fn open_own(database: &Path, pepper: &Path) -> Result<Store, Error> {
    if database.exists() && !pepper.exists() {
        return Err(Error::PepperLost(pepper.to_owned()));
    }
    Pepper::open_or_create(pepper).map_err(Error::Pepper)?;
    Store::open_sqlite(database).await.map_err(Error::Store)
}

const DATABASE: &str = "tollgate.db";
const PEPPER: &str = "pepper";
const OWNER_ONLY: u32 = 0o700;
