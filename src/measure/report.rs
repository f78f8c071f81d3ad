//! What one report interval measured.

use std::time::Duration;

use crate::model::Timestamp;

use super::config::Percentiles;
use super::flight::Flight;
use super::loss::Fate;
use super::quality::Quality;
use super::spread::Fixed;
use super::spread::Times;

/// The measured values of the packets that were sent within one report interval.
///
/// What is `None` was not measured, or cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Counts the session's reports, from 0.
    pub number: u64,
    /// When the interval ended.
    pub ended: Timestamp,
    /// How long it was.
    pub duration: Duration,
    /// How many packets were sent.
    pub sent: u64,
    /// From source to destination.
    pub forward: Direction,
    /// From destination to source.
    pub back: Direction,
    /// There and back.
    pub round_trip: Direction,
}

/// The measured values of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Delays of the packets that were answered in time.
    pub times: Option<Times>,
    /// What arrived and what did not.
    pub loss: Option<Loss>,
    /// Arrived more than once: the further times.
    pub duplicated: Option<u64>,
    /// Arrived after a packet that was sent later (RFC 4737 3.2).
    pub misordered: Option<u64>,
    /// Arrived after the loss timeout. They are lost, and counted here as well.
    pub too_late: Option<u64>,
    /// Octets of UDP payload that arrived, duplicates left out.
    pub bytes_received: Option<u64>,
    /// What the path is worth for voice.
    pub quality: Option<Quality>,
}

/// What arrived in one direction and what did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Distinct packets that arrived.
    pub received: u64,
    /// Packets that did not arrive, or on the round trip not in time.
    pub lost: u64,
    /// Of those that set out; `None` when none did.
    pub lost_percent: Option<Fixed>,
    /// The shortest run of successive losses; 0 when nothing was lost (RFC 3357 3.2).
    pub burst_min: u64,
    /// The longest.
    pub burst_max: u64,
}

/// The packets of one interval in the order of sending, with what became of each.
pub(super) struct Interval<'a> {
    pub(super) flights: Vec<&'a Flight>,
    pub(super) fates: Vec<Fate>,
    /// Overtaken on the way out; `None` when the reply numbers do not tell.
    pub(super) misordered_forward: Option<u64>,
    /// What came for packets of intervals that had been reported already.
    pub(super) strays: Strays,
    pub(super) is_stateful: bool,
    pub(super) packet_size: u64,
}

/// Replies that came after their packet's interval was reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Strays {
    pub(super) twins: u64,
    pub(super) far_twins: u64,
    pub(super) too_late: u64,
}

impl Interval<'_> {
    pub(super) fn forward(&self, percentiles: Percentiles) -> Direction {
        let delays: Vec<_> = self.flights.iter().map(|flight| flight.forward()).collect();
        let loss = self
            .is_decided()
            .then(|| Loss::of(self.fates.iter().map(|fate| *fate == Fate::LostForward)));
        Direction {
            times: Times::of(&delays, self.is_absolute(), percentiles),
            loss,
            duplicated: self.duplicated().map(|(forward, _)| forward),
            misordered: self.misordered_forward,
            too_late: None,
            bytes_received: loss.map(|loss| loss.received.saturating_mul(self.packet_size)),
            quality: None,
        }
        .with_quality(1)
    }

    pub(super) fn back(&self, percentiles: Percentiles) -> Direction {
        let delays: Vec<_> = self.flights.iter().map(|flight| flight.back()).collect();
        let set_out = self.fates.iter().filter(|fate| **fate != Fate::LostForward);
        let misordered = || {
            self.count(|flight| {
                flight
                    .echo
                    .as_ref()
                    .is_some_and(|echo| echo.is_misordered_back)
            })
        };
        Direction {
            times: Times::of(&delays, self.is_absolute(), percentiles),
            loss: self
                .is_decided()
                .then(|| Loss::of(set_out.map(|fate| *fate == Fate::LostBack))),
            duplicated: self.duplicated().map(|(_, back)| back),
            misordered: self.is_stateful.then(misordered),
            too_late: None,
            bytes_received: Some(self.bytes(|flight| flight.echo.as_ref().map(|echo| echo.len))),
            quality: None,
        }
        .with_quality(1)
    }

    pub(super) fn round_trip(&self, percentiles: Percentiles) -> Direction {
        let delays: Vec<_> = self
            .flights
            .iter()
            .map(|flight| flight.round_trip())
            .collect();
        let late = self.count(|flight| flight.echo.as_ref().is_some_and(|echo| echo.is_late));
        let (forward, back) = self.twins();
        Direction {
            times: Times::of(&delays, true, percentiles),
            loss: Some(Loss::of(
                self.fates.iter().map(|fate| *fate != Fate::Received),
            )),
            duplicated: Some(forward.saturating_add(back)),
            misordered: Some(
                self.count(|flight| flight.echo.as_ref().is_some_and(|echo| echo.is_misordered)),
            ),
            too_late: Some(late.saturating_add(self.strays.too_late)),
            bytes_received: Some(self.bytes(|flight| flight.in_time().map(|echo| echo.len))),
            quality: None,
        }
        .with_quality(2)
    }

    /// Whether every loss has a direction.
    fn is_decided(&self) -> bool {
        !self.fates.contains(&Fate::LostSomewhere)
    }

    fn is_absolute(&self) -> bool {
        self.flights.iter().all(|flight| flight.is_absolute())
    }

    /// On the way out and back, where they can be told apart or there are none.
    fn duplicated(&self) -> Option<(u64, u64)> {
        let twins = self.twins();
        (self.is_stateful || twins == (0, 0)).then_some(twins)
    }

    fn twins(&self) -> (u64, u64) {
        let sum = |of: fn(&Flight) -> u16| -> u64 {
            self.flights
                .iter()
                .map(|flight| u64::from(of(flight)))
                .sum()
        };
        (
            sum(|flight| flight.far_twins).saturating_add(self.strays.far_twins),
            sum(|flight| flight.twins).saturating_add(self.strays.twins),
        )
    }

    fn count(&self, is: impl Fn(&Flight) -> bool) -> u64 {
        number(self.flights.iter().filter(|flight| is(flight)).count())
    }

    fn bytes(&self, len: impl Fn(&Flight) -> Option<u16>) -> u64 {
        self.flights
            .iter()
            .filter_map(|flight| len(flight))
            .map(u64::from)
            .sum()
    }
}

impl Loss {
    /// From each packet that set out, in order: whether it was lost.
    fn of(lost: impl Iterator<Item = bool>) -> Self {
        let (mut total, mut gone, mut run) = (0_u64, 0_u64, 0_u64);
        let mut burst: Option<(u64, u64)> = None;
        // One packet more that arrives ends the last run.
        for is_lost in lost.map(Some).chain([None]) {
            total += u64::from(is_lost.is_some());
            if is_lost == Some(true) {
                gone += 1;
                run += 1;
            } else if run > 0 {
                burst = Some(burst.map_or((run, run), |(min, max)| (min.min(run), max.max(run))));
                run = 0;
            }
        }
        let (burst_min, burst_max) = burst.unwrap_or_default();
        Self {
            received: total - gone,
            lost: gone,
            lost_percent: Fixed::percent(gone, total),
            burst_min,
            burst_max,
        }
    }
}

impl Direction {
    /// Adds the estimate where delay and loss are known; `ways` is how many the delay covers.
    fn with_quality(mut self, ways: i64) -> Self {
        let delay = self.times.and_then(|times| times.delay);
        let percent = self.loss.and_then(|loss| loss.lost_percent);
        self.quality = delay
            .zip(percent)
            .map(|(delay, percent)| Quality::estimate(Fixed(delay.avg.0 / ways), percent));
        self
    }
}

pub(super) fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_counts_runs() {
        for (pattern, received, lost, burst) in [
            ("", 0, 0, (0, 0)),
            ("...", 3, 0, (0, 0)),
            ("x..xxx.xx", 3, 6, (1, 3)),
            ("xx", 0, 2, (2, 2)),
        ] {
            let loss = Loss::of(pattern.chars().map(|c| c == 'x'));
            let found = (loss.received, loss.lost, (loss.burst_min, loss.burst_max));
            assert_eq!(found, (received, lost, burst), "{pattern}");
        }
        assert_eq!(Loss::of([].into_iter()).lost_percent, None);
        let quarter = Loss::of([true, false, false, false].into_iter());
        assert_eq!(quarter.lost_percent, Some(Fixed::whole(25)));
    }
}
