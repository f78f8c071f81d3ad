//! Why there is no certificate.

use std::path::PathBuf;

use crate::pki;
use crate::transport::DialError;

/// Why there is no certificate. Nothing was replaced on disk.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnrollError {
    /// The gateway's address is not of the form `host:port`.
    #[error("--gateway is not host:port")]
    Address,
    /// What was answered is not the certificate that was asked for.
    #[error("gateway answered with something else than a certificate for this key")]
    Answer,
    /// The connection failed, or broke off.
    #[error("cannot talk to {0}")]
    Connect(String, #[source] std::io::Error),
    /// Files cannot be read or written.
    #[error(transparent)]
    Files(#[from] pki::Error),
    /// HTTP went wrong.
    #[error("answer broke off")]
    Http(#[from] hyper::Error),
    /// No runtime, or nobody reads what is printed.
    #[error("cannot start or print")]
    Io(#[from] std::io::Error),
    /// No key can be made.
    #[error("cannot make a key")]
    Key(#[from] rcgen::Error),
    /// There is nothing to show who one is.
    #[error("no token is given: use --token-file or TOLLGATE_TOKEN")]
    NoToken,
    /// The gateway says no.
    #[error("gateway refuses: {status} {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says, as far as it is text.
        detail: String,
    },
    /// The gateway did not answer in time.
    #[error("gateway does not answer in time")]
    TimedOut,
    /// TLS cannot be set up.
    #[error("cannot set up tls")]
    Tls(#[from] DialError),
    /// The certificate that is shown cannot be used.
    #[error("cannot show the present certificate")]
    Own(#[source] rustls::Error),
    /// The token's file cannot be read.
    #[error("cannot read the token from {path}")]
    Token {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
