//! The turns of a connection's streams.

use std::collections::HashMap;
use std::future::pending;
use std::future::poll_fn;
use std::pin::Pin;
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;

use parking_lot::Mutex;

use crate::transport::cork::Streams;
use crate::transport::streams::ENDED_IN_A_ROW;
use crate::transport::streams::Running;
use crate::transport::streams::STREAMS_IN_A_ROW;
use crate::wakeup::tests::Count;

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
    let starter = running.starter(Streams::default());
    let (mut starts, noted) = (vec![noting(&log, "stream")], Arc::clone(&log));
    let mut connection = pin!(poll_fn(|_| {
        noted.lock().push("connection");
        starts.drain(..).for_each(|stream| starter.start(stream));
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
    let starter = running.starter(Streams::default());
    let mut connection = pin!(poll_fn(|_| {
        starter.start(noting(&log, "stream"));
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
    let starter = running.starter(Streams::default());
    let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
    for name in ["a", "b"] {
        let (log, wakers) = (Arc::clone(&log), Arc::clone(&wakers));
        starter.start(poll_fn(move |cx| {
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

/// What h2 does when a stream sends: it wakes the connection, and the stream when it gives it room.
#[test]
fn wake_ups_that_the_turn_itself_serves_make_no_other() {
    let (mut running, log) = (Running::new(), Log::default());
    let starter = running.starter(Streams::default());
    let wakers: Arc<Mutex<HashMap<&str, Waker>>> = Arc::default();
    let (noted, kept) = (Arc::clone(&log), Arc::clone(&wakers));
    let mut sends = [false, true, false].into_iter();
    starter.start(poll_fn(move |cx| {
        noted.lock().push("stream");
        if sends.next() == Some(true) {
            kept.lock().values().for_each(Waker::wake_by_ref);
        }
        kept.lock().insert("stream", cx.waker().clone());
        Poll::<()>::Pending
    }));
    let mut http = pin!(poll_fn(|cx| {
        log.lock().push("connection");
        wakers.lock().insert("connection", cx.waker().clone());
        Poll::<()>::Pending
    }));
    let turns = Arc::new(Count::default());
    let task = Waker::from(Arc::clone(&turns));
    let mut turn = || running.poll_turn(http.as_mut(), &mut Context::from_waker(&task));
    assert!(turn().is_pending());
    assert_eq!(*log.lock(), ["connection", "stream", "connection"]);
    log.lock().clear();
    wakers.lock()["stream"].wake_by_ref();
    assert_eq!(turns.get(), 1, "the stream wakes the task");
    assert!(turn().is_pending());
    assert_eq!(*log.lock(), ["stream", "stream", "connection"]);
    assert_eq!(turns.get(), 1, "nothing is left for another turn");
    wakers.lock()["connection"].wake_by_ref();
    assert_eq!(turns.get(), 2, "between turns, it counts");
}

#[test]
fn stream_that_wakes_itself_again_and_again_has_its_turns() {
    let mut running = Running::new();
    let starter = running.starter(Streams::default());
    starter.start(poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    let turns = Arc::new(Count::default());
    let task = Waker::from(Arc::clone(&turns));
    let mut http = pin!(pending::<()>());
    for turn in 1..4 {
        let mut cx = Context::from_waker(&task);
        assert!(running.poll_turn(http.as_mut(), &mut cx).is_pending());
        assert_eq!(turns.get(), turn, "each turn asks for the next");
    }
}

#[test]
fn more_streams_than_a_turn_takes_have_the_next_in_their_order() {
    let (mut running, log) = (Running::new(), Arc::new(Mutex::new(Vec::new())));
    let starter = running.starter(Streams::default());
    let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
    for number in 0..=2 * STREAMS_IN_A_ROW {
        let (log, wakers) = (Arc::clone(&log), Arc::clone(&wakers));
        starter.start(poll_fn(move |cx| {
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
    let starter = running.starter(open.clone());
    starter.start(async { panic!("in one stream") });
    starter.start(noting(&log, "neighbour"));
    starter.start(pending::<()>());
    assert!(turn(&mut running, pin!(pending::<()>())).is_pending());
    assert_eq!(*log.lock(), ["neighbour"]);
    assert!(open.are_many());
    drop(running);
    assert!(!open.are_many(), "streams end with their connection");
}

#[tokio::test]
async fn many_streams_end_in_several_turns() {
    let (mut running, open) = (Running::new(), Streams::default());
    let starter = running.starter(open.clone());
    for _ in 0..2 * ENDED_IN_A_ROW {
        starter.start(pending::<()>());
    }
    assert!(turn(&mut running, pin!(pending::<()>())).is_pending());
    let mut ending = pin!(running.end());
    assert!(futures_util::poll!(ending.as_mut()).is_pending());
    assert!(open.are_many());
    ending.await;
    assert!(!open.are_many());
}
