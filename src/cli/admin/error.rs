//! Why an admin command failed.

use std::path::PathBuf;

use serde_json::Value;

use crate::app;
use crate::audit::VerifyError;
use crate::config::Mistakes;
use crate::config::ReadError;
use crate::datastore::port::Unavailable;
use crate::iam::AccountsError;

/// Why an admin command failed. Each is for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdminError {
    /// The accounts say no.
    #[error("{0}")]
    Accounts(#[from] AccountsError),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] Mistakes),
    /// The configuration's file cannot be read.
    #[error(transparent)]
    Sources(#[from] ReadError),
    /// The data directory cannot be used.
    #[error(transparent)]
    App(app::Error),
    /// The audit trail does not hold, or cannot be read.
    #[error("audit trail does not verify")]
    Audit(#[source] VerifyError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Datastore(#[from] Unavailable),
    /// The text is no duration.
    #[error("--{0} is not a duration such as 12h, 90d or 1y")]
    Duration(&'static str),
    /// The text is no time.
    #[error("not an RFC 3339 time")]
    Expiry(#[source] crate::model::NotATime),
    /// The text is no token id.
    #[error("the token id is not a number; a token itself must not be given here")]
    Id,
    /// The text is no limit.
    #[error("--{0} is neither a number nor \"none\"")]
    Limit(&'static str),
    /// The text is no network.
    #[error("--allow is not a network such as 192.0.2.0/24")]
    Network(#[source] ipnet::AddrParseError),
    /// The modules refuse what is stored.
    #[error("{invalid} of {entries} stored entries are refused by the modules")]
    Refused {
        /// The first of them, as a table.
        rows: Value,
        /// How many there are.
        entries: usize,
        /// How many are refused.
        invalid: usize,
    },
    /// The text is no scope.
    #[error("--scope {0}")]
    Scope(crate::iam::NotAScope),
    /// The text is no time.
    #[error("--tokens-not-before or --created-before is neither an RFC 3339 time nor \"now\"")]
    NotBefore(#[source] crate::model::NotATime),
    /// No runtime.
    #[error("cannot start")]
    Io(#[from] std::io::Error),
    /// No such directory.
    #[error("no gateway has its data in {0}")]
    NoDataDir(PathBuf),
    /// The account is of another kind.
    #[error("the account is a {0}")]
    OtherKind(&'static str),
    /// The new password cannot be written.
    #[error("cannot write the password to {path}, or it is there already")]
    PasswordOut {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No password.
    #[error("cannot read the password from {path}")]
    Password {
        /// Where from.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}
