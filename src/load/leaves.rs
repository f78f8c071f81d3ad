//! What one subscription has seen of the writers' leaves.

/// A written value: the leaf's number above, its counter below. Whoever sees it needs no path.
pub(super) fn value(leaf: usize, counter: u32) -> u64 {
    u64::try_from(leaf).unwrap_or_default() << u32::BITS | u64::from(counter)
}

/// The last counter of each leaf. Four bytes a leaf.
#[derive(Debug)]
pub(super) struct Leaves {
    counters: Vec<u32>,
    /// Whether the subscription is for all of them; otherwise only those are expected that have been seen.
    all_expected: bool,
}

/// What a value says about those that should have come before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// It is not a value of this run.
    Foreign,
    /// So many values before it neither came nor were counted as coalesced.
    Gap(u32),
    /// The next one, or one after values that were counted as coalesced.
    Next,
    /// Older than, or the same as, one that came before.
    Reordered,
}

impl Leaves {
    pub(super) fn new(leaves: usize, all_expected: bool) -> Self {
        Self {
            counters: vec![0; leaves],
            all_expected,
        }
    }

    /// Takes in a value that was there before the sync: where the leaf is when the stream begins.
    pub(super) fn begin(&mut self, value: u64) {
        let (leaf, counter) = parts(value);
        if let Some(last) = self.counters.get_mut(leaf) {
            *last = counter;
        }
    }

    pub(super) fn note(&mut self, value: u64, duplicates: u32) -> Order {
        let (leaf, counter) = parts(value);
        let Some(last) = self.counters.get_mut(leaf) else {
            return Order::Foreign;
        };
        if counter <= *last {
            return Order::Reordered;
        }
        let missing = (counter - *last - 1).saturating_sub(duplicates);
        *last = counter;
        match missing {
            0 => Order::Next,
            missing => Order::Gap(missing),
        }
    }

    /// How many leaves have not reached their last acknowledged value.
    pub(super) fn behind(&self, finals: &[u32]) -> u64 {
        let expected = |seen: &u32| self.all_expected || *seen > 0;
        let late = self
            .counters
            .iter()
            .zip(finals)
            .filter(|(seen, last)| expected(seen) && seen < last);
        u64::try_from(late.count()).unwrap_or(u64::MAX)
    }
}

fn parts(value: u64) -> (usize, u32) {
    let leaf = usize::try_from(value >> u32::BITS).unwrap_or(usize::MAX);
    let counter = u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default();
    (leaf, counter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_values_is_told() {
        let mut leaves = Leaves::new(2, true);
        assert_eq!(leaves.note(value(1, 1), 0), Order::Next);
        assert_eq!(leaves.note(value(1, 4), 2), Order::Next);
        assert_eq!(leaves.note(value(1, 7), 1), Order::Gap(1));
        assert_eq!(leaves.note(value(1, 7), 0), Order::Reordered);
        assert_eq!(leaves.note(value(2, 1), 0), Order::Foreign);
        assert_eq!(leaves.behind(&[0, 7]), 0);
        assert_eq!(leaves.behind(&[1, 8]), 2);
        leaves.all_expected = false;
        assert_eq!(leaves.behind(&[1, 8]), 1);
        leaves.begin(value(0, 5));
        assert_eq!(leaves.note(value(0, 6), 0), Order::Next);
    }
}
