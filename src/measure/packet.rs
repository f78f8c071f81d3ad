//! The test packets of unauthenticated mode: STAMP (RFC 8762 4.2.1, 4.3.1) and TWAMP-light (RFC 5357 4.1.2, 4.2.1).
//!
//! ```text
//! sender                            reflector
//!  0 sequence number                 0 sequence number
//!  4 timestamp                       4 timestamp
//! 12 error estimate                 12 error estimate
//! 14 session id (RFC 8972 3)        14 session id
//! 16 zero                           16 receive timestamp
//! 44 padding, TLVs                  24 sender's sequence number
//!                                   28 sender's timestamp
//!                                   36 sender's error estimate
//!                                   38 zero
//!                                   40 sender's TTL
//!                                   41 zero
//!                                   44 padding, TLVs as they came
//! ```
//!
//! A TWAMP-light packet ends its fields at 14 (sender) and 41 (reflector); the rest is padding of any content.

use super::ntp::TimeFormat;
use super::ntp::WireTime;

/// How good a timestamp is (RFC 4656 4.1.2): two flags, and an error of `multiplier` x 2^(`scale` - 32) seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ErrorEstimate(u16);

/// What a sender writes and a reflector reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) sequence: u32,
    pub(super) sent: WireTime,
    pub(super) error: ErrorEstimate,
    /// Zero where there is none.
    pub(super) session: u16,
}

/// What a reflector writes and a sender reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) sequence: u32,
    pub(super) sent: WireTime,
    pub(super) error: ErrorEstimate,
    /// Zero where there is none.
    pub(super) session: u16,
    pub(super) received: WireTime,
    /// The probe that is answered.
    pub(super) probe: Probe,
    /// The time to live that the probe arrived with.
    pub(super) ttl: u8,
}

/// Why a datagram is no test packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseError {
    /// The reply to it would have to be longer than itself.
    #[error("test packet is shorter than {MIN_LEN} octets")]
    Short,
    /// RFC 4656 4.1.2: such a packet is corrupt.
    #[error("error estimate has multiplier zero")]
    Multiplier,
    /// A reply where a probe is due: two reflectors would answer each other without end.
    #[error("test packet is itself a reply")]
    Reflected,
}

impl ErrorEstimate {
    /// Of our own timestamps, which are in NTP format.
    pub(super) const fn ours(synchronized: bool) -> Self {
        Self(if synchronized {
            OUR_ERROR | SYNCHRONIZED
        } else {
            OUR_ERROR
        })
    }

    /// The S bit: the clock is synchronized to UTC by an external source.
    pub(super) const fn is_synchronized(self) -> bool {
        self.0 & SYNCHRONIZED != 0
    }

    /// The Z bit (RFC 8186 2.1).
    pub(super) const fn format(self) -> TimeFormat {
        if self.0 & PTP == 0 {
            TimeFormat::Ntp
        } else {
            TimeFormat::Ptp
        }
    }

    fn parse(bits: u16) -> Result<Self, ParseError> {
        if bits & MULTIPLIER == 0 {
            Err(ParseError::Multiplier)
        } else {
            Ok(Self(bits))
        }
    }
}

impl Probe {
    /// Reads a probe of STAMP or TWAMP-light.
    pub(super) fn parse(datagram: &[u8]) -> Result<Self, ParseError> {
        if datagram.len() < MIN_LEN {
            return Err(ParseError::Short);
        }
        let fields = Fields(datagram);
        let sent = WireTime(fields.u64(4));
        let is_stamp = datagram
            .get(16..MIN_LEN)
            .is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
        let is_of_one_exchange = |at| are_close(sent, WireTime(fields.u64(at)));
        // Random padding looks like this once in 2^38 packets.
        if !is_stamp && [16, 28].into_iter().all(is_of_one_exchange) {
            return Err(ParseError::Reflected);
        }
        Ok(Self {
            sequence: fields.u32(0),
            sent,
            error: ErrorEstimate::parse(fields.u16(12))?,
            // In TWAMP-light these octets are padding.
            session: if is_stamp { fields.u16(14) } else { 0 },
        })
    }

    /// Writes the probe into all of `datagram`. What is longer than the fields becomes one extra padding TLV
    /// (RFC 8972 4.1), which TWAMP-light takes for padding.
    pub(super) fn write(&self, datagram: &mut [u8]) {
        datagram.fill(0);
        let padding = datagram.len().checked_sub(STAMP_LEN + TLV_HEADER_LEN);
        self.write_fields(datagram, 0);
        put(datagram, 14, &self.session.to_be_bytes());
        if let Some(len) = padding.and_then(|len| u16::try_from(len).ok()) {
            put(datagram, STAMP_LEN, &[TLV_UNRECOGNIZED, TLV_EXTRA_PADDING]);
            put(datagram, STAMP_LEN + 2, &len.to_be_bytes());
        }
    }

    fn write_fields(&self, datagram: &mut [u8], at: usize) {
        put(datagram, at, &self.sequence.to_be_bytes());
        put(datagram, at + 4, &self.sent.0.to_be_bytes());
        put(datagram, at + 12, &self.error.0.to_be_bytes());
    }
}

impl Reply {
    /// Reads a reply of STAMP or TWAMP-light.
    pub(super) fn parse(datagram: &[u8]) -> Result<Self, ParseError> {
        if datagram.len() < MIN_LEN {
            return Err(ParseError::Short);
        }
        let fields = Fields(datagram);
        Ok(Self {
            sequence: fields.u32(0),
            sent: WireTime(fields.u64(4)),
            error: ErrorEstimate::parse(fields.u16(12))?,
            session: fields.u16(14),
            received: WireTime(fields.u64(16)),
            probe: Probe {
                sequence: fields.u32(24),
                sent: WireTime(fields.u64(28)),
                error: ErrorEstimate::parse(fields.u16(36))?,
                session: fields.u16(14),
            },
            ttl: fields.u8(40),
        })
    }

    /// Writes the reply over the probe in `datagram`: same length, and what follows the fields stays as it came,
    /// so that TLVs keep their flag "unrecognized" (RFC 8972 4).
    pub(super) fn write(&self, datagram: &mut [u8]) {
        if let Some(fields) = datagram.get_mut(..STAMP_LEN.min(datagram.len())) {
            fields.fill(0);
        }
        put(datagram, 0, &self.sequence.to_be_bytes());
        put(datagram, 4, &self.sent.0.to_be_bytes());
        put(datagram, 12, &self.error.0.to_be_bytes());
        put(datagram, 14, &self.session.to_be_bytes());
        put(datagram, 16, &self.received.0.to_be_bytes());
        self.probe.write_fields(datagram, 24);
        put(datagram, 40, &[self.ttl]);
    }
}

/// Big-endian fields of a datagram whose length has been checked; beyond its end there are zeros.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .copied()
            .unwrap_or([0; N])
    }

    fn u8(&self, at: usize) -> u8 {
        u8::from_be_bytes(self.array(at))
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_be_bytes(self.array(at))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.array(at))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_be_bytes(self.array(at))
    }
}

/// Writes a field. One that does not fit is left out: callers give at least [`MIN_LEN`] octets.
fn put(datagram: &mut [u8], at: usize, field: &[u8]) {
    if let Some(place) = datagram.get_mut(at..at + field.len()) {
        place.copy_from_slice(field);
    }
}

/// Whether two times lie so near that both are times of one exchange.
fn are_close(a: WireTime, b: WireTime) -> bool {
    let apart = a.high().wrapping_sub(b.high());
    apart.min(apart.wrapping_neg()) < EXCHANGE_SECS
}

/// A reply's fields in octets (RFC 5357 4.2.1). A shorter probe would make the reply longer than itself.
pub(super) const MIN_LEN: usize = 41;
/// The fields of both STAMP packets, in octets (RFC 8762 4.2.1).
pub(super) const STAMP_LEN: usize = 44;
/// Flags, type and length (RFC 8972 4).
pub(super) const TLV_HEADER_LEN: usize = 4;
/// What a reflector must write when it cannot read the TTL of a packet (RFC 5357 4.2.1).
pub(super) const TTL_UNKNOWN: u8 = 255;
/// A sender sets the U flag in every TLV, a reflector that knows the type clears it (RFC 8972 4).
const TLV_UNRECOGNIZED: u8 = 0x80;
const TLV_EXTRA_PADDING: u8 = 1;
/// S bit.
const SYNCHRONIZED: u16 = 0x8000;
/// Z bit.
const PTP: u16 = 0x4000;
const MULTIPLIER: u16 = 0x00FF;
/// Scale 13, multiplier 1: 2^-19 s, two microseconds. What lies between a packet and the reading of its time
/// on an idle machine; the clock's own distance from UTC is not known to us.
const OUR_ERROR: u16 = (13 << 8) | 1;
/// Clocks of two ends that are this far apart, in seconds, measure nothing.
const EXCHANGE_SECS: u32 = 3_600;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Octet 0 to 43 of a probe: number 7, one second and a half after the Unix epoch, synchronized, session 0x0102.
    const PROBE: [u8; 44] = {
        let mut octets = [0; 44];
        let fields = [
            0, 0, 0, 7, 0x83, 0xAA, 0x7E, 0x81, 0x80, 0, 0, 0, 0x8D, 0x01, 0x01, 0x02,
        ];
        let mut at = 0;
        while at < fields.len() {
            octets[at] = fields[at];
            at += 1;
        }
        octets
    };

    const REPLY: [u8; 44] = [
        0, 0, 0, 9, 0x83, 0xAA, 0x7E, 0x82, 0xC0, 0, 0, 0, 0x0D, 0x01, 0x01,
        0x02, // reflector
        0x83, 0xAA, 0x7E, 0x82, 0x40, 0, 0, 0, // received
        0, 0, 0, 7, 0x83, 0xAA, 0x7E, 0x81, 0x80, 0, 0, 0, 0x8D, 0x01, 0, 0, // probe
        255, 0, 0, 0,
    ];

    fn probe() -> Probe {
        Probe {
            sequence: 7,
            sent: WireTime(0x83AA_7E81_8000_0000),
            error: ErrorEstimate::ours(true),
            session: 0x0102,
        }
    }

    fn reply() -> Reply {
        Reply {
            sequence: 9,
            sent: WireTime(0x83AA_7E82_C000_0000),
            error: ErrorEstimate::ours(false),
            session: 0x0102,
            received: WireTime(0x83AA_7E82_4000_0000),
            probe: probe(),
            ttl: TTL_UNKNOWN,
        }
    }

    #[test]
    fn probe_has_the_octets_of_the_standard() {
        let mut datagram = [0xFF; 52];
        probe().write(&mut datagram);
        assert_eq!(datagram[..44], PROBE);
        assert_eq!(datagram[44..], [0x80, 1, 0, 4, 0, 0, 0, 0]);
        assert_eq!(Probe::parse(&PROBE), Ok(probe()));
    }

    #[test]
    fn reply_overwrites_the_probe_and_keeps_its_padding() {
        let mut datagram = [&PROBE[..], &[0x80, 1, 0, 1, 0xAB]].concat();
        reply().write(&mut datagram);
        assert_eq!(datagram[..44], REPLY);
        assert_eq!(datagram[44..], [0x80, 1, 0, 1, 0xAB]);
        assert_eq!(Reply::parse(&datagram), Ok(reply()));
    }

    #[test]
    fn twamp_light_padding_is_no_session_id() {
        let mut datagram = [0x5A; 41];
        datagram[..14].copy_from_slice(&PROBE[..14]);
        assert_eq!(
            Probe::parse(&datagram),
            Ok(Probe {
                session: 0,
                ..probe()
            })
        );
        reply().write(&mut datagram);
        assert_eq!(datagram[..], REPLY[..41]);
    }

    #[test]
    fn bad_packets_are_refused_by_cause() {
        assert_eq!(Probe::parse(&PROBE[..40]), Err(ParseError::Short));
        assert_eq!(Reply::parse(&REPLY[..40]), Err(ParseError::Short));
        assert_eq!(Probe::parse(&REPLY), Err(ParseError::Reflected));
        let mut corrupt = PROBE;
        corrupt[13] = 0;
        assert_eq!(Probe::parse(&corrupt), Err(ParseError::Multiplier));
    }

    proptest! {
        #[test]
        fn any_datagram_is_read_or_refused(datagram in prop::collection::vec(any::<u8>(), 0..128)) {
            let _ = Probe::parse(&datagram);
            let _ = Reply::parse(&datagram);
            let mut short = datagram;
            probe().write(&mut short);
            reply().write(&mut short);
        }

        #[test]
        fn packets_come_back_as_they_were(numbers: (u32, u32, u16), times: (u64, u64, u64),
            errors in (1_u16.., 1_u16..), ttl: u8, len in 44_usize..200) {
            prop_assume!(errors.0 & MULTIPLIER != 0 && errors.1 & MULTIPLIER != 0);
            let probe = Probe { sequence: numbers.0, sent: WireTime(times.0),
                error: ErrorEstimate(errors.0), session: numbers.2 };
            let reply = Reply { sequence: numbers.1, sent: WireTime(times.1), error: ErrorEstimate(errors.1),
                session: numbers.2, received: WireTime(times.2), probe, ttl };
            let mut datagram = vec![0; len];
            reply.write(&mut datagram);
            prop_assert_eq!(Reply::parse(&datagram), Ok(reply));
            probe.write(&mut datagram);
            prop_assert_eq!(Probe::parse(&datagram).ok().or(Some(probe)), Some(probe));
        }
    }
}
