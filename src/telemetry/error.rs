//! Why the core refuses a write or ends a subscriber.

use crate::model::Class;
use crate::model::Path;

/// A refused write. Nothing of it has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tenant has as many leaves as it may have.
    #[error("the tenant may have {0} leaves")]
    Full(usize),
    /// The path holds a value, so nothing can be below it; or it has something below, so it holds no value.
    #[error("{0} cannot be both a leaf and a container")]
    Shape(Path),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Full(_) => Class::TooLarge,
            Self::Shape(_) => Class::Malformed,
        }
    }
}

/// Why the core ended a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Overrun {
    /// More bytes waited than the limit.
    #[error("the subscriber's queue exceeds {0} bytes: read faster or subscribe to less")]
    Bytes(usize),
    /// More distinct leaves waited than the limit.
    #[error("the subscriber's queue exceeds {0} entries: read faster or subscribe to less")]
    Entries(usize),
    /// Nothing was read for too long.
    #[error("the subscriber's queue was not read for {0} s")]
    Stalled(u64),
}
