//! How a set of measured times is spread: exact, over every sample of one report interval.

use super::config::Percentile;
use super::config::Percentiles;

/// A number with five digits after the point: the form of every metric leaf (decimal64, fraction-digits 5).
/// Times are in microseconds, so that a nanosecond is 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed(pub i64);

/// Extremes, mean, deviation and percentiles (nearest rank) of at least one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The smallest.
    pub min: Fixed,
    /// The mean, rounded to the last digit.
    pub avg: Fixed,
    /// The largest.
    pub max: Fixed,
    /// The standard deviation of the set itself (divided by its number), rounded down to the last digit.
    pub std_dev: Fixed,
    /// The 25th percentile.
    pub p25: Fixed,
    /// The median.
    pub p50: Fixed,
    /// The 75th percentile.
    pub p75: Fixed,
    /// The 95th percentile.
    pub p95: Fixed,
    /// The configured low percentile.
    pub low: Fixed,
    /// The configured middle percentile.
    pub middle: Fixed,
    /// The configured high percentile.
    pub high: Fixed,
}

/// Delay of one direction, in the three ways that the vendor's model tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The delay itself; `None` for one way between clocks that are not synchronized.
    pub delay: Option<Spread>,
    /// Each delay minus the smallest of the interval (PDV, RFC 5481 4.2). Its smallest value is zero.
    pub variation: Spread,
    /// The distance between the delays of two packets with successive numbers, both received (the absolute value
    /// of IPDV, RFC 3393 2.4). `None` when there were no such two.
    pub jitter: Option<Spread>,
}

impl Fixed {
    /// Whole units.
    pub fn whole(number: u64) -> Self {
        Self(
            i64::try_from(number)
                .unwrap_or(i64::MAX)
                .saturating_mul(UNIT),
        )
    }

    /// From nanoseconds to microseconds.
    pub fn micros(nanos: i64) -> Self {
        Self(nanos.saturating_mul(PER_NANO))
    }

    /// `part` of `whole` in percent, rounded down; `None` of nothing.
    pub fn percent(part: u64, whole: u64) -> Option<Self> {
        let scaled = u128::from(part) * 100 * u128::from(UNIT.unsigned_abs());
        scaled
            .checked_div(whole.into())
            .map(|digits| Self(saturate(digits)))
    }
}

impl Spread {
    /// Measures a set of nanoseconds; `None` for the empty set. Sorts it: n log n.
    pub(super) fn of(nanos: &mut [i64], percentiles: Percentiles) -> Option<Self> {
        nanos.sort_unstable();
        let (min, max) = (*nanos.first()?, *nanos.last()?);
        let at = |percentile: Percentile| {
            let index = percentile.rank(nanos.len()).saturating_sub(1);
            Fixed::micros(nanos.get(index).copied().unwrap_or(max))
        };
        let (avg, std_dev) = mean_and_deviation(nanos, min);
        Some(Self {
            min: Fixed::micros(min),
            avg,
            max: Fixed::micros(max),
            std_dev,
            p25: at(Percentile::P25),
            p50: at(Percentile::P50),
            p75: at(Percentile::P75),
            p95: at(Percentile::P95),
            low: at(percentiles.low),
            middle: at(percentiles.middle),
            high: at(percentiles.high),
        })
    }
}

impl Times {
    /// Measures the delays of one direction in the order of their sequence numbers; `None` stands for a packet
    /// without a delay. `absolute` says whether the delays mean anything but by comparison.
    pub(super) fn of(
        delays: &[Option<i64>],
        absolute: bool,
        percentiles: Percentiles,
    ) -> Option<Self> {
        let mut known: Vec<i64> = delays.iter().copied().flatten().collect();
        let smallest = known.iter().copied().min()?;
        let mut above: Vec<i64> = known
            .iter()
            .map(|delay| delay.saturating_sub(smallest))
            .collect();
        let mut steps: Vec<i64> = delays
            .iter()
            .zip(delays.iter().skip(1))
            .filter_map(|(first, second)| {
                Some((*second)?.saturating_sub((*first)?).saturating_abs())
            })
            .collect();
        let delay = if absolute {
            Spread::of(&mut known, percentiles)
        } else {
            None
        };
        Some(Self {
            delay,
            variation: Spread::of(&mut above, percentiles)?,
            jitter: Spread::of(&mut steps, percentiles),
        })
    }
}

/// Integers throughout, counted from the smallest, so that no precision is lost: delays up to a minute of
/// 100,000 packets are far from the ends of 128 bits. What a hostile reflector writes saturates.
fn mean_and_deviation(nanos: &[i64], min: i64) -> (Fixed, Fixed) {
    let scale = u128::from(PER_NANO.unsigned_abs());
    let count = u128::try_from(nanos.len()).unwrap_or(u128::MAX).max(1);
    let above = |value: &i64| u128::from(value.abs_diff(min)) * scale;
    let sum = nanos.iter().map(above).fold(0, u128::saturating_add);
    let squares = nanos
        .iter()
        .map(|value| above(value).saturating_mul(above(value)))
        .fold(0, u128::saturating_add);
    let spread = count
        .saturating_mul(squares)
        .saturating_sub(sum.saturating_mul(sum));
    let deviation = spread.isqrt() / count;
    let mean = saturate((sum + count / 2) / count);
    (
        Fixed(Fixed::micros(min).0.saturating_add(mean)),
        Fixed(saturate(deviation)),
    )
}

fn saturate(digits: u128) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX)
}

/// Five digits after the point.
const UNIT: i64 = 100_000;
/// Digits of a microsecond in a nanosecond.
const PER_NANO: i64 = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spread(nanos: &[i64]) -> Spread {
        Spread::of(&mut nanos.to_vec(), Percentiles::DEFAULT).unwrap()
    }

    #[test]
    fn spread_equals_the_hand_computed_one() {
        // Mean 5, squared distances 9 1 1 1 0 0 4 16, variance 4.
        let found = spread(&[2_000, 4_000, 4_000, 4_000, 5_000, 5_000, 7_000, 9_000]);
        let micros = |value| Fixed::whole(value);
        let expected = Spread {
            min: micros(2),
            avg: micros(5),
            max: micros(9),
            std_dev: micros(2),
            p25: micros(4),
            p50: micros(4),
            p75: micros(5),
            p95: micros(9),
            low: micros(2),
            middle: micros(9),
            high: micros(9),
        };
        assert_eq!(found, expected);
        assert_eq!(Spread::of(&mut [], Percentiles::DEFAULT), None);
    }

    #[test]
    fn mean_keeps_what_a_nanosecond_hides() {
        let found = spread(&[1, 2, 2]);
        assert_eq!((found.avg, found.std_dev), (Fixed(167), Fixed(47)));
        assert_eq!(spread(&[-3, -1]).avg, Fixed(-200));
    }

    #[test]
    fn variation_is_counted_from_the_smallest_and_jitter_from_the_packet_before() {
        let delays = [Some(30), Some(10), None, Some(20), Some(25)];
        let times = Times::of(&delays, true, Percentiles::DEFAULT).unwrap();
        assert_eq!(times.delay, Some(spread(&[10, 20, 25, 30])));
        assert_eq!(times.variation, spread(&[0, 10, 15, 20]));
        assert_eq!(times.jitter, Some(spread(&[5, 20])));
        let alone = Times::of(&[None, Some(-7), None], false, Percentiles::DEFAULT).unwrap();
        assert_eq!((alone.delay, alone.jitter), (None, None));
        assert_eq!(Times::of(&[None], true, Percentiles::DEFAULT), None);
    }

    #[test]
    fn percent_rounds_down_and_knows_nothing_of_nothing() {
        assert_eq!(Fixed::percent(1, 3), Some(Fixed(3_333_333)));
        assert_eq!(Fixed::percent(3, 3), Some(Fixed::whole(100)));
        assert_eq!(Fixed::percent(0, 0), None);
    }

    proptest! {
        #[test]
        fn spread_equals_the_naive_one(nanos in prop::collection::vec(-60_000_000_000..60_000_000_000_i64, 1..200)) {
            let found = spread(&nanos);
            #[expect(clippy::cast_precision_loss, reason = "the naive computation is in floating point")]
            let values: Vec<f64> = nanos.iter().map(|value| *value as f64 / 1e3).collect();
            let count = f64::from(u32::try_from(values.len()).unwrap());
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            #[expect(clippy::cast_precision_loss, reason = "compared within a tolerance")]
            let micros = |value: Fixed| value.0 as f64 / 1e5;
            prop_assert!((micros(found.avg) - mean).abs() < 1e-4);
            prop_assert!((micros(found.std_dev) - variance.sqrt()).abs() < 1e-3);
            for (percent, value) in [(0.25, found.p25), (0.5, found.p50), (0.95, found.p95), (0.99, found.high)] {
                let at_or_below = |limit: i64| nanos.iter().filter(|nano| **nano <= limit).count();
                let smallest = nanos.iter().copied()
                    .filter(|nano| f64::from(u32::try_from(at_or_below(*nano)).unwrap()) >= percent * count - 1e-9)
                    .min().unwrap();
                prop_assert_eq!(value, Fixed::micros(smallest));
            }
        }

        #[test]
        fn any_times_are_measured(nanos in prop::collection::vec(any::<i64>(), 1..9)) {
            spread(&nanos);
            let delays: Vec<_> = nanos.into_iter().map(Some).collect();
            Times::of(&delays, true, Percentiles::DEFAULT);
        }
    }
}
