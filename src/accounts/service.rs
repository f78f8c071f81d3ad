//! What the handlers share.

use crate::iam::Accounts;
use crate::iam::Authenticator;
use crate::iam::Identity;

/// The account API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) accounts: Accounts,
    pub(super) authenticator: Authenticator,
}

impl Service {
    /// The API over these accounts.
    pub fn new(identity: &Identity) -> Self {
        Self {
            accounts: identity.accounts.clone(),
            authenticator: identity.authenticator.clone(),
        }
    }
}
