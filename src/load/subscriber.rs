//! One Subscribe RPC, read as cheaply as it goes.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use h2::SendStream;
use h2::client::SendRequest;
use http::HeaderMap;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Clock;

use super::codec::Malformed;
use super::codec::Splitter;
use super::codec::scan;
use super::config::Mode;
use super::config::SLOW_READ_INTERVAL;
use super::leaves::Leaves;
use super::tally::Tally;

/// Where the run stands.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// The load runs, and nothing is measured yet.
    Warming,
    Measuring,
    /// Nothing is written any more; this is what each leaf's counter must reach.
    Settling(Arc<[u32]>),
    /// Whoever still waits has waited too long.
    Over,
}

/// How eagerly a subscriber reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    Eager,
    Slow,
    Stalled,
}

/// What all subscribers have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) clock: Clock,
    /// Of each RPC.
    pub(super) head: http::Request<()>,
    pub(super) first: Bytes,
    pub(super) poll: Bytes,
    pub(super) mode: Mode,
    pub(super) leaves: usize,
    /// Whether each subscription is for all of them.
    pub(super) all_expected: bool,
}

/// One subscriber.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) common: Arc<Common>,
    /// Its connection. A new one makes it subscribe again.
    pub(super) connection: watch::Receiver<SendRequest<Bytes>>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) pace: Pace,
    pub(super) tally: Arc<Mutex<Tally>>,
    /// Dropped after the first sync, or the first error.
    pub(super) ready: Option<mpsc::Sender<Infallible>>,
}

/// What one RPC has brought so far.
struct Reading {
    body: RecvStream,
    requests: SendStream<Bytes>,
    splitter: Splitter,
    leaves: Leaves,
    asked: Instant,
    synced: bool,
}

/// How an RPC ended as it should.
enum End {
    /// The run is over, or the answer complete.
    Done,
    /// There is another connection.
    Moved,
}

/// How an RPC ended that should not have: its gRPC status, or `transport`.
struct Failure(String);

impl Subscriber {
    /// Subscribes until the run is over, and counts.
    pub(super) async fn run(mut self) {
        loop {
            let outcome = self.subscribe().await;
            self.ready = None;
            let again = match outcome {
                Ok(End::Moved) => true,
                Ok(End::Done) => self.common.mode == Mode::Once && !self.is_finishing(),
                Err(Failure(code)) => {
                    self.tally.lock().error(&code);
                    false
                }
            };
            if !again {
                return;
            }
        }
    }

    async fn subscribe(&mut self) -> Result<End, Failure> {
        let mut reading = self.open().await?;
        let mut finals = None;
        // Kept from chunk to chunk: to begin to wait, and to end it, touches those who wait beside.
        let mut news = pin!(self.news(true));
        loop {
            // Two words are compared per chunk; both are waited for when nothing comes.
            match self.phase.has_changed() {
                Ok(false) => {}
                Ok(true) => {
                    if let Some(end) = self.heed(&reading, &mut finals) {
                        return Ok(end);
                    }
                }
                Err(_) => return Ok(End::Done),
            }
            if finals.is_none() && self.connection.has_changed().unwrap_or(false) {
                return Ok(End::Moved);
            }
            if let Some(last) = &finals
                && reading.leaves.behind(last) == 0
            {
                return Ok(End::Done);
            }
            tokio::select! {
                biased;
                chunk = reading.body.data() => {
                    let Some(chunk) = chunk else {
                        let trailers = reading.body.trailers().await?;
                        end(trailers.as_ref(), self.common.mode)?;
                        return Ok(End::Done);
                    };
                    self.take(&mut reading, &chunk?).await?;
                }
                () = news.as_mut() => news.set(self.news(finals.is_none())),
            }
        }
    }

    /// Waits until the run stands elsewhere or, where the subscriber `moves` with it, there is another connection. Which, is
    /// looked at after it.
    fn news(&self, moves: bool) -> impl Future<Output = ()> + Send + use<> {
        let (mut phase, mut connection) = (self.phase.clone(), self.connection.clone());
        async move {
            tokio::select! {
                _changed = phase.changed() => {}
                // The run goes on with the connection that there is.
                Ok(()) = connection.changed(), if moves => {}
            }
        }
    }

    /// Looks where the run stands. `finals` are what is waited for from then on.
    fn heed(&mut self, reading: &Reading, finals: &mut Option<Arc<[u32]>>) -> Option<End> {
        if self.common.mode != Mode::Stream && self.is_finishing() {
            return Some(End::Done);
        }
        match self.phase.borrow_and_update().clone() {
            Phase::Warming | Phase::Measuring => None,
            Phase::Settling(last) => {
                *finals = Some(last);
                None
            }
            Phase::Over => {
                let behind = finals.as_ref().map(|last| reading.leaves.behind(last));
                self.tally.lock().lost_leaves += behind.unwrap_or(0);
                Some(End::Done)
            }
        }
    }

    async fn open(&mut self) -> Result<Reading, Failure> {
        let connection = self.connection.borrow_and_update().clone();
        let asked = Instant::now();
        let (response, mut requests) = connection
            .ready()
            .await?
            .send_request(self.common.head.clone(), false)?;
        requests.send_data(self.common.first.clone(), false)?;
        let response = response.await?;
        if response.headers().contains_key(GRPC_STATUS) {
            end(Some(response.headers()), Mode::Stream)?;
        }
        Ok(Reading {
            body: response.into_body(),
            requests,
            splitter: Splitter::default(),
            leaves: Leaves::new(self.common.leaves, self.common.all_expected),
            asked,
            synced: false,
        })
    }

    /// Counts a chunk, then waits as this subscriber's pace says.
    async fn take(&mut self, reading: &mut Reading, chunk: &Bytes) -> Result<(), Failure> {
        // It is read: how fast more may come depends on the pace alone.
        reading.body.flow_control().release_capacity(chunk.len())?;
        let syncs = self
            .count(reading, chunk)
            .map_err(|Malformed| Failure("malformed".to_owned()))?;
        if syncs > 0 {
            self.ready = None;
        }
        if syncs > 0 && self.common.mode == Mode::Poll {
            reading.asked = Instant::now();
            reading
                .requests
                .send_data(self.common.poll.clone(), false)?;
        }
        match self.pace {
            Pace::Stalled if reading.synced => self.until_finishing().await,
            Pace::Slow if !self.is_finishing() => tokio::time::sleep(SLOW_READ_INTERVAL).await,
            Pace::Eager | Pace::Slow | Pace::Stalled => {}
        }
        Ok(())
    }

    fn count(&self, reading: &mut Reading, chunk: &Bytes) -> Result<u64, Malformed> {
        let now = self.common.clock.now().nanos();
        let measuring = matches!(*self.phase.borrow(), Phase::Measuring);
        let mut tally = self.tally.lock();
        tally.bytes += u64::try_from(chunk.len()).unwrap_or_default();
        let mut syncs = 0;
        let Reading {
            splitter,
            leaves,
            asked,
            synced,
            ..
        } = reading;
        splitter.feed(chunk, |message| {
            let streams = self.common.mode == Mode::Stream;
            let live = *synced && streams;
            let head = scan(message, |update| {
                tally.coalesced += u64::from(update.duplicates);
                match update.value {
                    Some(value) if live => tally.order(leaves.note(value, update.duplicates)),
                    Some(value) if streams => leaves.begin(value),
                    _ => {}
                }
            })?;
            tally.messages += 1;
            if measuring {
                tally.deliveries += head.updates + head.deletes;
            }
            if measuring && live {
                let latency = u64::try_from(now.saturating_sub(head.timestamp)).unwrap_or_default();
                tally.latency.record(latency, head.updates);
            }
            if head.sync {
                *synced = true;
                syncs += 1;
                tally.synced(asked.elapsed());
            }
            Ok(())
        })?;
        Ok(syncs)
    }

    fn is_finishing(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Settling(_) | Phase::Over)
    }

    async fn until_finishing(&self) {
        let mut phase = self.phase.clone();
        // The sender outlives all subscribers; were it gone, there would be nothing to wait for.
        let _gone = phase
            .wait_for(|phase| matches!(phase, Phase::Settling(_) | Phase::Over))
            .await;
    }
}

impl From<h2::Error> for Failure {
    fn from(_: h2::Error) -> Self {
        transport()
    }
}

/// A ONCE ends with OK; a stream that ends with OK before the run does has failed as well.
fn end(trailers: Option<&HeaderMap>, mode: Mode) -> Result<(), Failure> {
    let status = trailers.map(tonic::Status::from_header_map);
    match status.flatten().map(|status| status.code()) {
        Some(tonic::Code::Ok) if mode == Mode::Once => Ok(()),
        Some(code) => Err(Failure(format!("{code:?}"))),
        None => Err(transport()),
    }
}

fn transport() -> Failure {
    Failure("transport".to_owned())
}

const GRPC_STATUS: &str = "grpc-status";
