//! Passes stored events on to somebody outside (iam A6): in order, each at least once, from where it last came to.
//!
//! Nothing waits for it and nothing is held but one page: what cannot be delivered stays in the trail until it can. Of
//! several gateways on one store one serves an outlet, and another takes it over when that one is gone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::meter;
use crate::meter::Counter;
use crate::meter::Gauge;
use crate::model::Timestamp;

use super::Link;
use super::Log;
use super::LogError;
use super::Outlets;
use super::Tenure;

/// Where events go.
#[async_trait]
pub trait Sink: Send {
    /// Delivers events, in order, oldest first. When it fails, all of them come again.
    async fn deliver(&mut self, events: &[Link]) -> Result<(), Undelivered>;
}

/// The receiver has not taken the events.
#[derive(Debug, thiserror::Error)]
#[error("not delivered: {0}")]
pub struct Undelivered(pub String);

/// Serves one outlet.
pub struct Relay {
    name: &'static str,
    log: Arc<dyn Log>,
    outlets: Arc<dyn Outlets>,
    clock: Clock,
    holder: i64,
    meters: Meters,
}

/// Where a gateway that serves an outlet stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The last event that is delivered.
    seq: u64,
    /// Until when nobody else may take over.
    until: Timestamp,
}

/// What one round came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// There is more.
    More,
    /// Another gateway serves the outlet.
    Elsewhere,
    /// Nothing to do now.
    Idle,
    /// The receiver or the store does not work.
    Failed,
}

impl Relay {
    /// For the outlet `name`; `holder` is a number that no other gateway has.
    pub fn new(
        name: &'static str,
        log: Arc<dyn Log>,
        outlets: Arc<dyn Outlets>,
        clock: Clock,
        holder: i64,
    ) -> Self {
        Self {
            name,
            log,
            outlets,
            clock,
            holder,
            meters: Meters::new(name),
        }
    }

    /// Takes the outlet's place in the trail, so that what happens from now on is delivered.
    ///
    /// # Errors
    ///
    /// [`LogError`]: the store does not answer.
    pub async fn begin(&self) -> Result<(), LogError> {
        let tenure = self.tenure(TENURE);
        self.outlets.claim(self.name, tenure).await.map(|_| ())
    }

    /// Delivers what is stored and what will be, until `stop`.
    pub async fn run(self, mut sink: impl Sink, stop: CancellationToken) {
        let mut failures: u32 = 0;
        let mut place = None;
        loop {
            let round = match self.step(&mut sink, &mut place, &stop).await {
                Ok(round) => round,
                // The store has logged why.
                Err(LogError) => Round::Failed,
            };
            let pause = match round {
                Round::More => Duration::ZERO,
                Round::Idle => POLL,
                Round::Elsewhere => TENURE / 6,
                Round::Failed => RETRY.saturating_mul(1 << failures.min(MOST_DOUBLINGS)),
            };
            failures = match round {
                Round::Failed => failures.saturating_add(1),
                Round::Elsewhere | Round::Idle | Round::More => 0,
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        // Another gateway may go on at once.
        if let Some(Place { seq, .. }) = place {
            let tenure = self.tenure(Duration::ZERO);
            let _ = self.outlets.advance(self.name, tenure, seq).await;
        }
    }

    async fn step(
        &self,
        sink: &mut impl Sink,
        place: &mut Option<Place>,
        stop: &CancellationToken,
    ) -> Result<Round, LogError> {
        let Some(after) = self.claim(place).await? else {
            return Ok(Round::Elsewhere);
        };
        let page = self.log.links(after, PAGE).await?;
        let Some(last) = page.last() else {
            self.meters.lag.set(0);
            return Ok(Round::Idle);
        };
        let delivered = tokio::select! {
            () = stop.cancelled() => return Ok(Round::Idle),
            delivered = sink.deliver(&page) => delivered,
        };
        // From here on nothing is cut off: what was delivered should not come again.
        if let Err(error) = delivered {
            self.meters.failed.increment(1);
            tracing::warn!(outlet = self.name, %error, "audit events are not taken");
            self.show_lag(after).await?;
            return Ok(Round::Failed);
        }
        self.meters.delivered.increment(page.len() as u64);
        let tenure = self.tenure(TENURE);
        let is_ours = self.outlets.advance(self.name, tenure, last.seq).await?;
        *place = is_ours.then_some(Place {
            seq: last.seq,
            until: tenure.until,
        });
        self.show_lag(last.seq).await?;
        Ok(Round::More)
    }

    /// The last event that is delivered, where the outlet is this gateway's. Asks the store only when it must: a claim is a
    /// write.
    async fn claim(&self, place: &mut Option<Place>) -> Result<Option<u64>, LogError> {
        let tenure = self.tenure(TENURE);
        let is_held = |place: &Place| place.until > tenure.now.saturating_add(TENURE / 2);
        let mut standing = match place.take().filter(is_held) {
            Some(standing) => standing,
            None => match self.outlets.claim(self.name, tenure).await? {
                Some(seq) => Place {
                    seq,
                    until: tenure.until,
                },
                None => return Ok(None),
            },
        };
        let beginning = self.log.beginning().await?;
        // Removed before anybody took them: the retention is shorter than the outage.
        let lost = beginning.seq.saturating_sub(standing.seq);
        if lost > 0 {
            self.meters.lost.increment(lost);
            standing.seq += lost;
            // At once, so that a receiver that stays away does not make the same loss count again.
            let (name, until) = (self.name, standing.until);
            let tenure = Tenure { until, ..tenure };
            self.outlets.advance(name, tenure, standing.seq).await?;
        }
        *place = Some(standing);
        Ok(Some(standing.seq))
    }

    async fn show_lag(&self, seq: u64) -> Result<(), LogError> {
        let lag = self.outlets.newest().await?.saturating_sub(seq);
        self.meters.lag.set(u32::try_from(lag).unwrap_or(u32::MAX));
        Ok(())
    }

    fn tenure(&self, time: Duration) -> Tenure {
        let now = self.clock.now();
        Tenure {
            holder: self.holder,
            now,
            until: now.saturating_add(time),
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({})", self.name)
    }
}

struct Meters {
    delivered: Counter,
    failed: Counter,
    lag: Gauge,
    lost: Counter,
}

impl Meters {
    fn new(outlet: &'static str) -> Self {
        let counter = |name, help| {
            meter::describe_counter(name, help);
            meter::labelled_counter(name, "outlet", outlet)
        };
        meter::describe_gauge(LAG, "Audit events that an outlet has still to deliver.");
        Self {
            delivered: counter(
                "tollgate_audit_outlet_delivered_total",
                "Audit events that an outlet has delivered.",
            ),
            failed: counter(
                "tollgate_audit_outlet_failed_attempts_total",
                "Attempts of an outlet to deliver audit events that failed.",
            ),
            lost: counter(
                "tollgate_audit_outlet_lost_total",
                "Audit events that the retention removed before an outlet could deliver them.",
            ),
            lag: meter::labelled_gauge(LAG, &[("outlet", outlet.to_owned())]),
        }
    }
}

const LAG: &str = "tollgate_audit_outlet_lag_events";

/// Between two looks when there was nothing.
const POLL: Duration = Duration::from_millis(500);

/// After the first failure; doubled with each further one, up to a minute and four seconds.
const RETRY: Duration = Duration::from_millis(500);
const MOST_DOUBLINGS: u32 = 7;

/// Events at once: some fifty kilobytes.
const PAGE: u32 = 100;

/// How long a gateway that is gone keeps its outlet. Longer than one delivery may take.
const TENURE: Duration = Duration::from_mins(1);
