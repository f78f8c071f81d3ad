//! Why a run could not start or go on.

use std::io;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not of the form `host:port`.
    #[error("address `{0}` is not host:port")]
    Address(String),
    /// No TCP connection, no TLS session, or no HTTP/2 on it.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where to.
        address: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting makes no sense.
    #[error("{0}")]
    Config(&'static str),
    /// The credential cannot be sent.
    #[error("the credential holds characters that metadata cannot carry")]
    Credential,
    /// The machine's processor time cannot be observed.
    #[error("cannot read the processor time of this machine")]
    Machine(#[source] io::Error),
    /// The server's process cannot be observed.
    #[error("cannot read process {pid}")]
    Process {
        /// Which.
        pid: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
}
