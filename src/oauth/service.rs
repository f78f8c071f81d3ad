//! What the handlers share.

use axum::Router;

use crate::iam::Accounts;
use crate::iam::Authenticator;
use crate::iam::Identity;

use super::Config;
use super::routes;

/// The OAuth endpoints. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service {
    pub(super) accounts: Accounts,
    pub(super) authenticator: Authenticator,
    pub(super) config: Config,
}

impl Service {
    /// The endpoints over these accounts.
    pub fn new(identity: &Identity, config: Config) -> Self {
        Self {
            accounts: identity.accounts.clone(),
            authenticator: identity.authenticator.clone(),
            config,
        }
    }

    /// `/oauth2/introspect`, for the gateway's port.
    pub fn gateway_router(self) -> Router {
        routes::gateway(self)
    }

    /// `/oauth/v2/token` and `/oauth/v2/introspect`, where Zitadel has them, for the IAM port.
    pub fn iam_router(self) -> Router {
        routes::iam(self)
    }
}
