//! A network without sockets or time of its own between a session and a mirror.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::Timestamp;

use super::super::config::SequenceMode;
use super::super::mirror::Mirror;
use super::super::ntp::WireTime;
use super::super::report::Report;
use super::super::session::Outcome;
use super::super::session::Session;

/// What happens to one packet: delays in ms of each copy, out and back. An empty list is a loss.
#[derive(Clone, Debug)]
pub(super) struct Journey {
    pub(super) forward: Vec<u64>,
    pub(super) back: Vec<u64>,
}

pub(super) struct Simulation {
    pub(super) session: Session,
    mirror: Mirror,
    now: Timestamp,
    /// By time and order of entry.
    events: BTreeMap<(Timestamp, usize), Event>,
    entered: usize,
    pub(super) outcomes: Vec<Outcome>,
}

enum Event {
    AtMirror(Vec<u8>, Vec<u64>),
    AtSender(Vec<u8>),
}

impl Simulation {
    /// One packet per 10 ms, lost after 100 ms.
    pub(super) fn new(mode: SequenceMode) -> Self {
        let config = super::sender_config("127.0.0.1:9".parse().unwrap(), [10, 100, 10_000], mode);
        Self {
            session: Session::new(&config, START),
            mirror: Mirror::new(super::reflector_config(mode)),
            now: START,
            events: BTreeMap::new(),
            entered: 0,
            outcomes: Vec::new(),
        }
    }

    /// Sends one packet and lets 10 ms pass.
    pub(super) fn send(&mut self, journey: &Journey) {
        let mut datagram = vec![0; 82];
        self.session.probe(self.now).write(&mut datagram);
        for delay in &journey.forward {
            self.enter(
                *delay,
                Event::AtMirror(datagram.clone(), journey.back.clone()),
            );
        }
        self.pass(10);
    }

    /// Ends the interval, sends `further` clean packets, and reports when every packet is settled.
    pub(super) fn report(&mut self, further: usize) -> Report {
        assert_eq!(self.session.cut(self.now), None);
        for _ in 0..further {
            self.send(&clean());
        }
        self.pass(100);
        self.session.close().unwrap()
    }

    /// Lets time pass, and delivers what is due.
    pub(super) fn pass(&mut self, millis: u64) {
        let until = after(self.now, millis);
        while let Some(event) = self.events.first_entry() {
            let (at, _) = *event.key();
            if at >= until {
                break;
            }
            let event = event.remove();
            self.now = at;
            self.deliver(event);
        }
        self.now = until;
    }

    /// The reflector forgets its sessions.
    pub(super) fn restart_mirror(&mut self) {
        self.mirror = Mirror::new(super::reflector_config(SequenceMode::Stateful));
    }

    fn deliver(&mut self, event: Event) {
        match event {
            Event::AtMirror(mut datagram, back) => {
                let from = "127.0.0.1:5".parse().unwrap();
                let mut reply = self.mirror.reflect(&datagram, from, self.now).unwrap();
                // The mirror takes a quarter of a millisecond.
                reply.sent = WireTime::ntp(self.now.saturating_add(Duration::from_micros(250)));
                reply.write(&mut datagram);
                for delay in back {
                    self.enter(delay, Event::AtSender(datagram.clone()));
                }
            }
            Event::AtSender(datagram) => {
                let arrived = self.now.saturating_add(Duration::from_micros(250));
                self.outcomes.push(self.session.receive(arrived, &datagram));
            }
        }
    }

    fn enter(&mut self, delay: u64, event: Event) {
        self.entered += 1;
        self.events
            .insert((after(self.now, delay), self.entered), event);
    }
}

/// 2 ms out, 3 ms back.
pub(super) fn clean() -> Journey {
    Journey {
        forward: vec![2],
        back: vec![3],
    }
}

fn after(at: Timestamp, millis: u64) -> Timestamp {
    at.saturating_add(Duration::from_millis(millis))
}

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
