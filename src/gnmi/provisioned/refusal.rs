//! Why a Set is not taken.

use crate::model::Class;
use crate::schema::Fault;

use super::plan::MOST_EDITS;

/// Why the datastore does not take an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(in crate::gnmi) enum Refusal {
    /// The data is not right.
    #[error("{}", shown(.0))]
    Fault(#[from] Fault),
    /// The value contradicts the path (gNMI spec 3.4.5).
    #[error("a key differs between path and val")]
    KeyConflict,
    /// Part of the keys, or none (gNMI spec 3.4.5).
    #[error("path has not all keys of a list")]
    KeysMissing,
    /// A key that no entry can have.
    #[error("a key has a NUL byte")]
    NotAKey,
    /// Text where a list's entry must be.
    #[error("val is not a JSON object")]
    NotAnObject,
    /// A form that no leaf has.
    #[error("val is missing or of a form that is not supported")]
    NotAValue,
    /// No module has such a node.
    #[error("path is not in the model")]
    NotInModel,
    /// Broken text.
    #[error("val is not valid JSON")]
    NotJson,
    /// State, or a part of the gateway's own description.
    #[error("path is not configuration")]
    ReadOnly,
    /// Wildcards name too much.
    #[error("the request names more than {MOST_EDITS} nodes")]
    TooMany,
}

impl Refusal {
    /// Whose fault it is.
    pub(in crate::gnmi) const fn class(&self) -> Class {
        match self {
            Self::Fault(fault) => fault.class(),
            Self::NotInModel => Class::NotFound,
            Self::TooMany => Class::TooLarge,
            _ => Class::Malformed,
        }
    }

    /// Whether it depends on other data than the request's: another time it may be right.
    pub(in crate::gnmi) fn is_precondition(&self) -> bool {
        match self {
            Self::Fault(fault) => {
                fault.class() == Class::Conflict
                    || fault.app_tag.as_deref() == Some("data-not-unique")
            }
            _ => false,
        }
    }
}

/// The place where something is wrong, unless the message names it.
fn shown(fault: &Fault) -> String {
    let text = match &fault.path {
        Some(path) => format!("{} at {path}", fault.message),
        None => fault.message.clone(),
    };
    // It travels in a header, and may have what the client has sent.
    text.replace(char::is_control, " ")
}
