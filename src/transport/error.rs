//! Why a listener cannot be had.

use std::io;
use std::net::SocketAddr;

use crate::model::Class;

/// What keeps a server from listening. Each is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is in use, is not this machine's, or may not be used.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Certificate, key and client certificate authorities do not make a TLS configuration.
    #[error("cannot set up tls")]
    Tls(#[source] rustls::Error),
    /// No client certificate could be verified against these authorities.
    #[error("cannot verify client certificates")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
}

impl Error {
    /// All of these are found at start or at reload: ours, or the operator's.
    pub const fn class(&self) -> Class {
        Class::Internal
    }
}
