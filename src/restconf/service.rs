//! What the handlers work with.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::iam::Authenticator;
use crate::iam::Identity;
use crate::iam::Registry;
use crate::schema::Lenience;
use crate::schema::Schema;

use super::Config;

/// RESTCONF, ready to be put on a port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) authenticator: Authenticator,
    pub(super) registry: Registry,
    pub(super) clock: Clock,
    pub(super) datastore: Datastore,
    pub(super) config: Config,
}

impl Service {
    /// On top of the accounts and the datastore.
    pub fn new(identity: &Identity, datastore: Datastore, clock: Clock, config: Config) -> Self {
        Self {
            authenticator: identity.authenticator.clone(),
            registry: identity.registry.clone(),
            clock,
            datastore,
            config,
        }
    }

    /// The model of what is served.
    pub const fn schema(&self) -> &Arc<Schema> {
        self.datastore.schema()
    }

    /// Hears of what other nodes tell, until cancelled.
    pub async fn follow(self, stop: CancellationToken) {
        self.datastore.notices().follow(stop).await;
    }

    /// What of a body is put right.
    pub(super) const fn lenience(&self) -> Lenience {
        Lenience {
            numbers: self.config.string_numbers,
            ignored: if self.config.auto_start {
                AUTO_START
            } else {
                &[]
            },
        }
    }
}

/// The model had it until 2024, and it never did anything.
const AUTO_START: &[(&str, &str)] = &[("/Accedian-session:sessions/session", "auto-start")];
