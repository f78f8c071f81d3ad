//! A subscriber: its queue, and the handle that its stream holds.

use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use bytes::BytesMut;
use parking_lot::Mutex;

use crate::wire::Encoding;
use crate::wire::frame_sync;

use super::config::Config;
use super::error::Overrun;
use super::item::Batch;
use super::item::Item;
use super::queue::Queue;
use super::queue::Taken;
use super::snapshot::Snapshot;
use super::tenant::Joined;
use super::tenant::Tenant;

/// What the fan-out knows of a subscriber.
#[derive(Debug)]
pub(super) struct Shared {
    /// Unique in the process.
    pub(super) id: u64,
    /// What waits for it.
    pub(super) queue: Mutex<Queue>,
}

impl Shared {
    /// A subscriber for whom nothing waits.
    pub(super) fn new(id: u64, config: &Config) -> Self {
        Self {
            id,
            queue: Mutex::new(Queue::new(config)),
        }
    }

    /// Adds batches to the queue and wakes the stream. Never waits: the queue's lock is held for pushes alone.
    pub(super) fn offer(&self, batches: &[Arc<Batch>], turn: u64) {
        let mut queue = self.queue.lock();
        for batch in batches {
            queue.offer(batch, turn);
        }
        queue.wake();
    }
}

/// One STREAM subscription: what exists, one sync, then what happens. Dropping it ends it.
#[derive(Debug)]
pub struct Subscriber {
    tenant: Arc<Tenant>,
    shared: Arc<Shared>,
    encoding: Encoding,
    /// What existed on joining, until it is sent.
    initial: Option<Snapshot>,
}

impl Subscriber {
    /// Joins a registered subscriber with what existed at that moment.
    pub(super) fn new(tenant: Arc<Tenant>, joined: Joined, encoding: Encoding) -> Self {
        Self {
            tenant,
            shared: joined.shared,
            encoding,
            initial: Some(joined.initial),
        }
    }

    /// The next messages, complete with their gRPC headers, many in one chunk: first all values, then one
    /// sync_response, then changes and samples (gNMI spec 3.5.1.5.2).
    ///
    /// # Errors
    ///
    /// [`Overrun`] when too much waited for too long; nothing follows.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Overrun>> {
        if let Some(initial) = &mut self.initial {
            let next = initial.next_chunk(self.encoding);
            let mut queue = self.shared.queue.lock();
            if let Some(overrun) = queue.overrun() {
                return Poll::Ready(Err(overrun));
            }
            queue.note_read(next.is_some());
            drop(queue);
            return Poll::Ready(Ok(next.unwrap_or_else(|| {
                self.initial = None;
                frame_sync()
            })));
        }
        let taken = self.shared.queue.lock().take(cx.waker());
        match taken {
            Taken::Batch(batch) => Poll::Ready(Ok(batch.chunk(self.encoding))),
            Taken::Items(items) => Poll::Ready(Ok(write_all(&items, self.encoding))),
            Taken::Nothing => Poll::Pending,
            Taken::Overrun(overrun) => Poll::Ready(Err(overrun)),
        }
    }

    /// What others share with this handle: tells tests whether it is gone.
    #[cfg(test)]
    pub(super) fn shared(&self) -> std::sync::Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    /// Distinct leaves that wait to be sent.
    pub fn backlog(&self) -> usize {
        self.shared.queue.lock().len()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.tenant.unsubscribe(self.shared.id);
    }
}

fn write_all(items: &[(Item, u32)], encoding: Encoding) -> Bytes {
    let mut out = BytesMut::with_capacity(items.iter().map(|(item, _)| item.size()).sum());
    for (item, duplicates) in items {
        item.write(encoding, *duplicates, &mut out);
    }
    out.freeze()
}
