//! Which peers are believed when they speak for others.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

/// The proxies in front of a listener, by what they are believed. Nobody is, unless listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Who begins each connection with a PROXY protocol header.
    pub proxy_protocol: Networks,
    /// Whose `X-Forwarded-For` names the client's address.
    pub forwarded_for: Networks,
    /// Whose `Client-Cert` is the client's certificate (RFC 9440).
    pub client_cert: Networks,
    /// Whose `X-Forwarded-Client-Cert` is the client's certificate (Envoy).
    pub xfcc: Networks,
}

/// Some networks, often none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Arc<[IpNet]>);

impl Networks {
    /// Whether `address` is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl From<Vec<IpNet>> for Networks {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }
}
