//! The sender: paces test packets, takes replies, hands out reports.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

use super::config::SenderConfig;
use super::error::Error;
use super::meters::SenderMeters;
use super::report::Report;
use super::session::Outcome;
use super::session::Session;
use super::socket;

/// A STAMP Session-Sender in unauthenticated mode (RFC 8762 4.2.1), which is one of TWAMP-light as well
/// (RFC 5357 appendix I).
///
/// Times are read in user space, right before a packet is sent and right after its reply is received: a machine
/// without free processor measures its own waiting as well. A packet that cannot be sent counts as lost.
pub struct Sender {
    socket: UdpSocket,
    local: SocketAddr,
    config: SenderConfig,
    clock: Clock,
    meters: SenderMeters,
    /// The last send or receive failed, and that has been logged.
    is_failing: bool,
}

impl Sender {
    /// Opens the socket, which takes packets of the reflector alone.
    ///
    /// # Errors
    ///
    /// [`Error`] when the system refuses the socket, or knows no way to the reflector.
    pub async fn bind(config: SenderConfig, clock: Clock) -> Result<Self, Error> {
        let (socket, _) = socket::bind(config.bind, config.dscp).await?;
        let address = config.destination;
        let connect = |source| Error::Connect { address, source };
        socket.connect(address).await.map_err(connect)?;
        let local = socket.local_addr().map_err(connect)?;
        Ok(Self {
            socket,
            local,
            config,
            clock,
            meters: SenderMeters::new(),
            is_failing: false,
        })
    }

    /// Where it sends from.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Measures until `stop`, or until nobody takes `reports`. The interval that `stop` breaks is not reported.
    ///
    /// Never waits for the taker: a report that finds no place is dropped and counted.
    pub async fn run(mut self, reports: mpsc::Sender<Report>, stop: CancellationToken) {
        let schedule = self.config.schedule;
        let mut session = Session::new(&self.config, self.clock.now());
        let mut packet = vec![0; self.config.packet_size.octets().into()];
        let mut buffer = vec![0; socket::BUFFER_LEN];
        let mut pace = tokio::time::interval(schedule.interval());
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let start = Instant::now() + schedule.report_interval();
        let mut ends = tokio::time::interval_at(start, schedule.report_interval());
        ends.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due = None;
        // An error stays on some sockets, so that after one nothing is read until the next packet goes.
        let mut is_deaf = false;
        loop {
            let report = tokio::select! {
                () = stop.cancelled() => return,
                _ = ends.tick() => {
                    due = Some(Instant::now() + schedule.loss_timeout());
                    session.cut(self.clock.now())
                }
                () = at(due) => {
                    due = None;
                    session.close()
                }
                _ = pace.tick() => {
                    is_deaf = false;
                    self.send(&mut session, &mut packet).await;
                    None
                }
                received = self.socket.recv(&mut buffer), if !is_deaf => {
                    is_deaf = received.is_err();
                    self.take(&mut session, received.map(|len| buffer.get(..len).unwrap_or_default()));
                    None
                }
            };
            if let Some(report) = report
                && !self.hand_over(report, &reports)
            {
                return;
            }
        }
    }

    async fn send(&mut self, session: &mut Session, packet: &mut [u8]) {
        session.probe(self.clock.now()).write(packet);
        self.meters.sent.increment(1);
        if let Err(error) = self.socket.send(packet).await {
            self.fail(&error);
        }
    }

    fn take(&mut self, session: &mut Session, received: io::Result<&[u8]>) {
        let datagram = match received {
            Ok(datagram) => datagram,
            Err(error) => return self.fail(&error),
        };
        if session.receive(self.clock.now(), datagram) == Outcome::Received {
            self.meters.received.increment(1);
            if self.is_failing {
                tracing::info!(destination = %self.config.destination, "reflector answers again");
            }
            self.is_failing = false;
        } else {
            self.meters.ignored.increment(1);
        }
    }

    /// Notes that the reflector cannot be reached: refused, no route, or no room in the send queue.
    fn fail(&mut self, error: &io::Error) {
        if !self.is_failing {
            tracing::warn!(destination = %self.config.destination, %error, "reflector cannot be reached");
        }
        self.is_failing = true;
    }

    /// Whether there is still someone to take reports.
    fn hand_over(&self, report: Report, reports: &mpsc::Sender<Report>) -> bool {
        self.meters
            .lost
            .increment(report.round_trip.loss.map_or(0, |loss| loss.lost));
        match reports.try_send(report) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.meters.reports_dropped.increment(1);
                tracing::warn!(destination = %self.config.destination, "report dropped, none was taken in time");
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }
}

/// Waits until `due`, or for ever.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("local", &self.local)
            .field("destination", &self.config.destination)
            .finish_non_exhaustive()
    }
}
