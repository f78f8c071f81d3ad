//! The few tasks that give the synchronous telemetry core its time.

use std::sync::Arc;
use std::task::Wake;
use std::task::Waker;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::telemetry::Core;

/// Hands written changes to their subscribers until cancelled. Runs when a write wakes it; while it works, the next
/// changes pile up, so batches grow with the load and the delay stays small without it.
pub(super) async fn drive_fan_out(core: Core, stop: CancellationToken) {
    let written = Arc::new(Signal(Notify::new()));
    core.set_pump_waker(Waker::from(Arc::clone(&written)));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = written.0.notified() => {}
        }
        while core.pump() {
            // The streams get a turn to send what they were handed.
            tokio::task::yield_now().await;
        }
    }
}

/// Makes samples and heartbeats due until cancelled: one timer for all subscribers of the process.
pub(super) async fn drive_samples(core: Core, clock: Clock, stop: CancellationToken) {
    let earlier = Arc::new(Signal(Notify::new()));
    core.set_tick_waker(Waker::from(Arc::clone(&earlier)));
    loop {
        let now = clock.now();
        let due = core.tick(now);
        let wait = due.map_or(IDLE_TICK, |due| {
            due.since(now).clamp(SHORTEST_TICK, IDLE_TICK)
        });
        tokio::select! {
            () = stop.cancelled() => return,
            () = earlier.0.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Wakes a driver out of its wait.
#[derive(Debug)]
struct Signal(Notify);

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// With nothing to sample, the tick still looks for stalled subscribers.
const IDLE_TICK: Duration = Duration::from_secs(1);

/// The tick's own resolution: a tenth of the shortest sample interval.
const SHORTEST_TICK: Duration = Duration::from_millis(10);
