//! The response side of one Subscribe: bytes that the core has encoded, handed to HTTP/2 as they are.
//!
//! Several messages go out in one frame, none is copied per subscriber, and nothing is sent after the session has
//! ended (iam R5).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream as _;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http_body::Body;
use http_body::Frame;
use tokio::time::Sleep;
use tonic::Status;
use tonic::Streaming;

use crate::iam::LiveSession;
use crate::iam::Permit;
use crate::model::Mode;
use crate::model::Pattern;
use crate::model::TargetSelector;
use crate::telemetry::Core;
use crate::telemetry::Snapshot;
use crate::telemetry::Subscriber;
use crate::wakeup::Sleeper;
use crate::wire::frame_sync;
use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi::subscribe_request::Request;

use super::admission::Asker;
use super::compression::compress_large;
use super::error::Error;
use super::error::Shown;
use super::provisioned;
use super::provisioned::MirrorError;
use super::provisioned::Need;
use super::reach::narrow_list;
use super::request::SubscribeRequest;
use super::request::read_subscribe;
use super::service::Shared;
use super::service::StreamSlot;
use super::status;

/// One Subscribe, from its first message to its status.
#[derive(Debug)]
pub(super) struct SubscribeBody {
    service: Arc<Shared>,
    session: LiveSession,
    requests: Streaming<pb::SubscribeRequest>,
    phase: Phase,
    compresses: bool,
    /// Counts this stream among all.
    _slot: StreamSlot,
}

#[derive(Debug)]
enum Phase {
    /// Nothing has come yet. Not for ever: an open stream costs memory.
    First(Pin<Box<Sleep>>, Box<Asker>),
    /// What is asked for is being brought up to date.
    Refreshing(Refresh, Then),
    /// ONCE or POLL: a snapshot is on its way, then one sync.
    Snapshot(Box<Asked>, Snapshot),
    /// POLL: waits for the next Poll.
    Idle(Box<Asked>),
    /// STREAM.
    Live(Subscriber, Inbound),
    /// All was sent; the status OK comes next.
    Ending,
    /// The status was sent.
    Done,
}

/// What comes after a refresh.
#[derive(Debug)]
enum Then {
    /// A poll is answered.
    Answer(Box<Asked>),
    /// The subscription starts.
    Start(Box<SubscribeRequest>),
}

/// The copy of the datastore on its way.
struct Refresh(BoxFuture<'static, Result<(), MirrorError>>);

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refresh")
    }
}

/// Whether the client may still send.
#[derive(Debug)]
enum Inbound {
    HalfClosed,
    /// It is asked for messages when it has sent something, and not for each update.
    Open(Sleeper),
}

/// What a ONCE or POLL asked for.
#[derive(Debug)]
struct Asked {
    request: SubscribeRequest,
    patterns: Vec<Pattern>,
}

impl SubscribeBody {
    /// The body of a Subscribe whose session is open.
    pub(super) fn new(
        service: Arc<Shared>,
        (session, asker): (LiveSession, Asker),
        requests: Streaming<pb::SubscribeRequest>,
        compresses: bool,
        slot: StreamSlot,
    ) -> Self {
        let deadline = Box::pin(tokio::time::sleep(FIRST_MESSAGE_DEADLINE));
        Self {
            service,
            session,
            requests,
            phase: Phase::First(deadline, Box::new(asker)),
            compresses,
            _slot: slot,
        }
    }

    /// The next chunk of messages; `None` is the end with OK.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        loop {
            match &mut self.phase {
                Phase::First(deadline, asker) => {
                    if deadline.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Err(Status::deadline_exceeded(
                            "no SubscriptionList within a minute",
                        )));
                    }
                    let first = ready!(poll_message(&mut self.requests, cx))?;
                    let first = first.unwrap_or_default();
                    let schema = self.service.mirror.datastore().schema();
                    let request = read_subscribe(&first, &self.service.config, schema)?;
                    let (permit, core) = (self.session.permit(), &self.service.core);
                    let request =
                        narrow(request, permit, core).inspect_err(|error| asker.note(error))?;
                    self.phase = self.refresh(Then::Start(Box::new(request)))?;
                }
                Phase::Refreshing(refresh, _) => {
                    ready!(refresh.0.as_mut().poll(cx)).map_err(Error::from)?;
                    let phase = std::mem::replace(&mut self.phase, Phase::Ending);
                    if let Phase::Refreshing(_, then) = phase {
                        self.phase = self.go_on(then)?;
                    }
                }
                Phase::Snapshot(asked, snapshot) => {
                    if let Some(chunk) = snapshot.next_chunk(asked.request.encoding) {
                        return Poll::Ready(Ok(Some(chunk)));
                    }
                    let phase = std::mem::replace(&mut self.phase, Phase::Ending);
                    if let Phase::Snapshot(asked, _) = phase
                        && asked.request.list.mode == Mode::Poll
                    {
                        self.phase = Phase::Idle(asked);
                    }
                    return Poll::Ready(Ok(Some(frame_sync())));
                }
                Phase::Idle(_) => match ready!(poll_message(&mut self.requests, cx))? {
                    Some(message) => self.poll_again(&message)?,
                    // In POLL, half-close ends the RPC (gNMI rule 50).
                    None => self.phase = Phase::Ending,
                },
                Phase::Live(subscriber, inbound) => {
                    if let Poll::Ready(chunk) = subscriber.poll_chunk(cx) {
                        return Poll::Ready(chunk.map(Some).map_err(status::overrun));
                    }
                    let Inbound::Open(sleeper) = inbound else {
                        return Poll::Pending;
                    };
                    match ready!(sleeper.poll(cx, |cx| poll_message(&mut self.requests, cx)))? {
                        Some(message) => return Poll::Ready(Err(unexpected(&message))),
                        // Half-close is not cancellation (gNMI rule 50).
                        None => *inbound = Inbound::HalfClosed,
                    }
                }
                Phase::Ending | Phase::Done => return Poll::Ready(Ok(None)),
            }
        }
    }

    /// First what the datastore has, if that is asked for.
    fn refresh(&self, then: Then) -> Result<Phase, Status> {
        let list = match &then {
            Then::Answer(asked) => &asked.request.list,
            Then::Start(request) => &request.list,
        };
        let patterns = list.subscriptions.iter().map(|one| &one.pattern);
        let need = provisioned::need(&list.target, patterns);
        if need == Need::Nothing {
            return self.go_on(then);
        }
        let mirror = self.service.mirror.clone();
        let tenant = self.session.permit().tenant().clone();
        let refresh = async move { mirror.refresh(&tenant, need).await };
        Ok(Phase::Refreshing(Refresh(Box::pin(refresh)), then))
    }

    fn go_on(&self, then: Then) -> Result<Phase, Status> {
        match then {
            Then::Answer(asked) => {
                let snapshot = self.snapshot(&asked);
                Ok(Phase::Snapshot(asked, snapshot))
            }
            Then::Start(request) => self.start(*request),
        }
    }

    fn start(&self, request: SubscribeRequest) -> Result<Phase, Status> {
        let tenant = self.session.permit().tenant();
        let core = &self.service.core;
        let list = &request.list;
        let holds = self.service.config.hold_unknown_target && list.mode == Mode::Stream;
        if let TargetSelector::One(target) = &list.target
            && !holds
            && !core.has_target(tenant, target)
        {
            return Err(Error::UnknownTarget(Shown::new(target.as_str())).into());
        }
        if list.mode == Mode::Stream {
            let now = self.service.clock.now();
            let subscriber = core.subscribe(tenant, list, request.encoding, now);
            return Ok(Phase::Live(subscriber, Inbound::Open(Sleeper::default())));
        }
        let patterns = list
            .subscriptions
            .iter()
            .map(|one| one.pattern.clone())
            .collect();
        let asked = Box::new(Asked { request, patterns });
        let snapshot = self.snapshot(&asked);
        Ok(Phase::Snapshot(asked, snapshot))
    }

    /// With updates_only there are no values, only the sync (gNMI spec 3.5.2.3).
    fn snapshot(&self, asked: &Asked) -> Snapshot {
        let list = &asked.request.list;
        let patterns = if list.updates_only {
            &[][..]
        } else {
            &asked.patterns
        };
        let tenant = self.session.permit().tenant();
        self.service
            .core
            .snapshot(tenant, &list.target, patterns, list.depth)
    }

    fn poll_again(&mut self, message: &pb::SubscribeRequest) -> Result<(), Status> {
        if !matches!(message.request, Some(Request::Poll(_))) {
            return Err(unexpected(message));
        }
        if let Phase::Idle(asked) = std::mem::replace(&mut self.phase, Phase::Ending) {
            self.phase = self.refresh(Then::Answer(asked))?;
        }
        Ok(())
    }
}

impl Body for SubscribeBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if matches!(this.phase, Phase::Done) {
            return Poll::Ready(None);
        }
        let outcome = match this.session.end_now() {
            Some(end) => Err(status::ended(end)),
            None => match this.poll_chunk(cx) {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => Err(status::ended(ready!(this.session.poll_ended(cx)))),
            },
        };
        Poll::Ready(Some(Ok(match outcome {
            Ok(Some(chunk)) if this.compresses => Frame::data(compress_large(chunk)),
            Ok(Some(chunk)) => Frame::data(chunk),
            Ok(None) => this.finish(&Status::ok("")),
            Err(status) => this.finish(&status),
        })))
    }

    fn is_end_stream(&self) -> bool {
        false
    }
}

impl SubscribeBody {
    fn finish(&mut self, status: &Status) -> Frame<Bytes> {
        self.phase = Phase::Done;
        let mut trailers = HeaderMap::new();
        // A status that cannot be written as a header says at least that there was an error.
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, http::HeaderValue::from_static("13"));
        }
        Frame::trailers(trailers)
    }
}

/// What of a request its sender may have.
fn narrow(
    request: SubscribeRequest,
    permit: &Permit,
    core: &Core,
) -> Result<SubscribeRequest, Error> {
    let list = narrow_list(request.list, permit.reach())?;
    let list = provisioned::narrow_list(list, permit, core)?;
    Ok(SubscribeRequest { list, ..request })
}

fn poll_message(
    requests: &mut Streaming<pb::SubscribeRequest>,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<pb::SubscribeRequest>, Status>> {
    Pin::new(requests)
        .poll_next(cx)
        .map(|message| message.transpose().map_err(status::undecodable))
}

/// gNMI spec 3.5.1.1: one SubscriptionList per RPC; and a Poll is for POLL.
fn unexpected(message: &pb::SubscribeRequest) -> Status {
    Status::invalid_argument(match &message.request {
        Some(Request::Poll(_)) => "request: a Poll is allowed in POLL mode alone",
        Some(Request::Subscribe(_)) => "request: a second SubscriptionList is not allowed",
        None => "request: is missing",
    })
}

/// Clients send the list with the call; a minute is for the slowest of networks.
const FIRST_MESSAGE_DEADLINE: Duration = Duration::from_mins(1);
