//! What a token can be narrowed to below its account's roles.

use std::fmt;
use std::str::FromStr;

/// One narrowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Reads, and nothing else.
    ReadOnly,
}

/// The text names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope")]
pub struct NotAScope;

impl Scope {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => READ_ONLY,
        }
    }
}

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        if text == READ_ONLY {
            Ok(Self::ReadOnly)
        } else {
            Err(NotAScope)
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const READ_ONLY: &str = "read-only";
