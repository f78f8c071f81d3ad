//! Whether the other end of an HTTP/2 connection is still there.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use h2::Ping;
use h2::PingPong;
use tokio::time::Instant;
use tokio::time::Sleep;
use tokio::time::sleep;

/// Pings a peer now and then, also one that has just sent something: twice a minute, that costs less than noting when.
pub(super) struct Keepalive {
    /// `None` before the connection is open.
    ping: Option<PingPong>,
    /// Until the next ping, or for how long the peer may still take to answer the last.
    timer: Pin<Box<Sleep>>,
    is_asked: bool,
    interval: Duration,
    patience: Duration,
}

impl Keepalive {
    /// For a connection that begins now.
    pub(super) fn new(interval: Duration, patience: Duration) -> Self {
        Self {
            ping: None,
            timer: Box::pin(sleep(interval)),
            is_asked: false,
            interval,
            patience,
        }
    }

    /// The connection is open.
    pub(super) fn begin(&mut self, ping: PingPong) {
        self.ping = Some(ping);
    }

    /// Ready when the peer has taken too long to answer.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.is_asked
                && let Some(ping) = &mut self.ping
                && let Poll::Ready(answer) = ping.poll_pong(cx)
            {
                if answer.is_err() {
                    // The connection ends by itself.
                    return Poll::Pending;
                }
                self.is_asked = false;
                self.wait(self.interval);
            }
            ready!(self.timer.as_mut().poll(cx));
            if self.is_asked {
                return Poll::Ready(());
            }
            let ping = self.ping.as_mut();
            self.is_asked = ping.is_some_and(|ping| ping.send_ping(Ping::opaque()).is_ok());
            self.wait(if self.is_asked {
                self.patience
            } else {
                self.interval
            });
        }
    }

    fn wait(&mut self, time: Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }
}
