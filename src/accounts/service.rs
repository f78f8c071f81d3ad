//! What the handlers share.

use crate::iam::Accounts;
use crate::iam::Authenticator;

use super::Config;

/// The account API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) accounts: Accounts,
    pub(super) authenticator: Authenticator,
    pub(super) config: Config,
}

impl Service {
    /// The API over these accounts.
    pub const fn new(accounts: Accounts, authenticator: Authenticator, config: Config) -> Self {
        Self {
            accounts,
            authenticator,
            config,
        }
    }
}
