//! What is wrong with a configuration: all of it at once.

use std::fmt;

use crate::model::Class;

use super::Origin;

/// One mistake, at its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where it stands.
    pub origin: Origin,
    /// The key at fault, such as `gateway.listen`; empty when the text as a whole is.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with one key. The value itself is not repeated: it could be a secret in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The value is of another form.
    #[error("expected {0}")]
    Expected(&'static str),
    /// Neither file, environment, flag nor default give a value.
    #[error("is missing")]
    Missing,
    /// This key makes sense only with another.
    #[error("needs `{0}` too")]
    Needs(&'static str),
    /// The value is too small or too large.
    #[error("must be between {low} and {high}")]
    OutOfRange {
        /// The smallest that is accepted.
        low: String,
        /// The largest that is accepted.
        high: String,
    },
    /// The room that uses the value says why it cannot.
    #[error("{0}")]
    Refused(String),
    /// The text is not TOML.
    #[error("not valid TOML: {0}")]
    Syntax(String),
    /// There is no such key or section.
    #[error("unknown key{}", suggested(.suggestion.as_deref()))]
    Unknown {
        /// A key that looks like it.
        suggestion: Option<String>,
    },
}

/// Every mistake of a configuration, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Sorts `mistakes` by place and drops what is said twice.
    pub(super) fn new(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort();
        mistakes.dedup();
        Self(mistakes)
    }

    /// The mistakes, never none.
    pub fn as_slice(&self) -> &[Mistake] {
        &self.0
    }

    /// The operator's fault, always.
    pub const fn class(&self) -> Class {
        Class::Malformed
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            // What is missing stands nowhere.
            Origin::Default => f.write_str("configuration")?,
            origin => origin.fmt(f)?,
        }
        if self.key.is_empty() {
            write!(f, ": {}", self.fault)
        } else {
            write!(f, ": {}: {}", self.key, self.fault)
        }
    }
}

/// One line for each mistake.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

fn suggested(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |key| format!(", did you mean `{key}`?"))
}
