//! Why a store cannot be opened.

use std::io;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;

use crate::iam::PepperError;
use crate::iam::port::Fault;
use crate::model::Class;

use super::UrlError;
use super::fault::fault_of;

/// Why a store cannot be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database keeps text in which not everybody's name can be written.
    #[error("{store} was not created with encoding UTF8")]
    Encoding {
        /// The database.
        store: String,
    },
    /// The file cannot be made, opened or read.
    #[error("{} cannot be created or opened", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A newer version of this program has written it.
    #[error("{store} was written by a newer version (schema {schema})")]
    Newer {
        /// The file or database.
        store: String,
        /// The newest migration that it has seen.
        schema: i64,
    },
    /// The tokens of the store are kept under another pepper.
    #[error("the store is of another pepper")]
    Pepper(#[source] PepperError),
    /// The database says no.
    #[error("{store} cannot be used: {fault}")]
    Unusable {
        /// The file or database.
        store: String,
        /// What is wrong.
        fault: Fault,
        /// What the database said.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// The address makes no sense.
    #[error("address of the store")]
    Url(#[source] UrlError),
}

impl Error {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        Class::Unavailable
    }

    pub(super) fn unusable(store: &str, source: sqlx::Error) -> Self {
        Self::Unusable {
            store: store.to_owned(),
            fault: fault_of(&source),
            source: Some(source),
        }
    }

    pub(super) fn migration(store: &str, error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(schema) => Self::Newer {
                store: store.to_owned(),
                schema,
            },
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                Self::unusable(store, source)
            }
            other => Self::unusable(store, sqlx::Error::Migrate(Box::new(other))),
        }
    }
}
