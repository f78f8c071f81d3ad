//! The HTTP/2 streams of one connection, run by the connection's own task.
//!
//! A task for each would cost a wake-up of the scheduler per stream and update, and a turn of the connection after nearly
//! every one. Here they are run in turns: whatever wakes a stream wakes the connection, once; its turn runs every stream
//! that is ready, and then sends what all of them have to say. Under load, updates gather while a turn lasts, so that the
//! turns grow and the cost of each update falls. Who wakes many streams does so in [`gather`](crate::wakeup::gather), lest
//! the turn begins after the first.
//!
//! A stream that sends wakes its connection, and h2 wakes the stream when it gives it room, also while that stream asks
//! for it. Both come in the turn that serves them anyway, and make no other.

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
/// Not `FuturesUnordered`, which ends its turn as soon as two futures have woken themselves, as streams that h2 gives room
/// do: every turn would end after the second stream.
pub(super) struct Running {
    streams: Slab<Stream>,
    shared: Arc<Shared>,
    /// What the connection is polled with: `shared` as a waker.
    waker: Waker,
}

/// Takes new streams of one connection, and counts those that are open.
#[derive(Clone)]
pub(super) struct Starter {
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
    ready: Mutex<Ready>,
}

/// Who wants to be polled.
#[derive(Default)]
struct Ready {
    /// Streams, each once.
    places: Vec<Arc<Place>>,
    /// A turn serves its streams: it sees which become ready meanwhile, and polls the connection after them.
    is_served: bool,
    /// After the end, the wakers that are left do nothing.
    is_over: bool,
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
        let shared = Arc::new(Shared {
            task: Arc::default(),
            started: Mutex::default(),
            ready: Mutex::default(),
        });
        Self {
            // Most connections have one, and there are many of them.
            streams: Slab::with_capacity(1),
            waker: Waker::from(Arc::clone(&shared)),
            shared,
        }
    }

    /// What hands new streams over to this value.
    pub(super) fn starter(&self, open: Streams) -> Starter {
        Starter {
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
        self.shared.ready.lock().is_served = true;
        if self.poll_ready() {
            // Streams that have asked for room, and got it, are ready again, and their memory is still at hand.
            self.poll_ready();
        }
        // A second time for what new streams say at once. Those that come with it wait for the next turn to be heard, as
        // a peer that opens streams without end must not keep the thread.
        for _ in 0..2 {
            self.shared.leave_streams();
            let ended = connection
                .as_mut()
                .poll(&mut Context::from_waker(&self.waker));
            let started = std::mem::take(&mut *self.shared.started.lock());
            if ended.is_ready() || started.is_empty() {
                return ended;
            }
            self.shared.ready.lock().is_served = true;
            for future in started {
                let key = self.insert(future);
                self.poll_stream(key);
            }
        }
        self.shared.leave_streams();
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

    /// One round of the streams that are ready. False when a turn does not take them all.
    fn poll_ready(&mut self) -> bool {
        let mut ready = std::mem::take(&mut self.shared.ready.lock().places);
        let rest = ready.split_off(ready.len().min(STREAMS_IN_A_ROW));
        for place in ready {
            // Before the stream's turn: a wake-up during it must count.
            place.is_ready.store(false, Ordering::Release);
            self.poll_stream(place.key);
        }
        let is_all = rest.is_empty();
        if !is_all {
            self.shared.ready.lock().places.splice(..0, rest);
        }
        is_all
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

impl Shared {
    /// The turn goes on to the connection. Streams that are still ready have another.
    fn leave_streams(&self) {
        let mut ready = self.ready.lock();
        ready.is_served = false;
        let is_ready = !ready.places.is_empty();
        drop(ready);
        if is_ready {
            self.task.wake();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Streams that are ready or new, and what they are kept in, would hold each other for ever.
        let mut ready = self.shared.ready.lock();
        ready.is_over = true;
        let places = std::mem::take(&mut ready.places);
        drop(ready);
        drop(places);
        let started = std::mem::take(&mut *self.shared.started.lock());
        drop(started);
    }
}

impl Starter {
    /// Adds a stream, which has its first turn soon.
    pub(super) fn start(&self, stream: impl Future<Output = ()> + Send + 'static) {
        let open = self.open.open();
        // A panic, which the hook reports, ends its stream and not its neighbours'. Not an async block: that would keep
        // the room of what it awaits twice.
        let stream = AssertUnwindSafe(stream).catch_unwind();
        let stream = stream.map(move |_ended| drop(open));
        self.shared.started.lock().push(Box::pin(stream));
    }
}

/// Wakes the connection.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let is_next = self.ready.lock().is_served;
        if !is_next {
            self.task.wake();
        }
    }
}

/// Wakes a stream.
impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_ready.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut ready = self.shared.ready.lock();
        if ready.is_over {
            return;
        }
        ready.places.push(Arc::clone(self));
        let is_first = ready.places.len() == 1 && !ready.is_served;
        drop(ready);
        if is_first {
            self.shared.task.wake();
        }
    }
}

/// A turn of so many streams fills a TLS record or two. When a connection fails, all of its streams learn of it at once,
/// and each takes some microseconds to end.
pub(super) const STREAMS_IN_A_ROW: usize = 128;

/// To end a stream takes some microseconds: it leaves the core, and the account's sessions.
pub(super) const ENDED_IN_A_ROW: usize = 32;
