//! The body of a request over HTTP/2.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use bytes::Bytes;
use h2::Reason;
use h2::RecvStream;
use http_body::Body;
use http_body::Frame;
use http_body::SizeHint;

/// What the peer sends on one stream. Its window grows as it is read.
#[derive(Debug)]
pub(super) struct Received {
    stream: RecvStream,
    /// What the request's head says of its length (RFC 9113 8.1.1: the library holds the peer to it).
    length: Option<u64>,
    /// Trailers are next.
    has_data: bool,
}

impl Received {
    /// The body whose head announces `length` bytes, if it does.
    pub(super) const fn new(stream: RecvStream, length: Option<u64>) -> Self {
        Self {
            stream,
            length,
            has_data: true,
        }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let this = self.get_mut();
        if this.has_data {
            if let Some(data) = ready!(this.stream.poll_data(cx)) {
                return Poll::Ready(none_if_unwanted(data.map(|data| {
                    // Fails when the stream has ended, where no more may come anyway.
                    let _ended = this.stream.flow_control().release_capacity(data.len());
                    this.length = this
                        .length
                        .map(|left| left.saturating_sub(data.len() as u64));
                    Frame::data(data)
                })));
            }
            this.has_data = false;
        }
        let trailers = ready!(this.stream.poll_trailers(cx)).transpose();
        Poll::Ready(trailers.and_then(|trailers| none_if_unwanted(trailers.map(Frame::trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A reset without an error only says that nobody wants the rest (RFC 9113 8.1).
fn none_if_unwanted(
    frame: Result<Frame<Bytes>, h2::Error>,
) -> Option<Result<Frame<Bytes>, h2::Error>> {
    match frame {
        Err(error) if error.reason() == Some(Reason::NO_ERROR) => None,
        frame => Some(frame),
    }
}
