//! Why something was not done.

use std::time::Duration;

use crate::iam::AuthError;
use crate::iam::Denied;
use crate::iam::id::NoRandomness;
use crate::iam::port::RecordsError;
use crate::model::Class;

/// Why something was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// The caller may not.
    #[error("{0}")]
    Denied(Denied),
    /// A field of the request is wrong.
    #[error("{field} {problem}")]
    InvalidField {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The token would live longer than its tenant allows.
    #[error("expiration date is beyond the tenant's maximum lifetime")]
    LifetimeExceeds,
    /// The operating system gives no random numbers.
    #[error("no random numbers from the operating system")]
    NoRandomness,
    /// The password could not be hashed.
    #[error("password cannot be hashed now")]
    Password(#[source] AuthError),
    /// The store says no, or nothing.
    #[error("{0}")]
    Records(RecordsError),
    /// The tenant gets too many new tokens (iam L5).
    #[error("too many new tokens")]
    Throttled {
        /// When to try again.
        retry_after: Duration,
    },
}

impl AccountsError {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        match self {
            Self::Denied(denied) => denied.class(),
            Self::InvalidField { .. } => Class::Malformed,
            Self::LifetimeExceeds => Class::Conflict,
            Self::NoRandomness => Class::Internal,
            Self::Password(error) => error.class(),
            Self::Records(error) => error.class(),
            Self::Throttled { .. } => Class::Throttled,
        }
    }
}

impl From<Denied> for AccountsError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<NoRandomness> for AccountsError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl From<RecordsError> for AccountsError {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}
