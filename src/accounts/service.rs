//! What the handlers share.

use crate::iam::Accounts;
use crate::iam::Authenticator;
use crate::iam::Identity;

use super::Config;
use super::assertion::Assertions;
use super::assertion::PURPOSE;
use super::idempotency::Idempotency;

/// The account API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) accounts: Accounts,
    pub(super) authenticator: Authenticator,
    pub(super) config: Config,
    pub(super) idempotency: Idempotency,
    pub(super) assertions: Assertions,
}

impl Service {
    /// The API over these accounts.
    pub fn new(identity: &Identity, config: Config) -> Self {
        Self {
            accounts: identity.accounts.clone(),
            authenticator: identity.authenticator.clone(),
            config,
            idempotency: Idempotency::default(),
            assertions: Assertions::new(identity.secrets(PURPOSE)),
        }
    }
}
