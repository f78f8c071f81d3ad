//! Follows the store's revocation log, and does what must be done from time to time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::audit::Log;
use crate::audit::Trail;

use super::Authenticator;
use super::Reason;
use super::Registry;
use super::Time;
use super::meters::Meters;
use super::port::Records;
use super::port::RecordsError;

/// What keeps the room up to date while it is in use.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) records: Arc<dyn Records>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) trail: Trail,
    pub(crate) authenticator: Authenticator,
    pub(crate) registry: Registry,
    pub(crate) time: Time,
    pub(crate) meters: Arc<Meters>,
    pub(crate) poll_interval: Duration,
    pub(crate) outage_grace: Duration,
    pub(crate) audit_retention: Duration,
    /// The newest entry that was in the log when the room was opened.
    pub(crate) start: u64,
}

impl Tail {
    /// Reads the log again and again. While it cannot be read for longer than the grace, nobody is let in and nobody
    /// stays (iam R6): a revocation could have been missed.
    pub(crate) async fn follow(&self) {
        let mut seq = self.start;
        let mut contact = Instant::now();
        let mut ticks = ticks(self.poll_interval);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.records.revocation_hint() => {}
            }
            let answer = tokio::time::timeout(POLL_TIMEOUT, self.catch_up(seq)).await;
            if let Ok(Ok(reached)) = answer {
                seq = reached;
                contact = Instant::now();
                self.registry.reopen(Reason::StoreUnreachable);
            } else if contact.elapsed() > self.outage_grace && self.registry.is_shut().is_none() {
                tracing::error!("credential store is unreachable, ending all streams");
                self.registry.shut(Reason::StoreUnreachable);
            }
        }
    }

    /// Applies all entries after `seq` and returns the number of the last.
    pub(crate) async fn catch_up(&self, mut seq: u64) -> Result<u64, RecordsError> {
        loop {
            let batch = self.records.revocations(seq, BATCH).await?;
            self.registry.apply(&batch);
            self.authenticator.0.lockout.obey(&batch);
            let now = self.time.now();
            for revocation in &batch {
                self.meters.propagation.record(now.since(revocation.at));
                seq = seq.max(revocation.seq);
            }
            if batch.len() < BATCH as usize {
                return Ok(seq);
            }
        }
    }

    /// Ends what expires, within a quarter of a second (iam R4). Asks nobody, so nothing can hold it up.
    pub(crate) async fn expire(&self) {
        let mut ticks = ticks(EXPIRE_INTERVAL);
        loop {
            ticks.tick().await;
            self.registry.expire(self.time.now());
        }
    }

    /// Stores what has gathered, and lets go of what is old, until `stop`: between two rounds, so that no event is lost
    /// on its way to the store.
    pub(crate) async fn keep_up(&self, stop: CancellationToken) {
        let mut ticks = ticks(UPKEEP_INTERVAL);
        for round in 1_u64.. {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            // What the store does not take now, it takes the next time; it has logged why.
            let _ = self.trail.store(&*self.log).await;
            if self.time.take_expiry_seen() || round.is_multiple_of(MARK_ROUNDS) {
                self.store_mark().await;
            }
            if round.is_multiple_of(STREAM_ROUNDS) {
                self.authenticator.note_streams(&self.registry);
            }
            if round.is_multiple_of(SWEEP_ROUNDS) {
                self.authenticator.sweep();
                self.store_uses().await;
            }
            if round.is_multiple_of(CUT_ROUNDS) {
                self.cut_trail().await;
            }
        }
    }

    /// Removes audit events that are older than the retention asks for: a part at a time, between which others may
    /// write.
    pub(crate) async fn cut_trail(&self) {
        for _ in 0..MOST_CUTS {
            let now = self.time.now();
            let before = now.saturating_sub(self.audit_retention);
            match self.log.cut(before, MOST_CUT, now).await {
                Ok(0) | Err(_) => return,
                Ok(events) => tracing::info!(events, "oldest audit events removed"),
            }
        }
    }

    /// Stores what would be lost with the process.
    pub(crate) async fn finish(&self) {
        let _ = self.trail.store(&*self.log).await;
        self.store_mark().await;
        self.store_uses().await;
    }

    async fn store_mark(&self) {
        let now = self.time.now();
        match self.records.raise_time_mark(now).await {
            Ok(mark) => self.time.raise(mark),
            Err(_) => self.time.ask_to_store(),
        }
    }

    async fn store_uses(&self) {
        let uses = self.authenticator.0.uses.take();
        if !uses.is_empty() {
            // A last use is a courtesy; losing one harms nobody.
            let _ = self.records.note_uses(&uses).await;
        }
    }
}

fn ticks(interval: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Entries of the log per read.
const BATCH: u32 = 1_000;

/// A read that takes longer counts as failed.
const POLL_TIMEOUT: Duration = Duration::from_secs(5);

const EXPIRE_INTERVAL: Duration = Duration::from_millis(250);
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The time mark is stored every so many upkeep rounds, and at once after an expiry was seen.
const MARK_ROUNDS: u64 = 30;

/// An open stream is a use of its token every so many upkeep rounds (iam A4).
const STREAM_ROUNDS: u64 = 300;
/// Audit events removed at once: a transaction of a few dozen milliseconds.
const MOST_CUT: u32 = 5_000;

/// And so often at most, one time after the other.
const MOST_CUTS: u32 = 100;

/// Audit events are removed every so many upkeep rounds, and each time leaves an event itself.
const CUT_ROUNDS: u64 = 3_600;

/// Old entries go every so many upkeep rounds.
const SWEEP_ROUNDS: u64 = 60;
