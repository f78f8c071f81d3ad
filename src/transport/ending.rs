//! What ends a connection, other than its HTTP.

use std::pin::Pin;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::future::OptionFuture;
use tokio::time::Sleep;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::opening::Opening;

/// Why a connection shall end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The server drains. What is under way may finish.
    Drain,
    /// The peer's certificate does not count any more. [`Ending::Cut`] follows.
    Lost,
    /// The peer has not begun to ask for anything.
    Silence,
    /// It was told to end, and has had time to.
    Cut,
}

/// Waits for what ends one connection.
pub(super) struct Endings {
    drain: CancellationToken,
    is_draining: bool,
    lost: BoxFuture<'static, ()>,
    opening: Opening,
    /// Until when the connection must be open. On the heap, which has it back after that.
    deadline: Option<Pin<Box<Sleep>>>,
    cut: Option<Pin<Box<Sleep>>>,
}

impl Endings {
    /// Of a connection that begins now, and must be open after `deadline`. `lost` is for the peer's certificate.
    pub(super) fn new(
        drain: CancellationToken,
        lost: BoxFuture<'static, ()>,
        opening: Opening,
        deadline: Duration,
    ) -> Self {
        Self {
            drain,
            is_draining: false,
            lost,
            opening,
            deadline: Some(Box::pin(sleep(deadline))),
            cut: None,
        }
    }

    /// Waits for the next reason, each of which comes once.
    ///
    /// # Cancel safety
    ///
    /// No reason is lost with a future that is dropped.
    pub(super) async fn next(&mut self) -> Ending {
        loop {
            tokio::select! {
                biased;
                () = self.drain.cancelled(), if !self.is_draining => {
                    self.is_draining = true;
                    return Ending::Drain;
                }
                () = self.lost.as_mut(), if self.cut.is_none() => {
                    self.cut();
                    return Ending::Lost;
                }
                Some(()) = OptionFuture::from(self.cut.as_mut()) => return Ending::Cut,
                Some(()) = OptionFuture::from(self.deadline.as_mut()) => {
                    self.deadline = None;
                    if !self.opening.is_done() {
                        return Ending::Silence;
                    }
                }
            }
        }
    }

    /// From now on there is a little time. [`Ending::Cut`] follows.
    pub(super) fn cut(&mut self) {
        self.cut.get_or_insert_with(|| Box::pin(sleep(CUT_GRACE)));
    }
}

/// From the loss of a certificate, or the beginning of a flood, to the end of the connection: streams have been ended
/// with a status, or GOAWAY was sent, which must still get through.
const CUT_GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::future::ready;

    use futures_util::FutureExt as _;

    use super::*;

    fn endings(lost: BoxFuture<'static, ()>, deadline: Duration) -> Endings {
        Endings::new(CancellationToken::new(), lost, Opening::default(), deadline)
    }

    #[tokio::test]
    async fn each_reason_is_told_once_and_a_loss_begins_the_grace() {
        let mut endings = endings(Box::pin(ready(())), Duration::ZERO);
        endings.opening.finish();
        assert_eq!(endings.next().await, Ending::Lost);
        endings.drain.cancel();
        assert_eq!(endings.next().await, Ending::Drain);
        assert!(endings.next().now_or_never().is_none());
        endings.cut = Some(Box::pin(sleep(Duration::ZERO)));
        assert_eq!(endings.next().await, Ending::Cut);
    }

    #[tokio::test]
    async fn silence_ends_a_connection_that_has_not_opened() {
        let mut silent = endings(Box::pin(pending()), Duration::ZERO);
        assert_eq!(silent.next().await, Ending::Silence);
        let mut open = endings(Box::pin(pending()), Duration::ZERO);
        open.opening.finish();
        while open.deadline.is_some() {
            assert!(open.next().now_or_never().is_none(), "it may be silent");
            tokio::task::yield_now().await;
        }
    }
}
