//! One request over HTTP/2 and its answer.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use axum::body::Body;
use bytes::Bytes;
use h2::Reason;
use h2::SendStream;
use h2::server::SendResponse;
use http::HeaderValue;
use http::Response;
use http::header::CONTENT_LENGTH;
use http::header::DATE;
use http_body::Body as _;
use http_body::Frame;

use crate::clock::Clock;

use super::requests::Answer;

/// Waits for the answer, and sends it as far as the peer takes it. Ends early when the peer resets the stream; dropped,
/// it resets the stream itself.
pub(super) struct Exchange(State);

enum State {
    /// Nothing of the answer is known.
    Answering {
        answer: Answer,
        reply: SendResponse<Bytes>,
        clock: Clock,
    },
    Sending(Sending),
}

/// A body on its way. Its head has been sent.
struct Sending {
    body: Body,
    /// What has been taken from the body, and waits for room. Empty is nothing.
    waiting: Bytes,
    stream: SendStream<Bytes>,
}

/// Why an exchange is over before its answer was sent.
enum Cut {
    /// The peer has reset the stream, or the connection has ended.
    Gone,
    /// The body could not be made to its end.
    Failed,
}

impl Exchange {
    /// Sends `answer` by `reply`.
    pub(super) const fn new(answer: Answer, reply: SendResponse<Bytes>, clock: Clock) -> Self {
        Self(State::Answering {
            answer,
            reply,
            clock,
        })
    }
}

impl Future for Exchange {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.0 {
                State::Answering {
                    answer,
                    reply,
                    clock,
                } => {
                    let Poll::Ready(Ok(response)) = answer.as_mut().poll(cx) else {
                        // Ready when the peer does not want the answer any more.
                        return reply.poll_reset(cx).map(|_gone| ());
                    };
                    let Some(sending) = begin(response, reply, clock) else {
                        return Poll::Ready(());
                    };
                    self.0 = State::Sending(sending);
                }
                State::Sending(sending) => {
                    if let Err(Cut::Failed) = ready!(sending.poll(cx)) {
                        sending.stream.send_reset(Reason::INTERNAL_ERROR);
                    }
                    return Poll::Ready(());
                }
            }
        }
    }
}

/// Sends the head. `None` when nothing follows it.
fn begin(
    response: Response<Body>,
    reply: &mut SendResponse<Bytes>,
    clock: &Clock,
) -> Option<Sending> {
    let (mut head, body) = response.into_parts();
    let headers = &mut head.headers;
    // RFC 9110 6.6.1.
    if let Some(date) = clock.now().http_date()
        && let Ok(date) = HeaderValue::try_from(date)
    {
        headers.entry(DATE).or_insert(date);
    }
    let is_empty = body.is_end_stream();
    if let (false, Some(length)) = (is_empty, body.size_hint().exact()) {
        headers
            .entry(CONTENT_LENGTH)
            .or_insert_with(|| length.into());
    }
    match reply.send_response(Response::from_parts(head, ()), is_empty) {
        Ok(stream) => (!is_empty).then(|| Sending {
            body,
            waiting: Bytes::new(),
            stream,
        }),
        Err(error) => {
            tracing::debug!(%error, "answer was not sent");
            reply.send_reset(Reason::INTERNAL_ERROR);
            None
        }
    }
}

impl Sending {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        loop {
            if !self.waiting.is_empty() {
                ready!(self.poll_room(cx))?;
                let data = std::mem::take(&mut self.waiting);
                let is_last = self.body.is_end_stream();
                self.stream.send_data(data, is_last)?;
                if is_last {
                    return Poll::Ready(Ok(()));
                }
            }
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(frame) => {
                    if self.take(frame)? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Pending => {
                    // With nothing to send, the peer's reset is all that can come.
                    ready!(self.stream.poll_reset(cx))?;
                    return Poll::Ready(Err(Cut::Gone));
                }
            }
        }
    }

    /// True when that was the last frame.
    fn take(&mut self, frame: Option<Result<Frame<Bytes>, axum::Error>>) -> Result<bool, Cut> {
        let Some(frame) = frame else {
            self.stream.send_data(Bytes::new(), true)?;
            return Ok(true);
        };
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "body of an answer ended early");
            Cut::Failed
        })?;
        match frame.into_data() {
            Ok(data) => {
                // All of it need not have room at once: the library holds what has not.
                self.stream.reserve_capacity(1);
                self.waiting = data;
                Ok(false)
            }
            Err(frame) => {
                // Room that was kept for more goes to others.
                self.stream.reserve_capacity(0);
                let trailers = frame.into_trailers().map_err(|_| Cut::Failed)?;
                self.stream.send_trailers(trailers)?;
                Ok(true)
            }
        }
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(room) => room.map(|_| ())?,
                None => return Poll::Ready(Err(Cut::Gone)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl From<h2::Error> for Cut {
    fn from(_: h2::Error) -> Self {
        Self::Gone
    }
}
