//! Where a value comes from.

use std::fmt;
use std::sync::Arc;

/// The source of one value, precise enough to find and mend it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A line of the file.
    File {
        /// The file, as it was named.
        name: Arc<str>,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag on the command line, by its key.
    Flag(String),
    /// Nowhere: what the program does without being told.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(key) => write!(f, "flag {key}"),
            Self::Default => f.write_str("default"),
        }
    }
}
