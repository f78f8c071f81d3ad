//! Wake-ups that wait for the end of a piece of work.
//!
//! Whoever hands something to a thousand streams wakes a few connections, each many times over. If the first of these
//! wake-ups counts at once, another core runs the connection while most of its streams are still to be served, and it
//! writes to its socket again and again. Gathered, each connection is woken once, when all has been handed over.
//!
//! A task of many parts looks at all of them in each of its turns, although a wake-up is for one of them nearly always:
//! memory that has long left the processor's caches is fetched to learn that nothing has happened. A [`Part`] is looked
//! at when it was woken itself.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Wake;
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// A task whose wake-ups are put off while the thread that wakes it gathers.
#[derive(Debug, Default)]
pub struct Patient {
    task: AtomicWaker,
    /// It is among those that will be woken.
    is_noted: AtomicBool,
}

/// A part of a [`Patient`] task that is polled only when it was woken.
#[derive(Debug)]
pub struct Part {
    state: Arc<PartState>,
    waker: Waker,
}

#[derive(Debug)]
struct PartState {
    is_woken: AtomicBool,
    task: Arc<Patient>,
}

/// Like a [`Part`], but of whatever task polls it.
#[derive(Debug)]
pub struct Sleeper {
    part: Part,
    task: Arc<Patient>,
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

impl Part {
    /// A part of `task` that has not been polled yet.
    pub fn new(task: &Arc<Patient>) -> Self {
        let state = Arc::new(PartState {
            is_woken: AtomicBool::new(true),
            task: Arc::clone(task),
        });
        let waker = Waker::from(Arc::clone(&state));
        Self { state, waker }
    }

    /// Calls `poll` with a waker of the part's own, unless it was pending and has not been woken since.
    pub fn poll<R>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
        let is_woken = &self.state.is_woken;
        // Most turns find it asleep, and need not write to its memory.
        if !is_woken.load(Ordering::Acquire) || !is_woken.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let outcome = poll(&mut Context::from_waker(&self.waker));
        if outcome.is_ready() {
            // There may be more.
            is_woken.store(true, Ordering::Release);
        }
        outcome
    }
}

impl Default for Sleeper {
    fn default() -> Self {
        let task = Arc::default();
        Self {
            part: Part::new(&task),
            task,
        }
    }
}

impl Sleeper {
    /// As [`Part::poll`]. Wakes the task of `cx`.
    pub fn poll<R>(
        &self,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        self.task.register(cx.waker());
        self.part.poll(poll)
    }
}

impl Wake for PartState {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
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
pub(crate) mod tests {
    use std::panic::AssertUnwindSafe;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts the wake-ups of a task.
    #[derive(Debug, Default)]
    pub(crate) struct Count(AtomicUsize);

    impl Count {
        pub(crate) fn get(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A task, and how often it was woken.
    fn task() -> (Arc<Patient>, Arc<Count>) {
        (Arc::default(), Arc::default())
    }

    #[test]
    fn task_is_woken_once_and_after_the_work() {
        let (patient, count) = task();
        patient.register(&Waker::from(Arc::clone(&count)));
        gather(|| {
            gather(|| patient.wake());
            patient.wake();
            assert_eq!(count.get(), 0);
        });
        assert_eq!(count.get(), 1);
        patient.register(&Waker::from(Arc::clone(&count)));
        patient.wake();
        assert_eq!(count.get(), 2, "without gathering, at once");
        patient.register(&Waker::from(Arc::clone(&count)));
        gather(|| patient.wake());
        assert_eq!(count.get(), 3, "it is noted anew each time");
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
        assert_eq!(count.get(), 1);
    }

    #[test]
    fn part_is_polled_when_it_was_woken_and_goes_on_while_it_is_ready() {
        let (patient, count) = task();
        patient.register(&Waker::from(Arc::clone(&count)));
        let part = Part::new(&patient);
        let mut kept = None;
        assert!(part.poll(|_| Poll::Ready(())).is_ready());
        let pending = part.poll(|cx| {
            kept = Some(cx.waker().clone());
            Poll::<()>::Pending
        });
        assert!(pending.is_pending());
        let unwoken = part.poll(|_| -> Poll<()> { panic!("polled although it was not woken") });
        assert!(unwoken.is_pending());
        let waker = kept.unwrap();
        waker.wake_by_ref();
        waker.wake_by_ref();
        assert_eq!(count.get(), 1, "the task is woken once");
        assert!(part.poll(|_| Poll::Ready(())).is_ready());
    }

    #[test]
    fn sleeper_wakes_the_task_that_has_polled_it_last() {
        let (sleeper, first, second) = (Sleeper::default(), Arc::default(), Arc::default());
        let mut kept = None;
        for count in [&first, &second] {
            let waker = Waker::from(Arc::<Count>::clone(count));
            let pending = sleeper.poll(&Context::from_waker(&waker), |cx| {
                kept = Some(cx.waker().clone());
                Poll::<()>::Pending
            });
            assert!(pending.is_pending());
        }
        kept.unwrap().wake();
        assert_eq!((first.get(), second.get()), (0, 1));
        let ready = sleeper.poll(&Context::from_waker(Waker::noop()), |_| Poll::Ready(()));
        assert!(ready.is_ready());
    }

    #[test]
    fn wake_up_while_a_part_is_polled_counts() {
        let (patient, count) = task();
        patient.register(&Waker::from(Arc::clone(&count)));
        let part = Part::new(&patient);
        let pending = part.poll(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(pending.is_pending());
        assert_eq!(count.get(), 1);
        assert!(part.poll(|_| Poll::Ready(())).is_ready());
    }
}
