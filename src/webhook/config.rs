//! The room's settings.

use std::path::PathBuf;

use super::Endpoint;

/// Whom to tell.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The file with the secret that signs what is sent.
    pub secret_file: PathBuf,
    /// The certificates (PEM) to one of which an https server's must lead.
    pub ca_file: PathBuf,
    /// Whether it is sent the audit trail, too.
    pub audit: bool,
}
