//! Why a gateway does not start.

use std::path::PathBuf;

/// What keeps the gateway from starting. Each is for the operator; the chain of sources says the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The accounts cannot be prepared.
    #[error("cannot prepare accounts")]
    Accounts(#[source] crate::iam::IdentityError),
    /// The first administrator cannot be made.
    #[error("cannot make the first administrator")]
    Bootstrap(#[source] crate::iam::AccountsError),
    /// A file with a secret of the first administrator cannot be used.
    #[error("cannot use a file of the first administrator")]
    BootstrapFile(#[source] crate::pki::Error),
    /// The store does not say which certificates are revoked.
    #[error("cannot read what certificates are revoked")]
    Certificates(#[source] crate::pki::port::CertificatesError),
    /// A revocation list cannot be read, or is none.
    #[error("no revocation list in {path}")]
    Crl {
        /// The file.
        path: PathBuf,
        /// What the system said, where it was the system.
        #[source]
        source: Option<std::io::Error>,
    },
    /// The data directory cannot be made or entered.
    #[error("cannot use data directory {path}")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The other issuer's address is none.
    #[error("cannot ask the issuer")]
    IssuerAddress(#[source] crate::oauth::NotAnAddress),
    /// The secret for the other issuer cannot be read.
    #[error("cannot read the issuer's client secret from {path}")]
    IssuerSecret {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The authorities that vouch for the other issuer cannot be read.
    #[error("cannot trust the issuer")]
    IssuerTrust(#[source] crate::transport::DialError),
    /// A listener cannot be opened.
    #[error("cannot listen")]
    Listen(#[source] crate::transport::Error),
    /// A measurement socket cannot be opened.
    #[error("cannot measure")]
    Measure(#[source] crate::measure::Error),
    /// The operating system gives no random numbers.
    #[error("no random numbers from the operating system")]
    NoRandomness,
    /// The store does not say how far the audit trail was sent.
    #[error("cannot read how far the audit trail was sent")]
    Outlet(#[source] crate::audit::LogError),
    /// The pepper cannot be made or read.
    #[error("cannot prepare the pepper")]
    Pepper(#[source] crate::iam::PepperError),
    /// There is a database, but not the pepper under which its tokens are kept.
    #[error(
        "{0} is missing: without it every token of the database is void, so restore it from the backup, \
         or copy it from another node"
    )]
    PepperLost(PathBuf),
    /// The certificates cannot be made or read.
    #[error("cannot prepare certificates")]
    Pki(#[source] crate::pki::Error),
    /// The reflection service refuses our own descriptors.
    #[error("cannot serve reflection")]
    Reflection(#[source] Box<tonic_reflection::server::Error>),
    /// The gateway is about to end.
    #[error("gateway is stopping")]
    Stopping,
    /// The store does not say which certificates are revoked.
    #[error("cannot read revoked certificates")]
    Revoked(#[source] crate::pki::port::CertificatesError),
    /// The syslog server cannot be reached in any way.
    #[error("cannot prepare syslog")]
    Syslog(#[source] crate::syslog::NotAHost),
    /// The trust in the webhook or the syslog server cannot be read.
    #[error("cannot trust the certificates of webhook or syslog")]
    Trust(#[source] crate::transport::DialError),
    /// The webhook cannot be prepared.
    #[error("cannot prepare the webhook")]
    Webhook(#[source] crate::webhook::Error),
    /// The YANG modules cannot be used.
    #[error("cannot use the YANG modules")]
    Schema(#[source] crate::schema::LoadError),
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Store(#[source] crate::store::Error),
}
