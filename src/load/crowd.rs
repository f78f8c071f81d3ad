//! All subscribers of a run.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::wire::proto::gnmi as pb;

use super::config::Config;
use super::config::END_DEADLINE;
use super::config::SETTLE_DEADLINE;
use super::config::SYNC_DEADLINE;
use super::connect::Dialer;
use super::error::Error;
use super::request;
use super::subscriber::Common;
use super::subscriber::Pace;
use super::subscriber::Phase;
use super::subscriber::Subscriber;
use super::tally::Tally;

/// All subscribers.
pub(super) struct Crowd {
    tasks: JoinSet<()>,
    phase: watch::Sender<Phase>,
    /// Per connection: those who read at once, and the others.
    tallies: Vec<[Arc<Mutex<Tally>>; 2]>,
    /// Makes new connections in place of old ones. Tells how many.
    churn: JoinHandle<u64>,
}

impl Crowd {
    /// Subscribes, and returns when every stream is in sync or has failed. `dialer` makes further connections.
    pub(super) async fn subscribe(
        config: &Config,
        clock: Clock,
        dialer: Dialer,
        connections: Vec<SendRequest<Bytes>>,
        root: &pb::Path,
    ) -> Result<Self, Error> {
        let common = Arc::new(Common {
            clock,
            head: request::head(&config.address, &config.credential)?,
            first: request::subscribe(config, root),
            poll: request::poll(),
            mode: config.readers.mode,
            leaves: config.writers.map_or(0, |writers| writers.leaves),
            all_expected: config.readers.paths.is_empty(),
        });
        let (phase, phases) = watch::channel(Phase::Warming);
        let (ready, mut all_ready) = mpsc::channel(1);
        let fresh = || Arc::new(Mutex::new(Tally::new()));
        let tallies: Vec<_> = connections.iter().map(|_| [fresh(), fresh()]).collect();
        let mut tasks = JoinSet::new();
        let connections: Vec<_> = connections.into_iter().map(watch::Sender::new).collect();
        let places = connections.iter().zip(&tallies).cycle();
        for (index, (connection, [eager, laggard])) in (0..config.readers.subscriptions).zip(places)
        {
            let pace = pace(config, index);
            let tally = if pace == Pace::Eager { eager } else { laggard };
            let subscriber = Subscriber {
                common: Arc::clone(&common),
                connection: connection.subscribe(),
                phase: phases.clone(),
                pace,
                tally: Arc::clone(tally),
                ready: Some(ready.clone()),
            };
            tasks.spawn(subscriber.run());
        }
        drop(ready);
        // Late ones are counted when they come, or as an error.
        let _late = timeout(SYNC_DEADLINE, all_ready.recv()).await;
        let first = tallies.first().map(|[eager, _]| Arc::clone(eager));
        let churn = churn(
            dialer,
            config.reconnect_interval,
            connections,
            phases,
            first,
        );
        Ok(Self {
            tasks,
            phase,
            tallies,
            churn: tokio::spawn(churn),
        })
    }

    /// From now on what comes is measured.
    pub(super) fn measure(&self) {
        self.phase.send_replace(Phase::Measuring);
    }

    pub(super) fn delivered(&self) -> u64 {
        let tallies = self.tallies.iter().flatten();
        tallies.map(|tally| tally.lock().deliveries).sum()
    }

    /// Waits until every stream has seen every leaf's last value, or too long. Tells how many connections were replaced.
    pub(super) async fn settle(&mut self, finals: &[u32]) -> u64 {
        self.phase.send_replace(Phase::Settling(finals.into()));
        if timeout(SETTLE_DEADLINE, self.join()).await.is_err() {
            self.phase.send_replace(Phase::Over);
            // What hangs even then is aborted with the set.
            let _hung = timeout(END_DEADLINE, self.join()).await;
        }
        // It ends with the phase.
        (&mut self.churn).await.unwrap_or(0)
    }

    async fn join(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    pub(super) fn tallies(&self) -> (Tally, Tally) {
        let (mut eager, mut laggards) = (Tally::new(), Tally::new());
        for [one, other] in &self.tallies {
            eager.merge(&one.lock());
            laggards.merge(&other.lock());
        }
        (eager, laggards)
    }
}

/// Stalled and slow subscribers are spread evenly among the others.
fn pace(config: &Config, index: usize) -> Pace {
    let readers = &config.readers;
    let is_one_of = |count: usize| {
        let before = index * count / readers.subscriptions.max(1);
        let after = (index + 1) * count / readers.subscriptions.max(1);
        after > before
    };
    if is_one_of(readers.stalled) {
        Pace::Stalled
    } else if is_one_of(readers.stalled + readers.slow) {
        Pace::Slow
    } else {
        Pace::Eager
    }
}

/// Replaces one connection after the other while it is measured. Its subscribers move to the new one, and the old one
/// closes with the last of them.
async fn churn(
    dialer: Dialer,
    interval: Option<Duration>,
    connections: Vec<watch::Sender<SendRequest<Bytes>>>,
    mut phases: watch::Receiver<Phase>,
    tally: Option<Arc<Mutex<Tally>>>,
) -> u64 {
    let mut count = 0;
    let Some((interval, tally)) = interval.zip(tally) else {
        // The subscribers watch the senders.
        let over = |phase: &Phase| matches!(phase, Phase::Settling(_) | Phase::Over);
        let _over = phases.wait_for(over).await;
        return count;
    };
    if phases
        .wait_for(|phase| !matches!(phase, Phase::Warming))
        .await
        .is_err()
    {
        return count;
    }
    for (index, connection) in connections.iter().enumerate().cycle() {
        if timeout(interval, phases.changed()).await.is_ok() {
            break;
        }
        match dialer.dial(index).await {
            Ok(fresh) => {
                connection.send_replace(fresh);
                count += 1;
            }
            Err(_) => tally.lock().error("connect"),
        }
    }
    count
}
