//! HTTP/2 on one connection.
//!
//! Directly on the HTTP/2 library: between it and the streams, a general server has layers of its own (a pipe, a pinger, a
//! count, wrappers of bodies and sockets), which all have left the processor's caches when the next update comes. With a
//! connection for each stream they were a tenth of what an update costs.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use axum::body::Body;
use bytes::Bytes;
use h2::server::Connection;
use h2::server::Handshake;
use http::Request;
use http::header::CONTENT_LENGTH;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;

use super::Config;
use super::config::MAX_HEADER_BYTES;
use super::config::MAX_LOCAL_RESETS;
use super::config::MAX_PENDING_RESETS;
use super::exchange::Exchange;
use super::keepalive::Keepalive;
use super::received::Received;
use super::requests::Requests;
use super::streams::Starter;

/// The requests of one connection, each of which becomes a stream. Ends when the last has ended.
pub(super) struct Http2<S> {
    state: State<S>,
    requests: Requests,
    starter: Starter,
    keepalive: Keepalive,
    is_draining: bool,
}

enum State<S> {
    /// The peer's preface has not come.
    Opening(Handshake<S, Bytes>),
    Open(Connection<S, Bytes>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http2<S> {
    /// Serves what comes over `stream`.
    pub(super) fn new(stream: S, config: &Config, requests: Requests, starter: Starter) -> Self {
        let handshake = h2::server::Builder::new()
            .max_header_list_size(MAX_HEADER_BYTES)
            .max_concurrent_streams(config.max_streams_per_connection)
            .initial_window_size(config.stream_window_bytes)
            .initial_connection_window_size(config.connection_window_bytes)
            .max_send_buffer_size(config.send_buffer_bytes)
            .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
            .max_local_error_reset_streams(Some(MAX_LOCAL_RESETS))
            .handshake(stream);
        Self {
            state: State::Opening(handshake),
            requests,
            starter,
            keepalive: Keepalive::new(config.keepalive_interval, config.keepalive_timeout),
            is_draining: false,
        }
    }

    /// No more requests are taken (GOAWAY); those that are under way may finish.
    pub(super) fn drain(&mut self) {
        if let State::Open(connection) = &mut self.state
            && !self.is_draining
        {
            connection.graceful_shutdown();
        }
        self.is_draining = true;
    }

    /// Ready when the peer has been asked whether it is there, and has not answered in time.
    pub(super) fn poll_silent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.keepalive.poll(cx)
    }

    fn open(&mut self, mut connection: Connection<S, Bytes>) {
        if let Some(ping) = connection.ping_pong() {
            self.keepalive.begin(ping);
        }
        self.state = State::Open(connection);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Http2<S> {
    type Output = Result<(), h2::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                // Nothing has been asked for that might still finish.
                State::Opening(_) if this.is_draining => return Poll::Ready(Ok(())),
                State::Opening(handshake) => {
                    let opened = ready!(Pin::new(handshake).poll(cx))?;
                    this.open(opened);
                }
                State::Open(connection) => {
                    let Some(accepted) = ready!(connection.poll_accept(cx)) else {
                        return Poll::Ready(Ok(()));
                    };
                    let (request, reply) = accepted?;
                    let length = length(&request);
                    let request = request.map(|body| Body::new(Received::new(body, length)));
                    let answer = this.requests.answer(request);
                    let clock = this.requests.clock();
                    this.starter.start(Exchange::new(answer, reply, clock));
                }
            }
        }
    }
}

/// What the head of a request says of its body's length.
fn length<B>(request: &Request<B>) -> Option<u64> {
    let length = request.headers().get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
