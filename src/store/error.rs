//! Why a store cannot be opened.

use std::io;
use std::path::PathBuf;

use crate::iam::port::Fault;
use crate::model::Class;

/// Why a store cannot be opened. Nothing in the file was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be made or opened.
    #[error("{} cannot be created or opened", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A newer version of this program has written it.
    #[error("{} was written by a newer version (schema {schema})", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The newest migration that it has seen.
        schema: i64,
    },
    /// The database says no.
    #[error("{} cannot be used: {fault}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
        /// What the database said.
        #[source]
        source: Option<sqlx::Error>,
    },
}

impl Error {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        Class::Unavailable
    }
}
