//! What can be wrong with keys and certificates. Each is for the operator; no key material in any message.

use std::io;
use std::path::PathBuf;

use crate::model::Class;

/// Why a key or certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The certificate's time is over; renew it.
    #[error("certificate in {path} has expired")]
    Expired {
        /// The file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot use {path}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Names in certificates of this issuer would be written otherwise than it writes its own: use another issuer.
    #[error("name of the certificate authority in {path} is written in an unusual way")]
    IssuerName {
        /// The file.
        path: PathBuf,
    },
    /// The library refused to make a key or certificate.
    #[error("cannot issue a certificate")]
    Issue(#[from] rcgen::Error),
    /// The certificate came out with another key than the request's, or does not parse.
    #[error("issued certificate differs from its profile")]
    Issued,
    /// Others than the owner may read the key; `chmod` it.
    #[error("private key {path} has mode {mode:04o}: others than its owner may read it")]
    KeyExposed {
        /// The key's file.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// Certificate and key belong to different pairs.
    #[error("private key {key} does not belong to certificate {certificate}")]
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The CA has a certificate but no key: restore the key, or move the certificate away for a new CA.
    #[error("{certificate} exists but its private key {key} is missing")]
    KeyMissing {
        /// The certificate's file.
        certificate: PathBuf,
        /// Where its key should be.
        key: PathBuf,
    },
    /// The issuer is about to end, or there is none.
    #[error("no certificate authority that still holds")]
    NoIssuer,
    /// No certificate authority of that name.
    #[error("no such certificate authority")]
    NoSuchIssuer,
    /// A server certificate needs at least one name.
    #[error("no server name is given")]
    NoNames,
    /// The file holds no certificate.
    #[error("no certificate in {path}")]
    NotACertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no private key, or one of a kind that is not supported.
    #[error("no usable private key in {path}")]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The certificate may not sign others (RFC 5280 4.2.1.3, 4.2.1.9).
    #[error("certificate in {path} is not that of a certificate authority")]
    NotAnIssuer {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers")]
    Random(#[source] getrandom::Error),
    /// The library refused to make the key of a statement, or to sign one.
    #[error("cannot sign a statement")]
    Statement,
}

impl Error {
    /// All of these are found at start or at reload: ours, or the operator's.
    pub const fn class(&self) -> Class {
        Class::Internal
    }
}
