//! What comes over a connection: whether anything has, and whether it is a flood.
//!
//! The reading of an HTTP/1.1 head is timed where it is done, the wait for HTTP/2's preface is not. A peer that stops there
//! would hold its connection for ever.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;

use crate::wakeup::Part;

use super::flood::Guard;

/// Counts what a connection has read until it is open. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening(Arc<AtomicUsize>);

/// A stream whose first bytes are counted, and whose frames are watched.
#[derive(Debug)]
pub(super) struct Observed<S> {
    stream: S,
    opening: Opening,
    guard: Guard,
    /// Nothing is read from a flood: its end is near.
    is_flooded: bool,
    /// HTTP/2 reads in each turn, also when it is only to write; TLS and the socket are asked when something has come.
    reading: Part,
    /// Bytes read in a row.
    run: usize,
}

impl Opening {
    /// Whether enough has come: a request, or as many bytes as HTTP/2's preface has.
    pub(super) fn is_done(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= PREFACE_LEN
    }

    /// A request has come.
    pub(super) fn finish(&self) {
        if !self.is_done() {
            self.0.store(PREFACE_LEN, Ordering::Relaxed);
        }
    }

    /// Counts what `stream` reads, and lets `guard` see it. `reading` is a part of the task that reads.
    pub(super) fn observe<S>(&self, stream: S, guard: Guard, reading: Part) -> Observed<S> {
        Observed {
            stream,
            opening: self.clone(),
            guard,
            is_flooded: false,
            reading,
            run: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_flooded {
            return Poll::Pending;
        }
        if this.run >= RUN {
            // The rest is for the next turn.
            this.run = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let stream = Pin::new(&mut this.stream);
        let Poll::Ready(read) = this.reading.poll(|cx| stream.poll_read(cx, buf)) else {
            this.run = 0;
            return Poll::Pending;
        };
        read?;
        let received = buf.filled().get(before..).unwrap_or_default();
        this.run += received.len();
        if !this.opening.is_done() {
            this.opening.0.fetch_add(received.len(), Ordering::Relaxed);
        }
        this.is_flooded = !this.guard.admit(received, Instant::now);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.guard.note_sent(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.guard.note_sent(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n` (RFC 9113 3.4).
const PREFACE_LEN: usize = 24;

/// Bytes after which a connection lets others have a turn. As HEADERS they are some forty streams, half a millisecond.
const RUN: usize = 8 << 10;
