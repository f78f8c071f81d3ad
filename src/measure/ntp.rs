//! Timestamps on the wire: NTP's 64 bits, PTP's 64 bits, and the one time type.
//!
//! What the other end wrote is kept as it came, because a reflector returns it bit for bit (RFC 8762 4.3.1).

use crate::model::Timestamp;

/// 64 bits of time as they stand in a packet. The error estimate beside them says which format it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct WireTime(pub(super) u64);

/// The timestamp formats that the Z bit of an error estimate tells apart (RFC 8186 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    /// Seconds since 1900 and a binary fraction (RFC 5905 6).
    Ntp,
    /// Seconds and nanoseconds of the PTP epoch, truncated to 32 bits each.
    Ptp,
}

impl WireTime {
    /// Writes a time in NTP format. Lossless to the nanosecond for the years 1968 to 2104.
    pub(super) fn ntp(time: Timestamp) -> Self {
        let secs = time.secs().wrapping_add(NTP_EPOCH_OFFSET_SECS);
        let nanos = time.nanos().rem_euclid(NANOS_PER_SEC).unsigned_abs();
        // Rounded up, so that cutting off on the way back yields the same nanosecond.
        let fraction = (nanos << 32).div_ceil(NANOS_PER_SEC.unsigned_abs());
        Self((secs.cast_unsigned() << 32) | fraction)
    }

    /// Reads it. NTP's seconds are those between 1968 and 2104 (RFC 4330 3); PTP's are taken as they are,
    /// so that only the difference of two of one clock means something (PTP counts no leap seconds).
    pub(super) fn read(self, format: TimeFormat) -> Timestamp {
        let (secs, low) = (i64::from(self.high()), i64::from(self.low()));
        let (secs, nanos) = match format {
            TimeFormat::Ntp => {
                let era = if secs < HALF_ERA_SECS { ERA_SECS } else { 0 };
                (
                    secs + era - NTP_EPOCH_OFFSET_SECS,
                    (low * NANOS_PER_SEC) >> 32,
                )
            }
            TimeFormat::Ptp => (secs, low),
        };
        Timestamp::from_nanos(secs.saturating_mul(NANOS_PER_SEC).saturating_add(nanos))
    }

    /// The seconds.
    pub(super) fn high(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or(u32::MAX)
    }

    fn low(self) -> u32 {
        u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }
}

/// From 1900-01-01 to 1970-01-01 (RFC 5905 figure 4).
const NTP_EPOCH_OFFSET_SECS: i64 = 2_208_988_800;
/// NTP's seconds start again every 2^32, next in February 2036.
const ERA_SECS: i64 = 1 << 32;
/// Below half an era the time belongs to the era that starts in 2036.
const HALF_ERA_SECS: i64 = 1 << 31;
const NANOS_PER_SEC: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ntp_agrees_with_known_points() {
        for (nanos, wire) in [
            (0, 0x83AA_7E80_0000_0000),
            (500_000_000, 0x83AA_7E80_8000_0000),
            // RFC 5905 figure 4: the last second of the first era.
            (2_085_978_495_000_000_000, 0xFFFF_FFFF_0000_0000),
            (2_085_978_496_000_000_000, 0),
        ] {
            let time = Timestamp::from_nanos(nanos);
            assert_eq!(WireTime::ntp(time), WireTime(wire), "{nanos}");
            assert_eq!(WireTime(wire).read(TimeFormat::Ntp), time, "{wire:x}");
        }
    }

    #[test]
    fn ptp_counts_nanoseconds() {
        let wire = WireTime((7 << 32) + 999_999_999);
        assert_eq!(
            wire.read(TimeFormat::Ptp),
            Timestamp::from_nanos(7_999_999_999)
        );
    }

    proptest! {
        /// 1968-01-20 to 2104-02-26.
        #[test]
        fn ntp_keeps_every_nanosecond(nanos in -61_505_152_000_000_000..4_233_462_143_999_999_999_i64) {
            let time = Timestamp::from_nanos(nanos);
            prop_assert_eq!(WireTime::ntp(time).read(TimeFormat::Ntp), time);
        }

        #[test]
        fn any_bits_are_some_time(bits: u64, nanos: i64) {
            WireTime(bits).read(TimeFormat::Ntp);
            WireTime(bits).read(TimeFormat::Ptp);
            WireTime::ntp(Timestamp::from_nanos(nanos));
        }
    }
}
