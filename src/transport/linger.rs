//! Bodies that nobody wants.
//!
//! An HTTP/1.1 connection whose request was answered before its body had come is closed by hyper, and a client that is
//! still sending then sees a broken connection instead of the answer. A short body is read to its end, whoever has
//! dropped it. HTTP/2 has RST_STREAM for this.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body::Body as _;
use http_body::Frame;
use http_body::SizeHint;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

/// A body that is read to its end even when it is dropped before.
#[derive(Debug)]
struct Lingering(Option<Incoming>);

/// An HTTP/1.1 request, whose body is read to its end if it is short.
pub(super) fn linger(request: Request<Incoming>) -> Request<Body> {
    request.map(|body| {
        let is_short = body.size_hint().upper().is_some_and(|size| size <= SHORT);
        if is_short && !body.is_end_stream() {
            Body::new(Lingering(Some(body)))
        } else {
            Body::new(body)
        }
    })
}

impl http_body::Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .as_ref()
            .map_or_else(SizeHint::default, Incoming::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(mut body) = self.0.take()
            && !body.is_end_stream()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // One for a connection at most, since HTTP/1.1 has one request at a time.
            drop(runtime.spawn(timeout(PATIENCE, async move {
                while let Some(Ok(_)) = body.frame().await {}
            })));
        }
    }
}

/// What a client has mostly sent by the time that it is answered; the longest body of the account API.
const SHORT: u64 = 64 << 10;

/// For a body of that size over a slow line.
const PATIENCE: Duration = Duration::from_secs(5);
