//! The HTTP of one connection, of either version.

use std::error::Error;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;

use super::Config;
use super::config::MAX_HEADER_BYTES;
use super::cork::Cork;
use super::cork::Streams;
use super::http2::Http2;
use super::opening::Observed;
use super::requests::Requests;
use super::streams::Running;

/// A connection's HTTP, which ends with it.
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is what nearly all connections are"
)]
pub(super) enum Http<S> {
    /// HTTP/1.1.
    One(Pin<Box<http1::Connection<TokioIo<Observed<S>>, Requests>>>),
    /// HTTP/2.
    Two(Http2<Cork<Observed<S>>>),
}

/// How HTTP ends.
pub(super) type HttpEnd = Result<(), Box<dyn Error + Send + Sync>>;

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Http<S> {
    /// HTTP/1.1 over a stream.
    pub(super) fn one(stream: Observed<S>, config: &Config, requests: Requests) -> Self {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(config.header_deadline)
            .max_buf_size(MAX_HEADER_BYTES as usize)
            .serve_connection(TokioIo::new(stream), requests);
        Self::One(Box::pin(connection))
    }

    /// HTTP/2 over a stream, with its own streams among those that are `running`.
    pub(super) fn two(
        stream: Observed<S>,
        config: &Config,
        requests: Requests,
        running: &Running,
    ) -> Self {
        let open = Streams::default();
        let cork = Cork::new(stream, open.clone());
        Self::Two(Http2::new(cork, config, requests, running.starter(open)))
    }

    /// No more requests are taken; those that are under way may finish.
    pub(super) fn drain(&mut self) {
        match self {
            Self::One(connection) => connection.as_mut().graceful_shutdown(),
            Self::Two(connection) => connection.drain(),
        }
    }

    /// Ready when the peer is not there any more.
    pub(super) fn poll_silent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            // Its idle connections have a deadline.
            Self::One(_) => Poll::Pending,
            Self::Two(connection) => connection.poll_silent(cx),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Future for Http<S> {
    type Output = HttpEnd;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<HttpEnd> {
        match self.get_mut() {
            Self::One(connection) => connection.as_mut().poll(cx).map_err(Into::into),
            Self::Two(connection) => Pin::new(connection).poll(cx).map_err(Into::into),
        }
    }
}
