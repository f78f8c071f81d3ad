//! Why a store does not do what it is asked.

use crate::model::Class;

use super::AccountKind;

/// Why a store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// The account was changed since it was read.
    #[error("account was changed by another writer")]
    Changed,
    /// No such tenant, account or token.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A token of the account has this name.
    #[error("token name is taken")]
    PatNameTaken,
    /// The tenant or the account has as many active tokens as it may.
    #[error("{0} has as many active tokens as it may")]
    QuotaExceeded(&'static str),
    /// The tenant exists.
    #[error("tenant exists")]
    TenantExists,
    /// The store cannot be used now. It has logged why.
    #[error("store is unavailable: {0}")]
    Unavailable(Fault),
    /// The tenant has an account of this name.
    #[error("username is taken by a {}", .0.as_str())]
    UsernameTaken(AccountKind),
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Another writer did not finish in time.
    #[error("it is busy")]
    Busy,
    /// Its content makes no sense.
    #[error("its file is corrupt")]
    Corrupt,
    /// No room for more.
    #[error("its disk is full")]
    Full,
    /// Anything else.
    #[error("it does not answer")]
    Other,
    /// It may not be written.
    #[error("it is read-only")]
    ReadOnly,
}

impl RecordsError {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        match self {
            Self::Changed
            | Self::PatNameTaken
            | Self::QuotaExceeded(_)
            | Self::TenantExists
            | Self::UsernameTaken(_) => Class::Conflict,
            Self::NotFound(_) => Class::NotFound,
            Self::Unavailable(_) => Class::Unavailable,
        }
    }
}
