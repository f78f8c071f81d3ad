//! What is wrong with a request. Messages name the part at fault.

use std::fmt;

use crate::model::Class;
use crate::wire::EncodingError;
use crate::wire::PathError;
use crate::wire::ValueError;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Error {
    /// A lower election id than the highest seen (gnmi-master-arbitration 3.2).
    #[error("election_id is lower than {high}:{low}, the highest for this role")]
    Arbitration {
        /// Upper half of the highest.
        high: u64,
        /// Lower half of the highest.
        low: u64,
    },
    /// Configuration is not for this role.
    #[error("role does not allow this with configuration")]
    ConfigDenied,
    /// The datastore takes no edit now.
    #[error(transparent)]
    Edit(crate::datastore::EditError),
    /// A list entry replaced with nothing (gNMI spec 3.4.4).
    #[error("{0}: a list entry cannot be replaced with nothing")]
    EmptyEntry(Place),
    /// The encoding cannot be used.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// An extension that is known and cannot be used here.
    #[error("extension {0} is not allowed here")]
    ExtensionMisplaced(&'static str),
    /// An extension that is known and not offered.
    #[error("extension {0} is not offered")]
    ExtensionUnsupported(&'static str),
    /// A field holds what it must not.
    #[error("{field}: {problem}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A metadata value cannot be used.
    #[error("metadata {key}: {problem}")]
    Metadata {
        /// Which.
        key: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// There is no copy of the datastore to read.
    #[error(transparent)]
    Mirror(#[from] super::provisioned::MirrorError),
    /// Nothing is there.
    #[error("nothing at {0}")]
    NothingThere(Shown),
    /// A delete of everything, whatever its origin.
    #[error("{0}: path must name an origin")]
    OriginMissing(Place),
    /// The token is narrowed to other paths or targets.
    #[error("token does not reach {0}")]
    OutOfReach(Shown),
    /// A path of the request.
    #[error("{place}: {source}")]
    Path {
        /// Which.
        place: Place,
        /// What is wrong.
        source: PathError,
    },
    /// The datastore does not take an operation.
    #[error("{place}: {source}")]
    Refused {
        /// Which operation.
        place: Place,
        /// Why.
        source: super::provisioned::Refusal,
    },
    /// The request is too large.
    #[error("{what}: more than {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// Too many roles take part in arbitration.
    #[error("more than {0} roles in arbitration")]
    TooManyRoles(usize),
    /// The model is not one of ours.
    #[error("use_models: model {0} is unknown")]
    UnknownModel(Shown),
    /// There is no such target.
    #[error("target {0} does not exist")]
    UnknownTarget(Shown),
    /// An origin that takes no such operation.
    #[error("{place}: origin {origin} is not offered")]
    UnsupportedOrigin {
        /// Which path.
        place: Place,
        /// The origin.
        origin: &'static str,
    },
    /// A value of a Set.
    #[error("{place}: {source}")]
    Value {
        /// Which operation.
        place: Place,
        /// What is wrong.
        source: ValueError,
    },
    /// The values of a Set do not fit into the tree.
    #[error(transparent)]
    Write(#[from] crate::telemetry::Error),
}

/// Which of a repeated field's messages: `update[3]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) field: &'static str,
    pub(super) index: usize,
}

/// Text of a peer, made fit for a message that travels in a header.
#[derive(Clone, Debug)]
pub(super) struct Shown(Box<str>);

impl Error {
    /// What the audit trail says, where a credential wanted more than it may have.
    pub(super) const fn denial(&self) -> Option<&'static str> {
        match self {
            Self::ConfigDenied => Some("insufficient_role"),
            Self::OutOfReach(_) => Some("out_of_reach"),
            _ => None,
        }
    }

    /// Whose fault it is.
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Arbitration { .. } | Self::ConfigDenied | Self::OutOfReach(_) => Class::Denied,
            Self::Edit(error) => error.class(),
            Self::Mirror(error) => error.class(),
            Self::Refused { source, .. } => source.class(),
            Self::Encoding(error) => error.class(),
            Self::ExtensionUnsupported(_) | Self::UnsupportedOrigin { .. } => Class::Unsupported,
            Self::EmptyEntry(_)
            | Self::ExtensionMisplaced(_)
            | Self::Field { .. }
            | Self::Metadata { .. }
            | Self::OriginMissing(_)
            | Self::TooMany { .. }
            | Self::UnknownModel(_) => Class::Malformed,
            Self::NothingThere(_) | Self::UnknownTarget(_) => Class::NotFound,
            Self::Path { source, .. } => source.class(),
            Self::TooManyRoles(_) => Class::TooLarge,
            Self::Value { source, .. } => source.class(),
            Self::Write(error) => error.class(),
        }
    }
}

impl Shown {
    /// Short, and without control characters.
    pub(super) fn new(text: &str) -> Self {
        let mut shown: String = text
            .chars()
            .take(MAX_SHOWN_CHARS)
            .flat_map(char::escape_debug)
            .collect();
        if text.chars().nth(MAX_SHOWN_CHARS).is_some() {
            shown.push_str("...");
        }
        Self(shown.into())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.field, self.index)
    }
}

/// Messages travel in an HTTP/2 header, whose size is limited.
const MAX_SHOWN_CHARS: usize = 200;
