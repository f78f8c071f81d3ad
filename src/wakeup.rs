//! Wake-ups that wait for the end of a piece of work.
//!
//! Whoever hands something to a thousand streams wakes a few connections, each many times over. If the first of these
//! wake-ups counts at once, another core runs the connection while most of its streams are still to be served, and it
//! writes to its socket again and again. Gathered, each connection is woken once, when all has been handed over.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// A task whose wake-ups are put off while the thread that wakes it gathers.
#[derive(Debug, Default)]
pub struct Patient {
    task: AtomicWaker,
    /// It is among those that will be woken.
    is_noted: AtomicBool,
}

/// Runs `work`, and then wakes the [`Patient`] tasks that it has woken, each once. Within another call it waits for the
/// end of that. Holds a reference for each task meanwhile.
pub fn gather<R>(work: impl FnOnce() -> R) -> R {
    let is_outermost = NOTED.with_borrow_mut(|noted| {
        let is_outermost = noted.is_none();
        noted.get_or_insert_default();
        is_outermost
    });
    let _ending = is_outermost.then(|| Ending);
    work()
}

impl Patient {
    /// Names the task. Whoever polls does this before, as the task may have moved.
    pub fn register(&self, task: &Waker) {
        self.task.register(task);
    }

    /// Wakes the task, or has it woken when the thread has gathered.
    pub fn wake(self: &Arc<Self>) {
        let is_put_off = NOTED.with_borrow_mut(|noted| match noted {
            Some(noted) => {
                if !self.is_noted.swap(true, Ordering::AcqRel) {
                    noted.push(Arc::clone(self));
                }
                true
            }
            None => false,
        });
        if !is_put_off {
            self.task.wake();
        }
    }
}

/// The end of the outermost [`gather`], also by a panic.
struct Ending;

impl Drop for Ending {
    fn drop(&mut self) {
        for patient in NOTED.take().into_iter().flatten() {
            // Before the wake-up: what is woken after it must be noted again.
            patient.is_noted.store(false, Ordering::Release);
            patient.task.wake();
        }
    }
}

thread_local! {
    /// Who will be woken; `None` while nobody gathers.
    static NOTED: RefCell<Option<Vec<Arc<Patient>>>> = const { RefCell::new(None) };
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A task, and how often it was woken.
    fn task() -> (Arc<Patient>, Arc<Count>) {
        (Arc::default(), Arc::default())
    }

    fn woken(count: &Count) -> usize {
        count.0.load(Ordering::Relaxed)
    }

    #[test]
    fn task_is_woken_once_and_after_the_work() {
        let (patient, count) = task();
        patient.register(&Waker::from(Arc::clone(&count)));
        gather(|| {
            gather(|| patient.wake());
            patient.wake();
            assert_eq!(woken(&count), 0);
        });
        assert_eq!(woken(&count), 1);
        patient.register(&Waker::from(Arc::clone(&count)));
        patient.wake();
        assert_eq!(woken(&count), 2, "without gathering, at once");
        patient.register(&Waker::from(Arc::clone(&count)));
        gather(|| patient.wake());
        assert_eq!(woken(&count), 3, "it is noted anew each time");
    }

    #[test]
    fn panic_of_the_work_keeps_no_task_asleep() {
        let (patient, count) = task();
        patient.register(&Waker::from(Arc::clone(&count)));
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
            gather(|| {
                patient.wake();
                panic!("in the work");
            })
        }));
        assert!(outcome.is_err());
        assert_eq!(woken(&count), 1);
    }
}
