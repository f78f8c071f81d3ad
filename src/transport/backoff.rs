//! How long to wait after an accept that failed.

use std::io;
use std::time::Duration;

/// Doubles the wait with each failure in a row. Without it, a process that has used up its file descriptors
/// (EMFILE) would spin: the connection that cannot be accepted stays ready.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// An accept succeeded.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// An accept failed: how long to wait before the next. `None` when the fault was that one connection's.
    pub(super) fn after(&mut self, error: &io::Error) -> Option<Duration> {
        use io::ErrorKind as Kind;
        match error.kind() {
            // Linux passes errors of the network on to accept (accept(2), "Error handling").
            Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::HostUnreachable
            | Kind::Interrupted
            | Kind::NetworkDown
            | Kind::NetworkUnreachable => None,
            _ => {
                let wait = FIRST.saturating_mul(1 << self.failures.min(MAX_DOUBLINGS));
                self.failures = self.failures.saturating_add(1);
                Some(wait.min(LONGEST))
            }
        }
    }

    /// Whether the last failure was the first of its row: the one to log.
    pub(super) const fn is_first(&self) -> bool {
        self.failures == 1
    }
}

/// Long enough for some connection to end, too short for a client to notice.
const FIRST: Duration = Duration::from_millis(10);

/// The listen queue holds some thousand connections meanwhile.
const LONGEST: Duration = Duration::from_secs(1);

const MAX_DOUBLINGS: u32 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_a_second_and_starts_anew() {
        let emfile = io::Error::from_raw_os_error(24);
        let mut backoff = Backoff::default();
        assert_eq!(backoff.after(&emfile), Some(FIRST));
        assert!(backoff.is_first());
        assert_eq!(backoff.after(&emfile), Some(FIRST * 2));
        let last = (0..100).filter_map(|_| backoff.after(&emfile)).last();
        assert_eq!(last, Some(LONGEST));
        assert_eq!(
            backoff.after(&io::ErrorKind::ConnectionAborted.into()),
            None
        );
        backoff.reset();
        assert_eq!(backoff.after(&emfile), Some(FIRST));
    }
}
