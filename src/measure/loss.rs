//! In which direction a packet was lost, told from the reply numbers of a stateful reflector.
//!
//! The reflector counts the packets that reach it, so a reply number that was never seen is a loss on the way back,
//! and the packets without a reply that it does not explain are losses on the way out. Which packet an unseen reply
//! number belongs to is told by its neighbours: where a gap holds losses of both ways, the earlier packets are taken
//! for lost on the way back. The totals of both ways are exact, except that a packet doubled on the way out whose
//! second reply is lost leaves an unseen number too.

use std::collections::BTreeSet;

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

/// What the reply numbers tell of a run of packets.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Packets, from `start` to before `end`, of which something is told.
    start: i64,
    end: i64,
    lost_back: BTreeSet<i64>,
}

/// A packet's place, and how far its reply's number is from that of the first reply in the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    reply: i64,
    number: i64,
}

impl Numbers {
    /// Reads the answered packets in the order of sending, and the further replies to packets doubled on the way
    /// out. `reach` is how far packets can be from their order: what is sent within one loss timeout.
    /// `is_from_start` says that the run begins with packet 0, when a stateful reflector counts from 0 too.
    pub(super) fn new(
        answered: &[Answered],
        twins: &[Answered],
        reach: usize,
        is_from_start: bool,
    ) -> Self {
        let reach = i64::try_from(reach).unwrap_or(i64::MAX);
        let Some(first) = answered.first() else {
            return Self::default();
        };
        let place = |one: &Answered| Place {
            reply: distance(first.reply, one.reply),
            number: i64::try_from(one.number).unwrap_or(i64::MAX),
        };
        let mut places: Vec<Place> = answered.iter().map(place).collect();
        let before_all = Place {
            reply: -1 - i64::from(first.reply),
            number: -1,
        };
        // Further ahead, it counts from an earlier session of this address.
        let ahead = u64::from(first.reply).saturating_sub(first.number);
        if is_from_start && ahead <= reach.unsigned_abs() {
            places.insert(0, before_all);
        }
        if has_restarted(&places, reach) {
            return Self::default();
        }
        let missing = missing(&places);
        let (start, end) = ends(&places);
        places.extend(twins.iter().map(place));
        places.sort_unstable();
        match unseen(&places, missing.len(), reach) {
            None => Self::default(),
            Some(unseen) => Self {
                start,
                end,
                lost_back: explain(&unseen, &missing),
            },
        }
    }

    /// Where the packet `number`, which was not answered, was lost.
    pub(super) fn fate(&self, number: u64) -> Fate {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        if !(self.start..self.end).contains(&number) {
            Fate::LostSomewhere
        } else if self.lost_back.contains(&number) {
            Fate::LostBack
        } else {
            Fate::LostForward
        }
    }
}

/// Whether the reflector started to count anew: a number came twice, or fell back further than packets overtake.
fn has_restarted(places: &[Place], reach: i64) -> bool {
    let mut replies: Vec<i64> = places.iter().map(|place| place.reply).collect();
    let fell_back = replies
        .iter()
        .zip(replies.iter().skip(1))
        .any(|(before, after)| *after < before - reach);
    let count = replies.len();
    replies.sort_unstable();
    replies.dedup();
    fell_back || replies.len() < count
}

/// The first and the last place.
fn ends(places: &[Place]) -> (i64, i64) {
    let number = |place: &Place| place.number;
    (
        places.first().map_or(0, number),
        places.last().map_or(0, number),
    )
}

/// The packets between answered ones that were not answered, in order.
fn missing(places: &[Place]) -> Vec<i64> {
    places
        .iter()
        .zip(places.iter().skip(1))
        .flat_map(|(before, after)| before.number + 1..after.number)
        .collect()
}

/// For each reply number that was not seen, the packet that it would belong to if none had been lost on the way
/// out. `None` when there are too many for the packets that are missing.
fn unseen(sorted: &[Place], missing: usize, reach: i64) -> Option<Vec<i64>> {
    let mut unseen = Vec::new();
    let limit = i64::try_from(missing)
        .unwrap_or(i64::MAX)
        .saturating_add(reach);
    let mut room = limit;
    for (before, after) in sorted.iter().zip(sorted.iter().skip(1)) {
        let skipped = (after.reply - before.reply - 1).max(0);
        room -= skipped;
        if room < 0 {
            return None;
        }
        unseen.extend((1..=skipped).map(|step| before.number + step));
    }
    Some(unseen)
}

/// Gives each unseen reply number the nearest missing packet that has none yet.
fn explain(unseen: &[i64], missing: &[i64]) -> BTreeSet<i64> {
    let mut free: BTreeSet<i64> = missing.iter().copied().collect();
    let mut explained = BTreeSet::new();
    for wanted in unseen {
        let above = free.range(wanted..).next();
        let below = free.range(..wanted).next_back();
        let nearest = [above, below]
            .into_iter()
            .flatten()
            .min_by_key(|number| number.abs_diff(*wanted))
            .copied();
        if let Some(number) = nearest {
            free.remove(&number);
            explained.insert(number);
        }
    }
    explained
}

/// How far `number` is ahead of `base`, across the wrap of 32 bits.
pub(super) fn distance(base: u32, number: u32) -> i64 {
    i64::from(number.wrapping_sub(base).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pairs: &[(u64, u32)]) -> Vec<Answered> {
        let one = |(number, reply): &(u64, u32)| Answered {
            number: *number,
            reply: *reply,
        };
        pairs.iter().map(one).collect()
    }

    #[track_caller]
    fn check(answered: &[(u64, u32)], twins: &[(u64, u32)], expected: &[(u64, Fate)]) {
        let is_from_start = answered.first().is_none_or(|(number, _)| *number < 50);
        let numbers = Numbers::new(&all(answered), &all(twins), 10, is_from_start);
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
    fn mixed_gap_takes_the_earlier_for_lost_back() {
        let expected = [
            (101, Fate::LostBack),
            (102, Fate::LostForward),
            (103, Fate::LostForward),
        ];
        check(&[(100, 5), (104, 7)], &[], &expected);
    }

    #[test]
    fn first_packets_are_told_by_the_count_from_zero() {
        let expected = [(0, Fate::LostBack), (1, Fate::LostForward)];
        check(&[(2, 1)], &[], &expected);
        check(&[(2, 13)], &[], &[(0, Fate::LostSomewhere)]);
    }

    #[test]
    fn last_packets_stay_undecided() {
        check(&[(0, 0)], &[], &[(1, Fate::LostSomewhere)]);
        check(&[], &[], &[(1, Fate::LostSomewhere)]);
    }

    #[test]
    fn twin_and_overtaker_explain_reply_numbers() {
        check(&[(0, 0), (2, 2)], &[(0, 1)], &[(1, Fate::LostForward)]);
        check(&[(0, 0), (2, 2), (3, 1)], &[], &[(1, Fate::LostForward)]);
        // 4 and 5 overtook 3, and the reply to 4 was lost.
        let overtaken = [(2, 2), (3, 5), (5, 4), (6, 6)];
        check(&overtaken, &[], &[(4, Fate::LostBack)]);
    }

    #[test]
    fn reply_numbers_wrap() {
        check(&[(100, u32::MAX), (102, 1)], &[], &[(101, Fate::LostBack)]);
    }

    #[test]
    fn restarted_reflector_decides_nothing() {
        for answered in [
            [(100, 100), (102, 0)],
            [(100, 3), (102, 500)],
            [(100, 3), (102, 3)],
        ] {
            check(&answered, &[], &[(101, Fate::LostSomewhere)]);
        }
    }
}
