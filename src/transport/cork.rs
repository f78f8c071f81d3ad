//! The writes of many streams, gathered into few.
//!
//! h2 writes each frame of more than 256 bytes by itself, and what it has gathered of shorter ones after 16 KiB. With many
//! streams on a connection that makes a system call and a TLS record for nearly every stream and update, 7-8 microseconds
//! each. The cork says "flushed" at once, wakes its task, and writes at the beginning of that task's next turn: by then all
//! streams that were ready have added theirs. There is no timer, and no delay beyond one turn of the scheduler.
//!
//! Three rules keep what is held from being lost:
//!
//! - An HTTP/2 connection reads at the beginning of each of its turns, so reading is where the writing goes on. That
//!   holds for HTTP/2 alone: without open streams of that protocol the cork lets everything through.
//! - A write that fails is told by the reads that follow it, which end the connection.
//! - Shutting down writes first.

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

/// How many HTTP/2 streams of a connection are open. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams(Arc<AtomicUsize>);

/// One open stream; dropping it ends the counting.
#[derive(Debug)]
pub(super) struct OpenStream(Streams);

/// A stream of bytes whose flushes wait for one turn.
#[derive(Debug)]
pub(super) struct Cork<S> {
    stream: S,
    streams: Streams,
    /// What HTTP/2 takes for written. At most [`CAPACITY`] bytes.
    held: Vec<u8>,
    /// How much of `held` is written.
    written: usize,
    /// A flush was promised and has not been done.
    is_due: bool,
}

impl Streams {
    pub(super) fn open(&self) -> OpenStream {
        self.0.fetch_add(1, Ordering::Relaxed);
        OpenStream(self.clone())
    }

    /// With a single stream there is nothing to gather.
    pub(super) fn are_many(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S: AsyncWrite + Unpin> Cork<S> {
    pub(super) const fn new(stream: S, streams: Streams) -> Self {
        Self {
            stream,
            streams,
            held: Vec::new(),
            written: 0,
            is_due: false,
        }
    }

    /// Writes and flushes what is held.
    fn poll_release(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.held.get(self.written..) {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        if self.held.capacity() > KEPT {
            self.held = Vec::new();
        }
        self.held.clear();
        self.written = 0;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.is_due = false;
        Poll::Ready(Ok(()))
    }

    /// Ready when more may be held, or when the stream itself may be written to because nothing is held.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Room>> {
        if self.streams.are_many() {
            if self.held.len() >= CAPACITY {
                ready!(self.poll_release(cx))?;
            }
            return Poll::Ready(Ok(Room::Held(CAPACITY - self.held.len())));
        }
        if !self.held.is_empty() {
            ready!(self.poll_release(cx))?;
        }
        Poll::Ready(Ok(Room::Through))
    }

    fn hold(&mut self, bytes: &[u8], room: usize) -> usize {
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.held.extend_from_slice(taken);
        taken.len()
    }
}

/// Where the next write goes.
enum Room {
    /// Into what is held, which takes so many bytes more.
    Held(usize),
    /// To the stream.
    Through,
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Cork<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A stream that takes no more has the task's waker by now; reading goes on meanwhile.
        if self.is_due
            && let Poll::Ready(Err(error)) = self.poll_release(cx)
        {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cork<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.poll_room(cx))? {
            Room::Held(room) => Poll::Ready(Ok(self.hold(buf, room))),
            Room::Through => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.poll_room(cx))? {
            Room::Held(room) => {
                let held = bufs
                    .iter()
                    .fold(0, |held, buf| held + self.hold(buf, room - held));
                Poll::Ready(Ok(held))
            }
            Room::Through => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            return Pin::new(&mut self.stream).poll_flush(cx);
        }
        if !self.streams.are_many() {
            return self.poll_release(cx);
        }
        if !self.is_due {
            self.is_due = true;
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.held.is_empty() {
            ready!(self.poll_release(cx))?;
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// As much as the TLS library takes at once; four full records.
const CAPACITY: usize = 64 << 10;

/// What an idle connection keeps of it.
const KEPT: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::task::Waker;

    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Takes as many bytes per write as it is told, 0 for "not now", everything when it is told nothing.
    #[derive(Debug, Default)]
    struct Sink {
        takes: VecDeque<usize>,
        writes: Vec<Vec<u8>>,
        shut: bool,
    }

    impl AsyncRead for Sink {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Sink {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let most = self.takes.pop_front().unwrap_or(buf.len());
            if most == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let taken = buf[..most.min(buf.len())].to_vec();
            let count = taken.len();
            self.writes.push(taken);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.shut = true;
            Poll::Ready(Ok(()))
        }
    }

    /// The beginning of an HTTP/2 connection's turn.
    fn turn(cork: &mut Cork<Sink>) -> Poll<io::Result<()>> {
        let mut space = [0; 8];
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(cork).poll_read(&mut cx, &mut ReadBuf::new(&mut space))
    }

    #[tokio::test]
    async fn cork_gathers_the_writes_of_many_streams() {
        let streams = Streams::default();
        let _open = [streams.open(), streams.open()];
        let mut cork = Cork::new(Sink::default(), streams);
        for _ in 0..100 {
            cork.write_all(b"update").await.unwrap();
            cork.flush().await.unwrap();
        }
        assert!(cork.stream.writes.is_empty());
        assert!(turn(&mut cork).is_pending());
        assert_eq!(cork.stream.writes, [b"update".repeat(100)]);
        assert!(cork.held.is_empty() && !cork.is_due);
    }

    #[tokio::test]
    async fn cork_lets_a_single_stream_through() {
        let streams = Streams::default();
        let first = streams.open();
        let second = streams.open();
        let mut cork = Cork::new(Sink::default(), streams);
        cork.write_all(b"a").await.unwrap();
        drop(second);
        cork.write_all(b"b").await.unwrap();
        cork.flush().await.unwrap();
        drop(first);
        cork.write_all(b"c").await.unwrap();
        assert_eq!(cork.stream.writes, [b"a", b"b", b"c"]);
    }

    #[tokio::test]
    async fn cork_wakes_its_task_when_it_owes_a_flush() {
        let streams = Streams::default();
        let _open = [streams.open(), streams.open()];
        let mut cork = Cork::new(Sink::default(), streams);
        // Without the wake-up, this task would sleep for ever after its first turn.
        poll_fn(|cx| {
            if !cork.stream.writes.is_empty() {
                return Poll::Ready(());
            }
            let mut space = [0; 8];
            let _pending = Pin::new(&mut cork).poll_read(cx, &mut ReadBuf::new(&mut space));
            if cork.stream.writes.is_empty() {
                assert!(Pin::new(&mut cork).poll_write(cx, b"x").is_ready());
                assert!(Pin::new(&mut cork).poll_flush(cx).is_ready());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }

    proptest! {
        /// Whatever is written comes out, in order, and never more than the capacity is held.
        #[test]
        fn cork_keeps_every_byte_in_order(
            takes in proptest::collection::vec(0_usize..40_000, 0..40),
            steps in proptest::collection::vec((0_u8..5, 1_usize..30_000), 0..40),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let streams = Streams::default();
            let mut open = vec![streams.open()];
            let sink = Sink { takes: takes.into(), ..Sink::default() };
            let mut cork = Cork::new(sink, streams.clone());
            let mut expected = Vec::new();
            for (step, size) in steps {
                match step {
                    0 => open.push(streams.open()),
                    1 => drop(open.pop()),
                    2 => prop_assert!(turn(&mut cork).is_pending()),
                    3 => runtime.block_on(cork.flush()).unwrap(),
                    _ => {
                        let bytes: Vec<u8> = (0_u8..=255).cycle().skip(size).take(size).collect();
                        runtime.block_on(cork.write_all(&bytes)).unwrap();
                        expected.extend(bytes);
                    }
                }
                prop_assert!(cork.held.len() <= CAPACITY);
            }
            runtime.block_on(cork.shutdown()).unwrap();
            prop_assert!(cork.stream.shut);
            prop_assert_eq!(cork.stream.writes.concat(), expected);
        }
    }
}
