//! UDP sockets for test packets.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::config::Dscp;
use super::error::Error;

/// Binds a socket whose packets leave with a TTL of 255 (RFC 5357 4.1.2) and the given marking.
///
/// The hop limit of IPv6 stays at the system's default: nothing safe to call sets it.
pub(super) async fn bind(
    address: SocketAddr,
    dscp: Dscp,
) -> Result<(UdpSocket, SocketAddr), Error> {
    let socket = UdpSocket::bind(address)
        .await
        .map_err(|source| Error::Bind { address, source })?;
    let set = if address.is_ipv4() {
        socket
            .set_ttl(TTL)
            .and_then(|()| socket.set_tos_v4(dscp.traffic_class()))
    } else {
        socket.set_tclass_v6(dscp.traffic_class())
    };
    let local = set
        .and_then(|()| socket.local_addr())
        .map_err(|source| Error::Options { address, source })?;
    Ok((socket, local))
}

const TTL: u32 = 255;
/// Octets that a datagram is read into. What is longer is cut, and none of ours is.
pub(super) const BUFFER_LEN: usize = 9_216;
