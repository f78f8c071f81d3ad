//! A session's state at its sender: which packets are on their way, and what became of those of one interval.
//!
//! Does no I/O and reads no clock. A packet belongs to the interval in which it was sent. The interval is cut at its
//! end and reported one loss timeout later, when each of its packets has arrived or is lost.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Timestamp;

use super::config::Percentiles;
use super::config::SenderConfig;
use super::config::SequenceMode;
use super::flight::Echo;
use super::flight::Flight;
use super::loss::Answered;
use super::loss::Fate;
use super::loss::Numbers;
use super::loss::distance;
use super::ntp::WireTime;
use super::packet::ErrorEstimate;
use super::packet::Probe;
use super::packet::Reply;
use super::report::Interval;
use super::report::Report;
use super::report::Strays;

/// The packets of one session.
#[derive(Debug)]
pub(super) struct Session {
    rules: Rules,
    /// Packets without a gap, from number `first` on: some that were reported, those to report, those of now.
    flights: VecDeque<Flight>,
    first: u64,
    /// Packets below this number have been reported.
    reported: u64,
    /// The last answered packet that was reported.
    anchor: Option<Answered>,
    /// Further replies to packets that were doubled on the way out.
    far_twins: Vec<Answered>,
    strays: Strays,
    /// The highest number answered in time.
    highest: Option<u64>,
    /// The furthest reply number.
    furthest: Option<u32>,
    /// When the interval of now began.
    began: Timestamp,
    ended: Option<Ended>,
    reports: u64,
}

/// What a datagram was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The first reply to a packet, in time.
    Received,
    /// The first reply to a packet, after the loss timeout.
    TooLate,
    /// A further reply to a packet.
    Duplicate,
    /// No reply to a packet that is remembered.
    Foreign,
}

/// What of the settings counts here.
#[derive(Debug)]
struct Rules {
    error: ErrorEstimate,
    is_stateful: bool,
    loss_timeout: Duration,
    packet_size: u64,
    percentiles: Percentiles,
    /// How many packets are sent within one loss timeout.
    reach: usize,
    ssid: u16,
}

/// An interval that waits for its last replies.
#[derive(Debug)]
struct Ended {
    began: Timestamp,
    at: Timestamp,
    /// The first number that is no longer of it.
    next: u64,
}

impl Session {
    pub(super) fn new(config: &SenderConfig, now: Timestamp) -> Self {
        let schedule = &config.schedule;
        let reach = schedule.loss_timeout().as_nanos() / schedule.interval().as_nanos().max(1) + 1;
        Self {
            rules: Rules {
                error: ErrorEstimate::ours(config.is_clock_synchronized),
                is_stateful: config.reflector == SequenceMode::Stateful,
                loss_timeout: schedule.loss_timeout(),
                packet_size: config.packet_size.octets().into(),
                percentiles: config.percentiles,
                reach: usize::try_from(reach).unwrap_or(usize::MAX),
                ssid: config.ssid,
            },
            flights: VecDeque::new(),
            first: 0,
            reported: 0,
            anchor: None,
            far_twins: Vec::new(),
            strays: Strays::default(),
            highest: None,
            furthest: None,
            began: now,
            ended: None,
            reports: 0,
        }
    }

    /// The next packet, which leaves now. One that cannot leave is lost on the way out.
    pub(super) fn probe(&mut self, now: Timestamp) -> Probe {
        let probe = Probe {
            sequence: wire_number(self.next()),
            sent: WireTime::ntp(now),
            error: self.rules.error,
            session: self.rules.ssid,
        };
        self.flights.push_back(Flight::new(now));
        probe
    }

    /// Takes a datagram that arrived now. The echoed timestamp must be the one that was sent, so that a guess at
    /// the number is not enough to forge a reply.
    pub(super) fn receive(&mut self, now: Timestamp, datagram: &[u8]) -> Outcome {
        let Ok(reply) = Reply::parse(datagram) else {
            return Outcome::Foreign;
        };
        let ahead = reply.probe.sequence.wrapping_sub(wire_number(self.first));
        let index = usize::try_from(ahead).unwrap_or(usize::MAX);
        let is_of_other_session =
            self.rules.ssid != 0 && reply.session != 0 && reply.session != self.rules.ssid;
        let Some(flight) = self.flights.get_mut(index) else {
            return Outcome::Foreign;
        };
        if is_of_other_session || WireTime::ntp(flight.sent) != reply.probe.sent {
            return Outcome::Foreign;
        }
        let number = self.first + u64::from(ahead);
        if let Some(echo) = &flight.echo {
            let is_far = self.rules.is_stateful && echo.reply != reply.sequence;
            self.double(index, number, is_far.then_some(reply.sequence));
            return Outcome::Duplicate;
        }
        let mut echo = Echo::new(&reply, datagram.len(), now);
        if now.since(flight.sent) > self.rules.loss_timeout {
            echo.is_late = true;
            flight.echo = Some(echo);
            if number < self.reported {
                self.strays.too_late += 1;
            }
            return Outcome::TooLate;
        }
        echo.is_misordered = self.highest.is_some_and(|highest| number < highest);
        self.highest = self.highest.max(Some(number));
        let lead = self
            .furthest
            .map_or(1, |furthest| distance(furthest, reply.sequence));
        let reach = i64::try_from(self.rules.reach).unwrap_or(i64::MAX);
        echo.is_misordered_back = lead < 0 && lead >= -reach;
        if lead > 0 || lead < -reach {
            self.furthest = Some(reply.sequence);
        }
        flight.echo = Some(echo);
        Outcome::Received
    }

    /// Ends the interval of now and begins the next. Reports the one before, if that has not been done.
    pub(super) fn cut(&mut self, now: Timestamp) -> Option<Report> {
        let before = self.close();
        self.ended = Some(Ended {
            began: self.began,
            at: now,
            next: self.next(),
        });
        self.began = now;
        before
    }

    /// Reports the interval that was cut last. Its packets without a reply are lost.
    pub(super) fn close(&mut self) -> Option<Report> {
        let ended = self.ended.take()?;
        let skipped = usize::try_from(self.reported - self.first).unwrap_or(usize::MAX);
        let count = usize::try_from(ended.next - self.reported).unwrap_or(usize::MAX);
        let all: Vec<(u64, &Flight)> = (self.first..).zip(&self.flights).collect();
        let open = all.get(skipped..).unwrap_or_default();
        let mine = open.get(..count).unwrap_or(open);
        let before = self
            .anchor
            .filter(|anchor| (1..=MAX_OUTAGE).contains(&self.first.saturating_sub(anchor.number)));
        let known = all
            .iter()
            .filter_map(|(number, flight)| answered(*number, flight));
        let numbers = Numbers::new(
            &before.into_iter().chain(known).collect::<Vec<_>>(),
            &self.far_twins,
            self.rules.reach,
            self.first == 0,
        );
        let interval = Interval {
            flights: mine.iter().map(|(_, flight)| *flight).collect(),
            fates: mine
                .iter()
                .map(|(number, flight)| self.rules.fate(*number, flight, &numbers))
                .collect(),
            misordered_forward: self.rules.misordered_forward(open, count),
            strays: self.strays,
            is_stateful: self.rules.is_stateful,
            packet_size: self.rules.packet_size,
        };
        let report = Report {
            number: self.reports,
            ended: ended.at,
            duration: ended.at.since(ended.began),
            sent: ended.next - self.reported,
            forward: interval.forward(self.rules.percentiles),
            back: interval.back(self.rules.percentiles),
            round_trip: interval.round_trip(self.rules.percentiles),
        };
        let last = mine
            .iter()
            .rev()
            .find_map(|(number, flight)| answered(*number, flight));
        self.forget(ended.next, last);
        Some(report)
    }

    /// Counts a further reply; `far` is its number where the packet was doubled on the way out.
    fn double(&mut self, index: usize, number: u64, far: Option<u32>) {
        if let Some(reply) = far.filter(|_| self.far_twins.len() < MAX_FAR_TWINS) {
            self.far_twins.push(Answered { number, reply });
        }
        let Some(flight) = self.flights.get_mut(index) else {
            return;
        };
        match (number < self.reported, far) {
            (true, Some(_)) => self.strays.far_twins += 1,
            (true, None) => self.strays.twins += 1,
            (false, Some(_)) => flight.far_twins = flight.far_twins.saturating_add(1),
            (false, None) => flight.twins = flight.twins.saturating_add(1),
        }
    }

    /// Lets go of what lies before the packets to report next.
    fn forget(&mut self, reported: u64, last_answered: Option<Answered>) {
        self.reports += 1;
        self.reported = reported;
        self.anchor = last_answered.or(self.anchor);
        self.strays = Strays::default();
        let open = usize::try_from(self.next() - reported).unwrap_or(usize::MAX);
        let excess = self
            .flights
            .len()
            .saturating_sub(open.saturating_add(RECALL));
        self.flights.drain(..excess);
        self.first += super::report::number(excess);
        let first = self
            .anchor
            .map_or(self.first, |anchor| anchor.number.min(self.first));
        self.far_twins.retain(|twin| twin.number >= first);
    }

    fn next(&self) -> u64 {
        self.first + super::report::number(self.flights.len())
    }
}

impl Rules {
    fn fate(&self, number: u64, flight: &Flight, numbers: &Numbers) -> Fate {
        match &flight.echo {
            Some(echo) if echo.is_late => Fate::Late,
            Some(_) => Fate::Received,
            None if self.is_stateful => numbers.fate(number),
            None => Fate::LostSomewhere,
        }
    }

    /// How many of the first `count` packets were overtaken on the way out: one sent later has a lower reply number.
    fn misordered_forward(&self, open: &[(u64, &Flight)], count: usize) -> Option<u64> {
        let mut overtaken = 0;
        let mut lowest: Option<u32> = None;
        for (index, (_, flight)) in open.iter().enumerate().rev() {
            let Some(echo) = flight.in_time() else {
                continue;
            };
            let lead = lowest.map_or(-1, |lowest| distance(lowest, echo.reply));
            if lead > i64::try_from(self.reach).unwrap_or(i64::MAX) {
                // The reflector started to count anew.
                return None;
            }
            if lead <= 0 {
                lowest = Some(echo.reply);
            } else if index < count {
                overtaken += 1;
            }
        }
        self.is_stateful.then_some(overtaken)
    }
}

fn answered(number: u64, flight: &Flight) -> Option<Answered> {
    let echo = flight.echo.as_ref()?;
    Some(Answered {
        number,
        reply: echo.reply,
    })
}

/// Sequence numbers start again every 2^32 packets.
fn wire_number(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// Packets that stay known after their report, so that what comes for them later is told apart. 1000 packets are
/// ten seconds at 100 packets per second, and 56 KB.
const RECALL: usize = 1_000;
/// Reply numbers kept for packets doubled on the way out. Beyond, loss is told apart less well.
const MAX_FAR_TWINS: usize = 4_096;
/// Packets after which a reflector that answers again is not compared with what it said before.
const MAX_OUTAGE: u64 = 100_000;
