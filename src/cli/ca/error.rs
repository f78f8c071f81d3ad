//! Why a command about the authority failed.

use std::path::PathBuf;

use crate::app;
use crate::config::Mistakes;
use crate::config::ReadError;
use crate::iam::AccountsError;
use crate::model::NotASerial;
use crate::model::NotATime;
use crate::pki;
use crate::pki::port::CertificatesError;

/// Why a command about the authority failed. Each is for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum CaError {
    /// The accounts say no.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The data directory cannot be used.
    #[error(transparent)]
    App(app::Error),
    /// The store of certificates says no.
    #[error(transparent)]
    Certificates(#[from] CertificatesError),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] Mistakes),
    /// The configuration cannot be read.
    #[error(transparent)]
    ConfigFile(#[from] ReadError),
    /// No runtime, or nobody reads what is printed.
    #[error("cannot start or print")]
    Io(#[from] std::io::Error),
    /// No such directory.
    #[error("no gateway has its data in {0}")]
    NoDataDir(PathBuf),
    /// The authority cannot be used.
    #[error(transparent)]
    Pki(#[from] pki::Error),
    /// The text is no serial number.
    #[error("--serial is not a serial number in hexadecimal")]
    Serial(#[source] NotASerial),
    /// The text is no time.
    #[error("--issued-before is not an RFC 3339 time")]
    Time(#[source] NotATime),
    /// The text is no id.
    #[error("--token-id is not a number; a token itself must not be given here")]
    TokenId,
}
