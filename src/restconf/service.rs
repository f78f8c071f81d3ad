//! What the handlers work with.

use std::sync::Arc;

use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::iam::Authenticator;
use crate::iam::Identity;
use crate::iam::Registry;
use crate::schema::Schema;

/// RESTCONF, ready to be put on a port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) authenticator: Authenticator,
    pub(super) registry: Registry,
    pub(super) clock: Clock,
    pub(super) datastore: Datastore,
}

impl Service {
    /// On top of the accounts and the datastore.
    pub fn new(identity: &Identity, datastore: Datastore, clock: Clock) -> Self {
        Self {
            authenticator: identity.authenticator.clone(),
            registry: identity.registry.clone(),
            clock,
            datastore,
        }
    }

    pub(super) const fn schema(&self) -> &Arc<Schema> {
        self.datastore.schema()
    }
}
