//! In which direction a packet was lost, told from the reply numbers of a stateful reflector.
//!
//! Between two packets that were answered lie the packets that were not. The reflector counted those of them
//! that reached it, so the missing reply numbers are losses on the way back, and the rest are losses on the way
//! out. Where a gap holds both, it is not known which packet is which: the earlier ones are taken for lost on the
//! way out. Totals are exact unless a doubled packet's second reply is lost too, or a packet lost a whole loss
//! timeout away from its neighbours was overtaken.

/// What became of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Answered in time.
    Received,
    /// Answered, but too late: lost on the round trip, and in neither direction.
    Late,
    /// Not answered; the reflector never saw it.
    LostForward,
    /// Not answered; the reflector's reply was lost.
    LostBack,
    /// Not answered, and no telling why.
    LostSomewhere,
}

/// A packet that was answered: its place in the order of sending, and its reply's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) number: u64,
    pub(super) reply: u32,
}

/// The answered packets around and within the packets in question, in the order of sending.
#[derive(Debug)]
pub(super) struct Numbers {
    answered: Vec<Answered>,
    /// Every reply number seen, as distance from the first one's, sorted.
    seen: Vec<i64>,
    /// How far packets can be from their order: what is sent within one loss timeout.
    reach: i64,
}

impl Numbers {
    /// Takes the answered packets in the order of sending, and the numbers of further replies to them.
    pub(super) fn new(answered: Vec<Answered>, twins: &[u32], reach: usize) -> Self {
        let base = answered.first().map_or(0, |first| first.reply);
        let mut seen: Vec<i64> = answered
            .iter()
            .map(|one| one.reply)
            .chain(twins.iter().copied())
            .map(|reply| distance(base, reply))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        Self {
            answered,
            seen,
            reach: i64::try_from(reach).unwrap_or(i64::MAX),
        }
    }

    /// Where the packet `number`, which was not answered, was lost.
    pub(super) fn fate(&self, number: u64) -> Fate {
        let after = self.answered.partition_point(|one| one.number < number);
        let before = after.checked_sub(1).and_then(|at| self.answered.get(at));
        let (Some(next), previous) = (self.answered.get(after), before) else {
            return Fate::LostSomewhere;
        };
        let Some(lost_forward) = self.lost_forward(previous, next) else {
            return Fate::LostSomewhere;
        };
        let first = previous.map_or(0, |one| one.number + 1);
        if number - first < lost_forward {
            Fate::LostForward
        } else {
            Fate::LostBack
        }
    }

    /// How many of the packets between two answered ones the reflector never saw. Without a first one the session
    /// has just begun, and a stateful reflector counts from zero.
    fn lost_forward(&self, previous: Option<&Answered>, next: &Answered) -> Option<u64> {
        let Some(previous) = previous else {
            return next.number.checked_sub(u64::from(next.reply));
        };
        let missing = next
            .number
            .saturating_sub(previous.number)
            .saturating_sub(1);
        let base = self.answered.first().map_or(0, |first| first.reply);
        let (a, b) = (distance(base, previous.reply), distance(base, next.reply));
        let (low, high) = (a.min(b), a.max(b));
        let allowed = i64::try_from(missing)
            .unwrap_or(i64::MAX)
            .saturating_add(self.reach);
        if b < a - self.reach || high - low > allowed.saturating_add(1) {
            // The reflector started to count anew.
            return None;
        }
        let between = self.seen.partition_point(|one| *one < high)
            - self.seen.partition_point(|one| *one <= low);
        let unseen = u64::try_from(high - low - 1)
            .unwrap_or(0)
            .saturating_sub(u64::try_from(between).unwrap_or(u64::MAX));
        Some(missing.saturating_sub(unseen))
    }
}

/// How far `number` is ahead of `base`, across the wrap of 32 bits.
pub(super) fn distance(base: u32, number: u32) -> i64 {
    i64::from(number.wrapping_sub(base).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(answered: &[(u64, u32)], twins: &[u32]) -> Numbers {
        let answered = answered
            .iter()
            .map(|(number, reply)| Answered {
                number: *number,
                reply: *reply,
            })
            .collect();
        Numbers::new(answered, twins, 10)
    }

    #[track_caller]
    fn check(answered: &[(u64, u32)], twins: &[u32], expected: &[(u64, Fate)]) {
        let numbers = numbers(answered, twins);
        for (number, fate) in expected {
            assert_eq!(numbers.fate(*number), *fate, "packet {number}");
        }
    }

    #[test]
    fn missing_reply_number_is_a_loss_on_the_way_back() {
        check(&[(0, 0), (2, 2)], &[], &[(1, Fate::LostBack)]);
        check(&[(0, 0), (2, 1)], &[], &[(1, Fate::LostForward)]);
    }

    #[test]
    fn mixed_gap_takes_the_earlier_for_lost_forward() {
        let expected = [
            (1, Fate::LostForward),
            (2, Fate::LostForward),
            (3, Fate::LostBack),
        ];
        check(&[(0, 5), (4, 7)], &[], &expected);
    }

    #[test]
    fn first_packets_are_told_by_the_count_from_zero() {
        check(
            &[(2, 1)],
            &[],
            &[(0, Fate::LostForward), (1, Fate::LostBack)],
        );
        check(&[(2, 9)], &[], &[(0, Fate::LostSomewhere)]);
    }

    #[test]
    fn last_packets_stay_undecided() {
        check(&[(0, 0)], &[], &[(1, Fate::LostSomewhere)]);
        check(&[], &[], &[(1, Fate::LostSomewhere)]);
    }

    #[test]
    fn twin_and_overtaker_explain_reply_numbers() {
        // Packet 0 was doubled on the way out: replies 0 and 1 are its own.
        check(&[(0, 0), (2, 2)], &[1], &[(1, Fate::LostForward)]);
        // Packet 3 overtook 2: reply 1 is its own.
        check(&[(0, 0), (2, 2), (3, 1)], &[], &[(1, Fate::LostForward)]);
    }

    #[test]
    fn reply_numbers_wrap() {
        check(&[(0, u32::MAX), (2, 1)], &[], &[(1, Fate::LostBack)]);
    }

    #[test]
    fn restarted_reflector_decides_nothing() {
        check(&[(100, 100), (102, 0)], &[], &[(101, Fate::LostSomewhere)]);
        check(&[(100, 3), (102, 500)], &[], &[(101, Fate::LostSomewhere)]);
    }
}
