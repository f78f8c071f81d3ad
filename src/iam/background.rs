//! Long computations on threads of the lowest priority.
//!
//! A hash takes tens of milliseconds of a core. On a thread like any other it would take turns with the streams, and each
//! of its turns would hold them up for some milliseconds. On one of the lowest priority it runs when nobody else wants the
//! core: logins wait, streams do not (iam T7).

use std::thread;

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

/// Linux counts a thread among the processes here, so that this is for the calling thread alone.
#[cfg(target_os = "linux")]
fn yield_to_all() {
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST_PRIORITY) {
        tracing::debug!(%error, "a hash is computed at the usual priority");
    }
}

/// Elsewhere the priority is that of the whole process.
#[cfg(not(target_os = "linux"))]
fn yield_to_all() {}

/// What the thread is called in lists of threads.
const NAME: &str = "tollgate-hash";

/// Nice value; a seventieth of an ordinary thread's share of a core that both want.
#[cfg(target_os = "linux")]
const LOWEST_PRIORITY: i32 = 19;

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
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let usual = priority();
        assert_eq!(in_background(priority).await, Some(LOWEST_PRIORITY));
        assert_eq!(priority(), usual);
    }
}
