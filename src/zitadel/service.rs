//! The service and what it works with.

use crate::clock::Clock;
use crate::iam::Accounts;
use crate::iam::Authenticator;

/// The Zitadel-compatible API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) accounts: Accounts,
    pub(super) authenticator: Authenticator,
    pub(super) clock: Clock,
}

impl Service {
    /// Manages `accounts` for whoever `authenticator` knows.
    pub const fn new(accounts: Accounts, authenticator: Authenticator, clock: Clock) -> Self {
        Self {
            accounts,
            authenticator,
            clock,
        }
    }
}
