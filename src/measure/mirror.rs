//! What a reflector answers, and what it leaves without an answer.
//!
//! A reply is exactly as long as its probe, at most `rate` per second go to one address, and replies are not
//! answered: with forged source addresses a reflector gains an attacker nothing.

use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::time::Duration;

use crate::model::Timestamp;

use super::config::ReflectorConfig;
use super::config::SequenceMode;
use super::ntp::WireTime;
use super::packet::ErrorEstimate;
use super::packet::ParseError;
use super::packet::Probe;
use super::packet::Reply;
use super::packet::TTL_UNKNOWN;
use super::table::Table;

/// A reflector without its socket.
#[derive(Debug)]
pub(super) struct Mirror {
    config: ReflectorConfig,
    error: ErrorEstimate,
    /// How many packets were answered, by address, port and session id.
    sessions: Table<(SocketAddr, u16), u32>,
    /// When the next packet of an address is due at the full rate.
    paces: Table<IpAddr, Timestamp>,
}

/// Why a packet is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// From an address that may not ask.
    Forbidden,
    /// There is no memory for one more source or session.
    Full,
    /// No test packet.
    Malformed(ParseError),
    /// Faster than the rate.
    Throttled,
}

impl Mirror {
    pub(super) fn new(config: ReflectorConfig) -> Self {
        Self {
            error: ErrorEstimate::ours(config.is_clock_synchronized),
            config,
            sessions: Table::new(MAX_SESSIONS),
            paces: Table::new(MAX_SOURCES),
        }
    }

    /// The reply to a datagram that came `from` there at `now`. The time of sending is that of `now` until
    /// [`Reply::sent`] is set.
    pub(super) fn reflect(
        &mut self,
        datagram: &[u8],
        from: SocketAddr,
        now: Timestamp,
    ) -> Result<Reply, Refusal> {
        let address = from.ip().to_canonical();
        if from.port() == 0 || !self.config.allows(address) {
            return Err(Refusal::Forbidden);
        }
        let probe = Probe::parse(datagram).map_err(Refusal::Malformed)?;
        self.pace(address, now)?;
        Ok(Reply {
            sequence: self.number(&probe, from, now)?,
            sent: WireTime::ntp(now),
            error: self.error,
            session: probe.session,
            received: WireTime::ntp(now),
            probe,
            ttl: TTL_UNKNOWN,
        })
    }

    /// Lets through a second's worth at once and the rate from then on.
    fn pace(&mut self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        let step = Duration::from_secs(1) / self.config.rate.get();
        let due = self
            .paces
            .entry(network_of(address), now, || now)
            .ok_or(Refusal::Full)?;
        let ahead = due.since(now);
        if ahead > BURST + step {
            // The clock was set back.
            *due = now;
        } else if ahead + step > BURST {
            return Err(Refusal::Throttled);
        }
        *due = (*due).max(now).saturating_add(step);
        Ok(())
    }

    fn number(&mut self, probe: &Probe, from: SocketAddr, now: Timestamp) -> Result<u32, Refusal> {
        if self.config.mode == SequenceMode::Stateless {
            return Ok(probe.sequence);
        }
        let next = self
            .sessions
            .entry((from, probe.session), now, || 0)
            .ok_or(Refusal::Full)?;
        let number = *next;
        *next = next.wrapping_add(1);
        Ok(number)
    }
}

/// One customer's network: an IPv6 host has 2^64 addresses to choose from.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// How much may come at once.
const BURST: Duration = Duration::from_secs(1);
/// Sessions whose replies are counted, 64 octets each.
const MAX_SESSIONS: usize = 4_096;
/// Addresses whose rate is watched, 64 octets each.
const MAX_SOURCES: usize = 4_096;

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn mirror(mode: SequenceMode, rate: u32) -> Mirror {
        Mirror::new(ReflectorConfig {
            bind: "127.0.0.1:0".parse().unwrap(),
            mode,
            rate: NonZeroU32::new(rate).unwrap(),
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            is_clock_synchronized: true,
        })
    }

    fn probe(sequence: u32, session: u16) -> Vec<u8> {
        let mut datagram = vec![0; 44];
        let probe = Probe {
            sequence,
            sent: WireTime::ntp(NOW),
            error: ErrorEstimate::ours(true),
            session,
        };
        probe.write(&mut datagram);
        datagram
    }

    fn source(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn stateful_mirror_counts_each_session() {
        let mut mirror = mirror(SequenceMode::Stateful, 100);
        let asked = [(1, 0), (1, 0), (2, 0), (1, 9), (1, 0)];
        let numbers = asked.map(|(port, session)| {
            let reply = mirror
                .reflect(&probe(77, session), source(port), NOW)
                .unwrap();
            assert_eq!(reply.session, session);
            reply.sequence
        });
        assert_eq!(numbers, [0, 1, 0, 0, 2]);
    }

    #[test]
    fn stateless_mirror_repeats_the_number() {
        let mut mirror = mirror(SequenceMode::Stateless, 100);
        let reply = mirror.reflect(&probe(77, 0), source(1), NOW).unwrap();
        assert_eq!((reply.sequence, reply.probe.sequence), (77, 77));
    }

    #[test]
    fn source_gets_its_rate_and_a_second_of_burst() {
        let mut mirror = mirror(SequenceMode::Stateless, 10);
        let mut answered = |at: Timestamp| {
            let ask = |_| mirror.reflect(&probe(0, 0), source(1), at).is_ok();
            (0..20).map(ask).filter(|ok| *ok).count()
        };
        assert_eq!(answered(NOW), 10);
        assert_eq!(answered(NOW.saturating_add(Duration::from_millis(250))), 2);
        assert_eq!(answered(NOW.saturating_sub(Duration::from_mins(1))), 10);
        let refused = mirror.reflect(
            &probe(0, 0),
            source(2),
            NOW.saturating_sub(Duration::from_mins(1)),
        );
        assert_eq!(refused, Err(Refusal::Throttled));
    }

    #[test]
    fn strangers_and_replies_get_no_answer() {
        let mut mirror = mirror(SequenceMode::Stateless, 10);
        let stranger = "192.0.2.1:9".parse().unwrap();
        assert_eq!(
            mirror.reflect(&probe(0, 0), stranger, NOW),
            Err(Refusal::Forbidden)
        );
        assert_eq!(
            mirror.reflect(&probe(0, 0), source(0), NOW),
            Err(Refusal::Forbidden)
        );
        let mut datagram = probe(0, 0);
        mirror
            .reflect(&datagram, source(1), NOW)
            .unwrap()
            .write(&mut datagram);
        assert_eq!(
            mirror.reflect(&datagram, source(1), NOW),
            Err(Refusal::Malformed(ParseError::Reflected))
        );
    }

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
}
