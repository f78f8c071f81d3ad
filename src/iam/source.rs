//! Where a credential is presented.

use std::net::IpAddr;

use crate::audit::Origin;

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
