//! Where a credential is presented.

use std::net::IpAddr;

use crate::audit::Origin;
use crate::model::Timestamp;
use crate::redact::mask;

/// Where a credential is presented, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// The peer's address.
    pub address: IpAddr,
    /// The protocol: `gnmi`, `https`.
    pub protocol: &'static str,
    /// What the peer calls itself.
    pub client: Option<&'a str>,
    /// The id by which logs name the request.
    pub request: Option<&'a str>,
}

/// A use of a token, as it is kept of the newest few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub address: IpAddr,
    /// By which protocol; empty where that is not known.
    pub protocol: String,
    /// What the peer called itself; empty where it did not.
    pub client: String,
}

impl From<IpAddr> for Source<'_> {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            protocol: "",
            client: None,
            request: None,
        }
    }
}

impl<'a> From<(IpAddr, &'a Origin)> for Source<'a> {
    fn from((address, origin): (IpAddr, &'a Origin)) -> Self {
        Self {
            address,
            protocol: origin.protocol.unwrap_or_default(),
            client: origin.user_agent.as_deref(),
            request: origin.request.as_deref(),
        }
    }
}

impl Source<'_> {
    pub(super) fn used(self, at: Timestamp) -> Use {
        // Some paste a token where a program should say its name.
        let client = mask(self.client.unwrap_or_default());
        let is_printable = |c: &char| !c.is_control();
        Use {
            at,
            address: self.address,
            protocol: self.protocol.to_owned(),
            client: client
                .chars()
                .filter(is_printable)
                .take(CLIENT_CHARS)
                .collect(),
        }
    }

    /// For an event (iam A2).
    pub(super) fn to_origin(self) -> Origin {
        Origin {
            address: Some(self.address),
            protocol: Some(self.protocol).filter(|protocol| !protocol.is_empty()),
            request: self.request.map(str::to_owned),
            user_agent: self.client.map(str::to_owned),
        }
    }
}

/// Enough to tell programs and their versions apart.
const CLIENT_CHARS: usize = 200;
