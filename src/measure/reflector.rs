//! The reflector: answers test packets.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

use super::config::Dscp;
use super::config::ReflectorConfig;
use super::error::Error;
use super::meters::ReflectorMeters;
use super::mirror::Mirror;
use super::mirror::Refusal;
use super::ntp::WireTime;
use super::socket;

/// A STAMP Session-Reflector in unauthenticated mode (RFC 8762 4.3.1), which is one of TWAMP-light as well
/// (RFC 5357 appendix I).
///
/// Times are read in user space, right after a packet is received and right before its reply is sent. The TTL of a
/// received packet is not known here, so that replies say 255 (RFC 5357 4.2.1).
pub struct Reflector {
    socket: UdpSocket,
    local: SocketAddr,
    mirror: Mirror,
    clock: Clock,
    meters: ReflectorMeters,
}

impl Reflector {
    /// Opens the socket.
    ///
    /// # Errors
    ///
    /// [`Error`] when the system refuses the socket.
    pub async fn bind(config: ReflectorConfig, clock: Clock) -> Result<Self, Error> {
        let (socket, local) = socket::bind(config.bind, Dscp::BEST_EFFORT).await?;
        Ok(Self {
            socket,
            local,
            mirror: Mirror::new(config),
            clock,
            meters: ReflectorMeters::new(),
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Answers until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut buffer = vec![0; socket::BUFFER_LEN];
        let mut is_failing = false;
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                received = self.socket.recv_from(&mut buffer) => received,
            };
            let answered = match received {
                Ok((len, from)) => {
                    let datagram = buffer.get_mut(..len).unwrap_or_default();
                    self.answer(datagram, from).await
                }
                Err(error) => {
                    // The socket itself fails: without a pause this would be a busy loop.
                    tokio::time::sleep(PAUSE).await;
                    Err(error)
                }
            };
            if let Err(error) = &answered {
                self.meters.failed.increment(1);
                if !is_failing {
                    tracing::warn!(address = %self.local, %error, "reflector cannot answer");
                }
            }
            is_failing = answered.is_err();
        }
    }

    async fn answer(&mut self, datagram: &mut [u8], from: SocketAddr) -> io::Result<()> {
        let reply = self.mirror.reflect(datagram, from, self.clock.now());
        let mut reply = match reply {
            Ok(reply) => reply,
            Err(refusal) => {
                self.count(refusal);
                return Ok(());
            }
        };
        reply.sent = WireTime::ntp(self.clock.now());
        reply.write(datagram);
        self.socket.send_to(datagram, from).await?;
        self.meters.reflected.increment(1);
        Ok(())
    }

    fn count(&self, refusal: Refusal) {
        let counter = match refusal {
            Refusal::Forbidden => &self.meters.forbidden,
            Refusal::Full => &self.meters.full,
            Refusal::Malformed(_) => &self.meters.malformed,
            Refusal::Throttled => &self.meters.throttled,
        };
        counter.increment(1);
    }
}

impl fmt::Debug for Reflector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reflector")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// After an error of the socket itself.
const PAUSE: Duration = Duration::from_millis(100);
