//! What a peer presents.

use std::net::IpAddr;

use crate::audit::Origin;
use crate::secret::Secret;

/// What a peer presents to be let in, as it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// A bearer token.
    Bearer(Secret),
    /// A user name and a password; the password may be a PAT (iam 2.6).
    Password {
        /// `user` or `user@tenant`; with a PAT also `token`.
        username: String,
        /// The password.
        password: Secret,
    },
}

/// Where a credential came from: who is charged when it is bad, and what the audit trail says of it (iam A2).
#[derive(Clone, Copy, Debug)]
pub struct Source<'o> {
    /// The peer's address.
    pub address: IpAddr,
    /// What else is known of the request.
    pub origin: Option<&'o Origin>,
}

impl From<IpAddr> for Source<'_> {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            origin: None,
        }
    }
}

impl<'o> From<(IpAddr, &'o Origin)> for Source<'o> {
    fn from((address, origin): (IpAddr, &'o Origin)) -> Self {
        Self {
            address,
            origin: Some(origin),
        }
    }
}

impl Source<'_> {
    /// For an event.
    pub(crate) fn to_origin(self) -> Origin {
        Origin {
            address: Some(self.address),
            ..self.origin.cloned().unwrap_or_default()
        }
    }
}
