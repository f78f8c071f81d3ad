//! Latencies in bounded memory: buckets that grow with the value, within 3 % of it.

/// Counts by value. 37 powers of two with 32 buckets each: 9.5 KiB.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            max: 0,
        }
    }

    /// Counts `times` occurrences of `value`.
    pub(super) fn record(&mut self, value: u64, times: u64) {
        if let Some(count) = self.counts.get_mut(bucket(value)) {
            *count += times;
        }
        self.total += times;
        self.max = self.max.max(value);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    pub(super) const fn max(&self) -> u64 {
        self.max
    }

    /// The value that `per_mille` thousandths of all values do not exceed, rounded up to its bucket's end.
    pub(super) fn quantile(&self, per_mille: u64) -> u64 {
        let rank = (self.total.saturating_mul(per_mille)).div_ceil(1000);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank && seen > 0 {
                return upper_end(index).min(self.max);
            }
        }
        self.max
    }
}

/// Values below 32 have a bucket each; above, the five bits after the leading one choose it.
fn bucket(value: u64) -> usize {
    let octave = (u64::BITS - value.leading_zeros()).saturating_sub(PRECISION_BITS + 1);
    let mantissa = usize::try_from(value >> octave).unwrap_or(usize::MAX);
    let octave = usize::try_from(octave).unwrap_or(usize::MAX);
    (octave * PER_OCTAVE + mantissa).min(BUCKETS - 1)
}

fn upper_end(bucket: usize) -> u64 {
    if bucket < 2 * PER_OCTAVE {
        return u64::try_from(bucket).unwrap_or(u64::MAX);
    }
    let octave = bucket / PER_OCTAVE - 1;
    let mantissa = u64::try_from(bucket % PER_OCTAVE + PER_OCTAVE).unwrap_or(u64::MAX);
    ((mantissa + 1) << octave) - 1
}

/// Within 1/32 of the value.
const PRECISION_BITS: u32 = 5;
const PER_OCTAVE: usize = 1 << PRECISION_BITS;

/// Nanoseconds up to an hour; what is later counts as an hour, and as itself in the maximum.
const BUCKETS: usize = 38 * PER_OCTAVE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_bucket_of_the_truth() {
        let mut histogram = Histogram::new();
        for value in 1..=100_000 {
            histogram.record(value * 10, 1);
        }
        for (per_mille, truth) in [(500, 500_000), (990, 990_000), (999, 999_000)] {
            let found = histogram.quantile(per_mille);
            assert!(found >= truth && found <= truth + truth / 32, "{found}");
        }
        assert_eq!(histogram.max(), 1_000_000);
    }

    #[test]
    fn every_value_is_within_its_bucket() {
        for value in (0..200).chain([1 << 20, (1 << 41) - 1]) {
            let end = upper_end(bucket(value));
            assert!(end >= value && end <= value + value / 32, "{value}: {end}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn empty_histogram_says_zero() {
        assert_eq!(Histogram::new().quantile(990), 0);
    }
}
