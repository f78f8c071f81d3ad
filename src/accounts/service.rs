//! What the handlers share.

use crate::iam::Accounts;
use crate::iam::Authenticator;

use super::Config;
use super::idempotency::Idempotency;

/// The account API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) accounts: Accounts,
    pub(super) authenticator: Authenticator,
    pub(super) config: Config,
    pub(super) idempotency: Idempotency,
}

impl Service {
    /// The API over these accounts.
    pub fn new(accounts: Accounts, authenticator: Authenticator, config: Config) -> Self {
        Self {
            accounts,
            authenticator,
            config,
            idempotency: Idempotency::default(),
        }
    }
}
