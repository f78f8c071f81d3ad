//! Long computations on threads of the lowest priority.
//!
//! A hash takes tens of milliseconds of a core. On a thread like any other it would take turns with the streams, and each
//! of its turns would hold them up for some milliseconds. On one of the lowest priority it runs when nobody else wants the
//! core: logins wait, streams do not (iam T7).

use std::thread;

#[cfg(target_os = "linux")]
use thread_priority::NormalThreadSchedulePolicy;
#[cfg(target_os = "linux")]
use thread_priority::ThreadPriority;
#[cfg(target_os = "linux")]
use thread_priority::ThreadSchedulePolicy;
#[cfg(target_os = "linux")]
use thread_priority::set_thread_priority_and_policy;
#[cfg(target_os = "linux")]
use thread_priority::thread_native_id;
use tokio::sync::oneshot;

/// Does `work` on a thread of its own, which ends with it: a thread costs some microseconds, the work a thousand times as
/// much. How many there are at once is the caller's to bound. `None` where there was no thread, or it panicked.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, outcome) = oneshot::channel();
    let run = move || {
        yield_to_all();
        // Who asked may be gone.
        let _unwanted = done.send(work());
    };
    let started = thread::Builder::new().name(NAME.to_owned()).spawn(run);
    if let Err(error) = started {
        tracing::error!(%error, "cannot start a thread to compute a hash");
        return None;
    }
    outcome.await.ok()
}

/// `SCHED_IDLE`: such a thread gives way at once to any that wakes, as one with a nice value does not.
#[cfg(target_os = "linux")]
fn yield_to_all() {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) =
        set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy)
    {
        tracing::debug!(?error, "a hash is computed at the usual priority");
    }
}

/// Elsewhere an ordinary thread may not be less than others.
#[cfg(not(target_os = "linux"))]
fn yield_to_all() {}

/// What the thread is called in lists of threads.
const NAME: &str = "tollgate-hash";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_and_a_panic_is_told() {
        assert_eq!(in_background(|| 6 * 7).await, Some(42));
        assert_eq!(
            in_background(|| -> u8 { panic!("in the work") }).await,
            None
        );
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_has_the_lowest_priority_and_nothing_else_has() {
        let policy = || thread_priority::thread_schedule_policy().unwrap();
        let (usual, idle) = (policy(), NormalThreadSchedulePolicy::Idle);
        let inside = in_background(policy).await;
        assert_eq!(inside, Some(ThreadSchedulePolicy::Normal(idle)));
        assert_eq!(policy(), usual);
    }
}
