//! Why an edit is not made.

use crate::model::Class;
use crate::schema::Fault;
use crate::schema::Tag;

use super::port::Unavailable;

/// Why an edit is not made. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Other writers were always faster.
    #[error("too many others write the same entries")]
    Busy,
    /// The data is not right; the number is that of the edit, where there are several.
    #[error("data is refused")]
    Fault {
        /// Which edit, counted from zero.
        edit: Option<usize>,
        /// What is wrong.
        #[source]
        fault: Fault,
    },
    /// It is not as the writer believed.
    #[error("precondition does not hold")]
    Precondition,
    /// The store does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl EditError {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        match self {
            Self::Busy | Self::Precondition => Class::Conflict,
            Self::Fault { fault, .. } => fault.class(),
            Self::Unavailable(_) => Class::Unavailable,
        }
    }
}

impl From<Fault> for EditError {
    fn from(fault: Fault) -> Self {
        Self::Fault { edit: None, fault }
    }
}

/// Something went wrong that must not.
pub(super) fn internal() -> Fault {
    Fault::new(Tag::Internal, "internal error")
}
