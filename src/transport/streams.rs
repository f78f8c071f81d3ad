//! The HTTP/2 streams of one connection, run by the connection's own task.
//!
//! hyper makes a future of each stream, for an executor to run. A task for each would cost a wake-up of the scheduler per
//! stream and update, and a turn of the connection after nearly every one. Here they are run in turns: whatever wakes a
//! stream wakes the connection, once; its turn runs every stream that is ready, and then sends what all of them have to
//! say. Under load, updates gather while a turn lasts, so that the turns grow and the cost of each update falls. Who
//! wakes many streams does so in [`gather`](crate::wakeup::gather), lest the turn begins after the first.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use slab::Slab;

use crate::wakeup::Part;
use crate::wakeup::Patient;

use super::cork::Streams;

/// The streams that a connection has started. They end with this value.
///
/// Not `FuturesUnordered`, which ends its turn as soon as two futures have woken themselves: h2 wakes a stream whenever
/// it gives it room, also while that stream asks for it, so that every turn would end after the second stream.
pub(super) struct Running {
    streams: Slab<Stream>,
    shared: Arc<Shared>,
}

/// Takes the streams of one connection from hyper, and counts those that are open.
#[derive(Clone)]
pub(super) struct Executor {
    shared: Arc<Shared>,
    open: Streams,
}

/// A stream, and what it is woken by.
struct Stream {
    future: BoxFuture<'static, ()>,
    waker: Waker,
}

/// What a connection shares with those that wake its streams.
struct Shared {
    /// The connection's task.
    task: Arc<Patient>,
    /// Streams that have not had their first turn.
    started: Mutex<Vec<BoxFuture<'static, ()>>>,
    /// Streams that want a turn, each once. `None` after the end, when the wakers that are left do nothing.
    ready: Mutex<Option<Vec<Arc<Place>>>>,
}

/// Where a stream is kept. Wakers may outlive the stream, and then wake the next at the same place in vain.
struct Place {
    key: usize,
    is_ready: AtomicBool,
    shared: Arc<Shared>,
}

impl Running {
    /// No streams.
    pub(super) fn new() -> Self {
        Self {
            // Most connections have one, and there are many of them.
            streams: Slab::with_capacity(1),
            shared: Arc::new(Shared {
                task: Arc::default(),
                started: Mutex::default(),
                ready: Mutex::new(Some(Vec::new())),
            }),
        }
    }

    /// What hands hyper's streams over to this value.
    pub(super) fn executor(&self, open: Streams) -> Executor {
        Executor {
            shared: Arc::clone(&self.shared),
            open,
        }
    }

    /// A part of the connection's task: looked at when it was woken, not in every turn.
    pub(super) fn part(&self) -> Part {
        Part::new(&self.shared.task)
    }

    /// One turn of `connection`, after one of each stream that is ready. It ends with the connection.
    pub(super) fn poll_turn<C: Future>(
        &mut self,
        mut connection: Pin<&mut C>,
        cx: &mut Context<'_>,
    ) -> Poll<C::Output> {
        self.shared.task.register(cx.waker());
        self.poll_ready(cx);
        // A second time for what new streams say at once. Those that come with it wait for the next turn to be heard, as
        // a peer that opens streams without end must not keep the thread.
        for _ in 0..2 {
            let ended = connection.as_mut().poll(cx);
            let started = std::mem::take(&mut *self.shared.started.lock());
            if ended.is_ready() || started.is_empty() {
                return ended;
            }
            for future in started {
                let key = self.insert(future);
                self.poll_stream(key);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ends all streams, after their connection, and lets others have a turn now and then.
    pub(super) async fn end(&mut self) {
        let streams = std::mem::take(&mut self.streams);
        for (ended, (_, stream)) in streams.into_iter().enumerate() {
            drop(stream);
            if ended % ENDED_IN_A_ROW == ENDED_IN_A_ROW - 1 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// One round: a stream that is woken meanwhile has woken the connection, and waits for its next turn.
    fn poll_ready(&mut self, cx: &mut Context<'_>) {
        let Some(mut ready) = self.shared.ready.lock().as_mut().map(std::mem::take) else {
            return;
        };
        let rest = ready.split_off(ready.len().min(STREAMS_IN_A_ROW));
        for place in ready {
            // Before the stream's turn: a wake-up during it must count.
            place.is_ready.store(false, Ordering::Release);
            self.poll_stream(place.key);
        }
        if !rest.is_empty()
            && let Some(ready) = &mut *self.shared.ready.lock()
        {
            ready.splice(..0, rest);
            cx.waker().wake_by_ref();
        }
    }

    fn poll_stream(&mut self, key: usize) {
        let Some(stream) = self.streams.get_mut(key) else {
            return;
        };
        let mut cx = Context::from_waker(&stream.waker);
        if stream.future.as_mut().poll(&mut cx).is_ready() {
            self.streams.remove(key);
        }
    }

    fn insert(&mut self, future: BoxFuture<'static, ()>) -> usize {
        let entry = self.streams.vacant_entry();
        let key = entry.key();
        let place = Place {
            key,
            is_ready: AtomicBool::new(false),
            shared: Arc::clone(&self.shared),
        };
        let waker = Waker::from(Arc::new(place));
        entry.insert(Stream { future, waker });
        key
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Streams that are ready and what they are kept in would hold each other for ever.
        self.shared.ready.lock().take();
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        let open = self.open.open();
        // A panic, which the hook reports, ends its stream and not its neighbours'. Not an async block: that would keep
        // the room of what it awaits twice.
        let stream = AssertUnwindSafe(stream).catch_unwind();
        let stream = stream.map(move |_ended| drop(open));
        self.shared.started.lock().push(Box::pin(stream));
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_ready.swap(true, Ordering::AcqRel) {
            return;
        }
        let is_first = self.shared.ready.lock().as_mut().is_some_and(|ready| {
            ready.push(Arc::clone(self));
            ready.len() == 1
        });
        if is_first {
            self.shared.task.wake();
        }
    }
}

/// A turn of so many streams fills a TLS record or two. When a connection fails, all of its streams learn of it at once,
/// and each takes some microseconds to end.
const STREAMS_IN_A_ROW: usize = 128;

/// To end a stream takes some microseconds: it leaves the core, and the account's sessions.
const ENDED_IN_A_ROW: usize = 32;

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::future::poll_fn;
    use std::pin::pin;

    use hyper::rt::Executor as _;

    use super::*;

    type Log = Arc<Mutex<Vec<&'static str>>>;

    /// A stream that notes each of its turns.
    fn noting(log: &Log, name: &'static str) -> impl Future<Output = ()> + Send + use<> {
        let log = Arc::clone(log);
        poll_fn(move |_| {
            log.lock().push(name);
            Poll::Pending
        })
    }

    fn turn<C: Future>(running: &mut Running, connection: Pin<&mut C>) -> Poll<C::Output> {
        running.poll_turn(connection, &mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn stream_has_its_first_turn_in_the_one_that_starts_it_and_the_connection_sends_what_it_says() {
        let (mut running, log) = (Running::new(), Log::default());
        let executor = running.executor(Streams::default());
        let (mut starts, noted) = (vec![noting(&log, "stream")], Arc::clone(&log));
        let mut connection = pin!(poll_fn(|_| {
            noted.lock().push("connection");
            starts.drain(..).for_each(|stream| executor.execute(stream));
            Poll::<()>::Pending
        }));
        assert!(turn(&mut running, connection.as_mut()).is_pending());
        assert_eq!(*log.lock(), ["connection", "stream", "connection"]);
        assert!(turn(&mut running, connection.as_mut()).is_pending());
        assert_eq!(log.lock().len(), 4, "a stream that nothing wakes rests");
    }

    #[test]
    fn peer_that_opens_streams_without_end_does_not_keep_the_thread() {
        let (mut running, log) = (Running::new(), Log::default());
        let executor = running.executor(Streams::default());
        let mut connection = pin!(poll_fn(|_| {
            executor.execute(noting(&log, "stream"));
            Poll::<()>::Pending
        }));
        for turns in 1..4 {
            assert!(turn(&mut running, connection.as_mut()).is_pending());
            assert_eq!(log.lock().len(), 2 * turns);
        }
    }

    #[test]
    fn streams_that_wake_in_one_turn_are_sent_in_one() {
        let (mut running, log) = (Running::new(), Log::default());
        let executor = running.executor(Streams::default());
        let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
        for name in ["a", "b"] {
            let (log, wakers) = (Arc::clone(&log), Arc::clone(&wakers));
            executor.execute(poll_fn(move |cx| {
                log.lock().push(name);
                wakers.lock().push(cx.waker().clone());
                Poll::<()>::Pending
            }));
        }
        let noted = Arc::clone(&log);
        let mut connection = pin!(poll_fn(|_| {
            noted.lock().push("connection");
            Poll::<()>::Pending
        }));
        assert!(turn(&mut running, connection.as_mut()).is_pending());
        log.lock().clear();
        std::mem::take(&mut *wakers.lock())
            .iter()
            .for_each(Waker::wake_by_ref);
        assert!(turn(&mut running, connection.as_mut()).is_pending());
        let mut turns = log.lock().clone();
        assert_eq!(turns.pop(), Some("connection"));
        turns.sort_unstable();
        assert_eq!(turns, ["a", "b"]);
    }

    #[test]
    fn more_streams_than_a_turn_takes_have_the_next_in_their_order() {
        let (mut running, log) = (Running::new(), Arc::new(Mutex::new(Vec::new())));
        let executor = running.executor(Streams::default());
        let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
        for number in 0..=2 * STREAMS_IN_A_ROW {
            let (log, wakers) = (Arc::clone(&log), Arc::clone(&wakers));
            executor.execute(poll_fn(move |cx| {
                log.lock().push(number);
                wakers.lock().push(cx.waker().clone());
                Poll::<()>::Pending
            }));
        }
        let mut connection = pin!(pending::<()>());
        assert!(turn(&mut running, connection.as_mut()).is_pending());
        log.lock().clear();
        let woken = std::mem::take(&mut *wakers.lock());
        woken.iter().for_each(Waker::wake_by_ref);
        for turns in 1..=3 {
            assert!(turn(&mut running, connection.as_mut()).is_pending());
            let all = 0..(turns * STREAMS_IN_A_ROW).min(woken.len());
            assert_eq!(*log.lock(), all.collect::<Vec<_>>());
        }
    }

    #[test]
    fn panic_of_a_stream_ends_that_stream_alone() {
        let (mut running, log, open) = (Running::new(), Log::default(), Streams::default());
        let executor = running.executor(open.clone());
        executor.execute(async { panic!("in one stream") });
        executor.execute(noting(&log, "neighbour"));
        executor.execute(pending::<()>());
        assert!(turn(&mut running, pin!(pending::<()>())).is_pending());
        assert_eq!(*log.lock(), ["neighbour"]);
        assert!(open.are_many());
        drop(running);
        assert!(!open.are_many(), "streams end with their connection");
    }

    #[tokio::test]
    async fn many_streams_end_in_several_turns() {
        let (mut running, open) = (Running::new(), Streams::default());
        let executor = running.executor(open.clone());
        for _ in 0..2 * ENDED_IN_A_ROW {
            executor.execute(pending::<()>());
        }
        assert!(turn(&mut running, pin!(pending::<()>())).is_pending());
        let mut ending = pin!(running.end());
        assert!(futures_util::poll!(ending.as_mut()).is_pending());
        assert!(open.are_many());
        ending.await;
        assert!(!open.are_many());
    }
}
