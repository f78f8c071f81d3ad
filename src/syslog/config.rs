//! The room's settings.

use std::path::PathBuf;

use super::Address;

/// Whom to tell.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub address: Address,
    /// The certificates (PEM) to one of which a TLS server's must lead.
    pub ca_file: PathBuf,
}
