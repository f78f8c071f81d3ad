//! Why a measurement does not start.

use std::net::SocketAddr;

use crate::model::Class;

/// What keeps a session or a reflector from starting. For the operator; the source says the rest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The local address is taken, or not of this machine.
    #[error("cannot bind UDP {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// There is no way to the reflector from the local address.
    #[error("cannot reach reflector {address}")]
    Connect {
        /// The reflector.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The marking or the time to live cannot be set.
    #[error("cannot set options of UDP {address}")]
    Options {
        /// The local address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> Class {
        Class::Unavailable
    }
}
