//! Where a request came from (iam A2).

use std::net::IpAddr;

use http::header::USER_AGENT;
use http::request::Parts;

use crate::model::Peer;

/// Where a request came from. All empty for the local operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// The protocol: `gnmi`, `https`.
    pub protocol: Option<&'static str>,
    /// The id by which logs name the request.
    pub request: Option<String>,
    /// What the peer calls itself.
    pub user_agent: Option<String>,
}

impl Origin {
    /// That of an HTTP request, which the transport has given its peer.
    pub fn of(parts: &Parts, protocol: &'static str, request: Option<String>) -> Self {
        let agent = parts.headers.get(USER_AGENT);
        Self {
            address: parts.extensions.get::<Peer>().map(|peer| peer.address.ip()),
            protocol: Some(protocol),
            request,
            user_agent: agent.map(|agent| {
                let text = String::from_utf8_lossy(agent.as_bytes());
                text.chars().take(USER_AGENT_CHARS).collect()
            }),
        }
    }
}

/// Enough to tell programs and their versions apart.
const USER_AGENT_CHARS: usize = 200;
