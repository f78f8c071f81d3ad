//! One Subscribe RPC, read as cheaply as it goes.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::HeaderMap;
use http_body::Frame;
use http_body_util::BodyExt as _;
use http_body_util::StreamBody;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::ServiceExt as _;

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
    pub(super) headers: HeaderMap,
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
    pub(super) channel: watch::Receiver<Channel>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) pace: Pace,
    pub(super) tally: Arc<Mutex<Tally>>,
    /// Dropped after the first sync, or the first error.
    pub(super) ready: Option<mpsc::Sender<Infallible>>,
}

/// What one RPC has brought so far.
struct Reading {
    body: Body,
    requests: mpsc::Sender<Bytes>,
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
        loop {
            tokio::select! {
                biased;
                changed = self.phase.changed() => {
                    if changed.is_err() || self.common.mode != Mode::Stream && self.is_finishing() {
                        return Ok(End::Done);
                    }
                    match self.phase.borrow_and_update().clone() {
                        Phase::Settling(last) => finals = Some(last),
                        Phase::Over => {
                            let lost = finals.map_or(0, |last| reading.leaves.behind(&last));
                            self.tally.lock().lost_leaves += lost;
                            return Ok(End::Done);
                        }
                        Phase::Warming | Phase::Measuring => {}
                    }
                }
                Ok(()) = self.channel.changed(), if finals.is_none() => return Ok(End::Moved),
                frame = reading.body.frame() => {
                    let Some(frame) = frame else { return Err(transport()) };
                    match frame.map_err(|_| transport())?.into_data() {
                        Ok(chunk) => self.take(&mut reading, &chunk).await?,
                        Err(frame) => {
                            end(frame.trailers_ref(), self.common.mode)?;
                            return Ok(End::Done);
                        }
                    }
                }
            }
            if let Some(last) = &finals
                && reading.leaves.behind(last) == 0
            {
                return Ok(End::Done);
            }
        }
    }

    async fn open(&mut self) -> Result<Reading, Failure> {
        let (requests, rest) = mpsc::channel(2);
        // The channel has room for it, and its other end lives in the request.
        let _sent = requests.try_send(self.common.first.clone());
        let frames = ReceiverStream::new(rest).map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
        let mut request = http::Request::new(Body::new(StreamBody::new(frames)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/gnmi.gNMI/Subscribe");
        *request.headers_mut() = self.common.headers.clone();
        let asked = Instant::now();
        let channel = self.channel.borrow_and_update().clone();
        let response = channel.oneshot(request).await;
        let response = response.map_err(|_| transport())?;
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
        let syncs = self
            .count(reading, chunk)
            .map_err(|Malformed| Failure("malformed".to_owned()))?;
        if syncs > 0 {
            self.ready = None;
        }
        if syncs > 0 && self.common.mode == Mode::Poll {
            reading.asked = Instant::now();
            let _sent = reading.requests.send(self.common.poll.clone()).await;
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
