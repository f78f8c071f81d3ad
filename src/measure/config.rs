//! What a session and a reflector are told. Every value is checked where it is made.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::Class;

use super::object::MonitoredObject;
use super::packet::MIN_LEN;
use super::packet::STAMP_LEN;
use super::packet::TLV_HEADER_LEN;

/// One measurement session, seen from its sender.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// What the reports are about.
    pub object: MonitoredObject,
    /// The reflector.
    pub destination: SocketAddr,
    /// The local address; port 0 takes a free one.
    pub bind: SocketAddr,
    /// When packets go, when they are lost, when a report is due.
    pub schedule: Schedule,
    /// The length of the test packets, and so of the replies.
    pub packet_size: PacketSize,
    /// The marking of the test packets.
    pub dscp: Dscp,
    /// The STAMP session identifier (RFC 8972 3); zero for none, as TWAMP-light requires.
    pub ssid: u16,
    /// How the reflector numbers its replies. Only a stateful one lets loss be told apart by direction.
    pub reflector: SequenceMode,
    /// Whether this machine's clock is synchronized to UTC by something outside it. One-way delays are reported
    /// where both ends say so: between two free clocks they would be the distance of the clocks.
    pub is_clock_synchronized: bool,
    /// Which percentiles the leaves `-plo`, `-pmi` and `-phi` hold.
    pub percentiles: Percentiles,
}

/// A reflector.
#[derive(Clone, Debug)]
pub struct ReflectorConfig {
    /// The local address; the well-known port is 862, port 0 takes a free one.
    pub bind: SocketAddr,
    /// How replies are numbered.
    pub mode: SequenceMode,
    /// How many packets per second one address may have answered; what is beyond stays without an answer.
    pub rate: NonZeroU32,
    /// Who is answered; empty means everybody.
    pub allow: Vec<IpNet>,
    /// Whether this machine's clock is synchronized to UTC by something outside it.
    pub is_clock_synchronized: bool,
}

/// How a reflector numbers its replies (RFC 8762 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceMode {
    /// By its own count for each session.
    Stateful,
    /// By the number of the packet that is answered.
    Stateless,
}

/// When packets go, when they are lost, when a report is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    interval: Duration,
    loss_timeout: Duration,
    report_interval: Duration,
}

/// The length of a test packet: the octets of UDP payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketSize(u16);

/// A differentiated services code point (RFC 2474 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dscp(u8);

/// The percentiles that the vendor's model leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// Of leaves that end in `-plo`.
    pub low: Percentile,
    /// Of leaves that end in `-pmi`.
    pub middle: Percentile,
    /// Of leaves that end in `-phi`.
    pub high: Percentile,
}

/// Above 0 and at most 100 percent, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentile(u16);

/// A setting that cannot be used. Its author can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// A DSCP has six bits.
    #[error("DSCP is not below 64")]
    Dscp,
    /// Faster than a timer can pace, or slower than a session can be watched.
    #[error("packet interval is not between 1 ms and 60 s")]
    Interval,
    /// Degrees beyond the poles or the date line.
    #[error("location is not within 90 degrees of latitude and 180 of longitude")]
    Location,
    /// A report could not be made before the next interval ends.
    #[error("loss timeout is not between 1 ms and the report interval")]
    LossTimeout,
    /// Below 41 a reply would be longer than its probe; 45 to 47 leave no room for a padding TLV; above 1472 the
    /// packet does not fit into one Ethernet frame.
    #[error("packet size is not 41 to 44 or 48 to 1472 octets")]
    PacketSize,
    /// Not a percentage.
    #[error("percentile is not above 0 and at most 100")]
    Percentile,
    /// Shorter than one packet, or longer than the vendor's model allows.
    #[error("report interval is not between the packet interval and 900 s")]
    ReportInterval,
    /// Exact percentiles need every packet of an interval at hand.
    #[error("more than {MAX_PACKETS_PER_REPORT} packets in one report interval")]
    TooManyPackets,
}

impl SettingError {
    /// Whose fault it is.
    pub fn class(self) -> Class {
        Class::Malformed
    }
}

impl Schedule {
    /// One packet per `interval`; a reply later than `loss_timeout` after its packet is too late; one report per
    /// `report_interval`, complete one `loss_timeout` after its end.
    ///
    /// # Errors
    ///
    /// [`SettingError`] names the first of the three that is out of range.
    pub fn new(
        interval: Duration,
        loss_timeout: Duration,
        report_interval: Duration,
    ) -> Result<Self, SettingError> {
        if !(SHORTEST..=LONGEST_INTERVAL).contains(&interval) {
            return Err(SettingError::Interval);
        }
        if !(interval..=LONGEST_REPORT).contains(&report_interval) {
            return Err(SettingError::ReportInterval);
        }
        if !(SHORTEST..=report_interval).contains(&loss_timeout) {
            return Err(SettingError::LossTimeout);
        }
        if report_interval.as_nanos() / interval.as_nanos() > MAX_PACKETS_PER_REPORT {
            return Err(SettingError::TooManyPackets);
        }
        Ok(Self {
            interval,
            loss_timeout,
            report_interval,
        })
    }

    /// Between two packets.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// How long a reply may take.
    pub fn loss_timeout(&self) -> Duration {
        self.loss_timeout
    }

    /// Between two reports.
    pub fn report_interval(&self) -> Duration {
        self.report_interval
    }
}

impl PacketSize {
    /// Takes a number of octets.
    ///
    /// # Errors
    ///
    /// [`SettingError::PacketSize`] when no packet can have that size.
    pub fn new(octets: u16) -> Result<Self, SettingError> {
        let len = usize::from(octets);
        let is_plain = (MIN_LEN..=STAMP_LEN).contains(&len);
        let is_padded = (STAMP_LEN + TLV_HEADER_LEN..=MAX_LEN).contains(&len);
        if is_plain || is_padded {
            Ok(Self(octets))
        } else {
            Err(SettingError::PacketSize)
        }
    }

    /// Octets of UDP payload.
    pub fn octets(self) -> u16 {
        self.0
    }
}

impl Dscp {
    /// No marking.
    pub const BEST_EFFORT: Self = Self(0);

    /// Takes a code point.
    ///
    /// # Errors
    ///
    /// [`SettingError::Dscp`] from 64 on.
    pub fn new(code_point: u8) -> Result<Self, SettingError> {
        if code_point < 64 {
            Ok(Self(code_point))
        } else {
            Err(SettingError::Dscp)
        }
    }

    /// The octet of the IP header that carries it.
    pub(super) fn traffic_class(self) -> u32 {
        u32::from(self.0) << 2
    }
}

impl Percentiles {
    /// 5, 90 and 99: those that the leaves with fixed percentiles (25, 50, 75, 95) leave out.
    pub const DEFAULT: Self = Self {
        low: Percentile(500),
        middle: Percentile(9_000),
        high: Percentile(9_900),
    };
}

impl Percentile {
    pub(super) const P25: Self = Self(2_500);
    pub(super) const P50: Self = Self(5_000);
    pub(super) const P75: Self = Self(7_500);
    pub(super) const P95: Self = Self(9_500);

    /// Takes hundredths of a percent: 9990 is p99.9.
    ///
    /// # Errors
    ///
    /// [`SettingError::Percentile`] for 0 and from 10,001 on.
    pub fn from_hundredths(hundredths: u16) -> Result<Self, SettingError> {
        if (1..=10_000).contains(&hundredths) {
            Ok(Self(hundredths))
        } else {
            Err(SettingError::Percentile)
        }
    }

    /// The nearest rank among `count` sorted values, from 1 on: the first that has this share at or below it.
    pub(super) fn rank(self, count: usize) -> usize {
        count.saturating_mul(usize::from(self.0)).div_ceil(10_000)
    }
}

impl ReflectorConfig {
    /// Whether packets from `address` are answered.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|net| net.contains(&address))
    }
}

/// What tokio's timer can pace, and the vendor's highest rate, 1000 packets per second.
const SHORTEST: Duration = Duration::from_millis(1);
/// A session that sends less often measures nothing that changes.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);
/// The vendor's range of report intervals ends here.
const LONGEST_REPORT: Duration = Duration::from_mins(15);
/// A packet is remembered in 64 octets until it is reported, and two intervals can be open: 13 MB per session.
const MAX_PACKETS_PER_REPORT: u128 = 100_000;
/// Octets of UDP payload in an Ethernet frame with IPv4.
const MAX_LEN: usize = 1_472;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule_names_the_part_that_is_out_of_range() {
        let millis = Duration::from_millis;
        for (interval, timeout, report, expected) in [
            (0, 100, 1_000, Some(SettingError::Interval)),
            (60_001, 100, 90_000, Some(SettingError::Interval)),
            (100, 50, 99, Some(SettingError::ReportInterval)),
            (100, 50, 900_001, Some(SettingError::ReportInterval)),
            (100, 0, 1_000, Some(SettingError::LossTimeout)),
            (100, 1_001, 1_000, Some(SettingError::LossTimeout)),
            (1, 1_000, 100_001, Some(SettingError::TooManyPackets)),
            (1, 1_000, 100_000, None),
            (100, 1_000, 1_000, None),
        ] {
            let made = Schedule::new(millis(interval), millis(timeout), millis(report));
            assert_eq!(made.err(), expected, "{interval} {timeout} {report}");
        }
    }

    #[test]
    fn sizes_and_markings_have_their_ranges() {
        for (octets, fits) in [
            (40, false),
            (41, true),
            (44, true),
            (45, false),
            (47, false),
            (48, true),
            (1_472, true),
            (1_473, false),
        ] {
            assert_eq!(PacketSize::new(octets).is_ok(), fits, "{octets}");
        }
        assert_eq!(Dscp::new(46).map(Dscp::traffic_class), Ok(0xB8));
        assert_eq!(Dscp::new(64), Err(SettingError::Dscp));
        assert!(Percentile::from_hundredths(0).is_err());
        assert!(Percentile::from_hundredths(10_001).is_err());
    }

    #[test]
    fn rank_is_the_nearest() {
        for (percentile, count, rank) in [
            (Percentile::P50, 1, 1),
            (Percentile::P50, 4, 2),
            (Percentile::P50, 5, 3),
            (Percentile::P95, 20, 19),
            (Percentiles::DEFAULT.high, 100, 99),
            (Percentile(10_000), 7, 7),
            (Percentile(1), 7, 1),
        ] {
            assert_eq!(percentile.rank(count), rank, "{percentile:?} of {count}");
        }
    }
}
