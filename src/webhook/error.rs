//! Why the room cannot be opened.

use std::io;
use std::path::PathBuf;

/// Why the room cannot be opened. Each is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host of an https URL has no form that a certificate could have.
    #[error("webhook host cannot be the name of a certificate")]
    Host,
    /// The secret cannot be read.
    #[error("cannot read the webhook secret from {path}")]
    Secret {
        /// From where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The secret is shorter than 16 bytes.
    #[error("webhook secret in {0} is shorter than 16 bytes")]
    ShortSecret(PathBuf),
}
