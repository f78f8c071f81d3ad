//! A run from the first connection to the report.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::TryStreamExt as _;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::clock::Clock;
use crate::wire::proto::gnmi as pb;

use super::config::Config;
use super::config::END_DEADLINE;
use super::config::MAX_LEAVES;
use super::config::OPENING_AT_ONCE;
use super::config::SETTLE_DEADLINE;
use super::connect::Dialer;
use super::crowd::Crowd;
use super::error::Error;
use super::process::Process;
use super::process::Usage;
use super::process::machine_idle;
use super::publisher::Publisher;
use super::report::Facts;
use super::report::Report;
use super::request;

/// Where a run stands, told once a second while it measures.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Since measuring began.
    pub elapsed: Duration,
    /// Updates that the server has acknowledged, since the publishers began.
    pub written: u64,
    /// Updates that have come to all subscribers, since measuring began.
    pub delivered: u64,
}

/// Connects, subscribes, writes, measures, waits for the last values, and reports.
///
/// # Errors
///
/// [`Error`] when a setting makes no sense or a connection cannot be made. What goes wrong later is in the report.
pub async fn run(
    config: Config,
    clock: Clock,
    mut progress: impl FnMut(Progress),
) -> Result<Report, Error> {
    check(&config)?;
    let mut facts = known(&config);
    facts.before = memory(&config)?;
    let started = Instant::now();
    let dialer = Dialer::new(&config.address, &config)?;
    let connections = all(config.connections, |index| dialer.dial(index)).await?;
    facts.connecting = started.elapsed();
    let publishing = config.writers.map_or(0, |writers| writers.publishers);
    let source = config.publish_address.as_ref().unwrap_or(&config.address);
    let to_write = &Dialer::new(source, &config)?;
    let publishers = all(publishing, |index| to_write.channel(index)).await?;
    facts.connected = memory(&config)?;

    let root = request::root(&clock.now().nanos().to_string());
    let mut readers = Crowd::subscribe(&config, clock, dialer, connections, &root).await?;
    facts.idle = memory(&config)?;
    let mut writers = Desk::open(&config, publishers, &root)?;
    tokio::time::sleep(config.warm_up).await;

    let (usage, written) = (usage(&config)?, writers.written());
    let idle = machine_idle().map_err(Error::Machine)?;
    let started = Instant::now();
    readers.measure();
    while started.elapsed() < config.duration && !writers.are_done() {
        let left = config.duration.saturating_sub(started.elapsed());
        tokio::select! {
            () = tokio::time::sleep(PROGRESS_INTERVAL.min(left)) => {}
            () = writers.next_done() => {}
        }
        progress(Progress {
            elapsed: started.elapsed(),
            written: writers.written(),
            delivered: readers.delivered(),
        });
        if facts.settled.is_none() && started.elapsed() >= config.duration / SETTLING_SHARE {
            facts.settled = memory(&config)?;
        }
    }
    facts.measured = started.elapsed();
    facts.ingested = writers.written() - written;
    let after = self::usage(&config)?;
    let idle_after = machine_idle().map_err(Error::Machine)?;
    facts.unused = idle_after.saturating_sub(idle);
    facts.own = after.0.processor.saturating_sub(usage.0.processor);
    facts.server = after
        .1
        .zip(usage.1)
        .map(|(after, before)| after.processor.saturating_sub(before.processor));
    facts.after = memory(&config)?;

    let errors = writers.close().await;
    facts.reconnects = readers.settle(&writers.finals).await;
    writers.clean().await;
    let (mut eager, laggards) = readers.tallies();
    for (code, count) in errors {
        *eager.errors.entry(code).or_default() += count;
    }
    Ok(Report::new(&facts, &eager, &laggards))
}

/// What the report says that no run needs to find out.
fn known(config: &Config) -> Facts {
    Facts {
        connections: config.connections,
        subscriptions: config.readers.subscriptions,
        offered: config.writers.map_or(0, |writers| writers.rate),
        limited_count: config
            .writers
            .is_some_and(|writers| writers.updates.is_some()),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        ..Facts::default()
    }
}

fn check(config: &Config) -> Result<(), Error> {
    let readers = &config.readers;
    if config.connections == 0 && readers.subscriptions > 0 {
        return Err(Error::Config("subscriptions need a connection"));
    }
    if readers.paths.is_empty() && config.writers.is_none() && readers.subscriptions > 0 {
        return Err(Error::Config(
            "without publishers, subscriptions need a path",
        ));
    }
    if let Some(writers) = config.writers
        && (writers.publishers == 0 || !(writers.publishers..=MAX_LEAVES).contains(&writers.leaves))
    {
        return Err(Error::Config(
            "leaves: one per publisher at least, a million at most",
        ));
    }
    Ok(())
}

/// Opens so many connections, some at a time.
async fn all<C, F>(count: usize, dial: impl FnMut(usize) -> F) -> Result<Vec<C>, Error>
where
    F: Future<Output = Result<C, Error>>,
{
    futures_util::stream::iter(0..count)
        .map(dial)
        .buffer_unordered(OPENING_AT_ONCE)
        .try_collect()
        .await
}

fn usage(config: &Config) -> Result<(Usage, Option<Usage>), Error> {
    let read = |process: Process, pid| {
        process
            .read()
            .map_err(|source| Error::Process { pid, source })
    };
    let server = config.server_process;
    let server = server
        .map(|pid| read(Process::Other(pid), pid))
        .transpose()?;
    Ok((read(Process::Own, std::process::id())?, server))
}

fn memory(config: &Config) -> Result<Option<u64>, Error> {
    Ok(usage(config)?.1.map(|server| server.resident_bytes))
}

/// All publishers.
struct Desk {
    tasks: JoinSet<super::publisher::Written>,
    done: Vec<super::publisher::Written>,
    written: Arc<AtomicU64>,
    stop: CancellationToken,
    leaves: usize,
    /// The last acknowledged counter of each leaf, once closed.
    finals: Vec<u32>,
    cleaner: Option<Publisher>,
}

impl Desk {
    fn open(config: &Config, channels: Vec<Channel>, root: &pb::Path) -> Result<Self, Error> {
        let mut desk = Self {
            tasks: JoinSet::new(),
            done: Vec::new(),
            written: Arc::default(),
            stop: CancellationToken::new(),
            leaves: config.writers.map_or(0, |writers| writers.leaves),
            finals: Vec::new(),
            cleaner: None,
        };
        let Some(writers) = config.writers else {
            return Ok(desk);
        };
        let headers = request::metadata(&config.credential)?;
        for (index, channel) in channels.into_iter().enumerate() {
            let publisher = || Publisher {
                channel: channel.clone(),
                headers: headers.clone(),
                root: root.clone(),
                target: config.readers.target.clone(),
                writers,
                index,
                written: Arc::clone(&desk.written),
                stop: desk.stop.clone(),
            };
            let (one, cleaner) = (publisher(), publisher());
            desk.tasks.spawn(one.run());
            desk.cleaner = Some(cleaner);
        }
        Ok(desk)
    }

    fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// There were publishers, and all have written their share.
    fn are_done(&self) -> bool {
        self.tasks.is_empty() && !self.done.is_empty()
    }

    async fn next_done(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(written)) => self.done.push(written),
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Stops all, and says which Sets were refused.
    async fn close(&mut self) -> Vec<(String, u64)> {
        self.stop.cancel();
        let all = async {
            while !self.tasks.is_empty() {
                self.next_done().await;
            }
        };
        let hung = timeout(SETTLE_DEADLINE, all).await.is_err();
        self.finals = vec![0; self.leaves];
        for (leaf, counter) in self.done.iter().flat_map(|one| &one.finals) {
            if let Some(last) = self.finals.get_mut(*leaf) {
                *last = *counter;
            }
        }
        let errors = self.done.iter().flat_map(|one| one.errors.clone());
        errors
            .chain(hung.then(|| ("set: no answer".to_owned(), 1)))
            .collect()
    }

    async fn clean(&self) {
        if let Some(cleaner) = &self.cleaner {
            // A server that does not answer keeps its data.
            let _late = timeout(END_DEADLINE, cleaner.clean()).await;
        }
    }
}

/// Often enough to see that it goes on.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// The share of a run after which its memory is expected to stay: the first ten minutes of an hour.
const SETTLING_SHARE: u32 = 6;
