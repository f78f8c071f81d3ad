//! Streams that are refused, and when their clients are told.
//!
//! A status that overtakes a stream's first message is lost on some clients: to gRPC for Go the stream has then ended
//! already, sending reports `EOF`, and gnmi_cli shows just that. Who is refused is told when the message has come.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The refusals that wait for their clients. Limited, since they hold memory for peers whom nobody knows.
#[derive(Debug)]
pub(super) struct Refusals {
    places: Semaphore,
    patience: Duration,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            places: Semaphore::new(PLACES),
            patience: PATIENCE,
        }
    }
}

impl Refusals {
    /// Waits until the client has sent something or will send nothing, but not for long, and not at all when too many
    /// wait. What was sent is dropped unread.
    pub(super) async fn hear(&self, body: &mut Body) {
        if let Ok(_place) = self.places.try_acquire() {
            drop(timeout(self.patience, body.frame()).await);
        }
    }
}

/// A few KiB each: as much as a connection's worth of streams.
const PLACES: usize = 1_000;

/// Clients send their message right after the headers.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::pin;

    use bytes::Bytes;
    use futures_util::poll;
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tokio::sync::mpsc;

    use super::*;

    /// A body that has what is sent to the other end.
    fn body() -> (mpsc::Sender<Bytes>, Body) {
        let (sender, receiver) = mpsc::channel(1);
        let frames = stream::unfold(receiver, |mut receiver| async {
            let data = receiver.recv().await?;
            Some((Ok::<_, Infallible>(Frame::data(data)), receiver))
        });
        (sender, Body::new(StreamBody::new(frames)))
    }

    #[tokio::test]
    async fn refusal_waits_for_the_clients_message() {
        let (refusals, (sender, mut body)) = (Refusals::default(), body());
        let mut heard = pin!(refusals.hear(&mut body));
        assert!(poll!(heard.as_mut()).is_pending());
        sender.try_send(Bytes::from_static(b"message")).unwrap();
        assert!(poll!(heard.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn client_that_will_send_nothing_is_not_waited_for() {
        let (refusals, (sender, mut body)) = (Refusals::default(), body());
        drop(sender);
        assert!(poll!(pin!(refusals.hear(&mut body))).is_ready());
    }

    #[tokio::test]
    async fn silent_client_is_told_after_a_while() {
        let refusals = Refusals {
            patience: Duration::ZERO,
            ..Refusals::default()
        };
        let (_sender, mut body) = body();
        refusals.hear(&mut body).await;
    }

    #[tokio::test]
    async fn client_is_told_at_once_when_too_many_wait() {
        let refusals = Refusals {
            places: Semaphore::new(1),
            ..Refusals::default()
        };
        let ((_first, mut waiting), (_second, mut body)) = (body(), body());
        let mut first = Box::pin(refusals.hear(&mut waiting));
        assert!(poll!(first.as_mut()).is_pending());
        assert!(poll!(pin!(refusals.hear(&mut body))).is_ready());
        drop(first);
        assert!(poll!(pin!(refusals.hear(&mut body))).is_pending());
    }
}
