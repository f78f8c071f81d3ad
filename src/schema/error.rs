//! What can be wrong with modules, and with data.

use std::path::PathBuf;

use crate::model::Class;

/// Why a set of modules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The folder of modules cannot be read.
    #[error("{} cannot be read", .path.display())]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// libyang refuses a module.
    #[error("YANG module {module} is refused: {reason}")]
    Module {
        /// Which module.
        module: String,
        /// What libyang says.
        reason: String,
    },
    /// Configuration of another shape than a container with one list.
    #[error("YANG node {path} is not stored: only lists in top-level containers are")]
    Shape {
        /// The node.
        path: String,
    },
}

impl LoadError {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        Class::Malformed
    }
}

/// What is wrong with data or a path: an error of RFC 8040 section 7 without its status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The error-tag.
    pub tag: Tag,
    /// The error-app-tag (RFC 7950 section 15).
    pub app_tag: Option<String>,
    /// The error-path, an instance-identifier.
    pub path: Option<String>,
    /// The error-message.
    pub message: String,
}

impl Fault {
    /// A fault that is at no place in particular.
    pub fn new(tag: Tag, message: impl Into<String>) -> Self {
        Self {
            tag,
            app_tag: None,
            path: None,
            message: message.into(),
        }
    }

    /// The same fault at `path`.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same fault with an application's tag.
    #[must_use]
    pub fn app_tag(mut self, app_tag: &str) -> Self {
        self.app_tag = Some(app_tag.to_owned());
        self
    }

    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        match self.tag {
            Tag::DataExists | Tag::DataMissing | Tag::InUse => Class::Conflict,
            Tag::TooBig => Class::TooLarge,
            Tag::OperationNotSupported => Class::Unsupported,
            Tag::Internal => Class::Internal,
            _ => Class::Malformed,
        }
    }
}

/// The error-tags that data can earn (RFC 8040 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// A value of the wrong form, or a condition that does not hold.
    BadElement,
    /// It is there already.
    DataExists,
    /// It is not there.
    DataMissing,
    /// Something refers to it.
    InUse,
    /// libyang has failed in a way that it must not.
    Internal,
    /// A value that its type refuses, or a resource that cannot be.
    InvalidValue,
    /// Not well-formed.
    MalformedMessage,
    /// A mandatory node is missing.
    MissingElement,
    /// A constraint does not hold.
    OperationFailed,
    /// Understood, but not offered.
    OperationNotSupported,
    /// Too long.
    TooBig,
    /// An annotation that nobody knows.
    UnknownAttribute,
    /// A node that no module has.
    UnknownElement,
    /// A module that nobody knows.
    UnknownNamespace,
}

impl Tag {
    /// The word of RFC 8040 section 7.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadElement => "bad-element",
            Self::DataExists => "data-exists",
            Self::DataMissing => "data-missing",
            Self::InUse => "in-use",
            Self::InvalidValue => "invalid-value",
            Self::Internal | Self::OperationFailed => "operation-failed",
            Self::MalformedMessage => "malformed-message",
            Self::MissingElement => "missing-element",
            Self::OperationNotSupported => "operation-not-supported",
            Self::TooBig => "too-big",
            Self::UnknownAttribute => "unknown-attribute",
            Self::UnknownElement => "unknown-element",
            Self::UnknownNamespace => "unknown-namespace",
        }
    }
}
