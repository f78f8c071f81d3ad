//! Delivery: one notice after the other, each a few times.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::iam::Notice;
use crate::meter;
use crate::meter::Counter;

use super::Config;
use super::Error;
use super::message;
use super::post::PostError;
use super::post::Poster;
use super::signature::Signer;

/// Sends notices to one web server.
pub struct Sender {
    poster: Poster,
    signer: Signer,
    clock: Clock,
    pub(super) pace: Pace,
    meters: Meters,
}

/// How long to try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// For one attempt.
    pub(super) timeout: Duration,
    /// Before the second attempt; before each further one, [`FACTOR`] times as long.
    pub(super) pause: Duration,
}

struct Meters {
    delivered: Counter,
    dropped: Counter,
    failed: Counter,
}

impl Sender {
    /// To the server that `config` names, trusting it as `tls` says.
    ///
    /// # Errors
    ///
    /// [`Error`]: the secret cannot be used, or the host cannot have a certificate.
    pub fn open(config: &Config, tls: Arc<ClientConfig>, clock: Clock) -> Result<Self, Error> {
        Ok(Self {
            poster: Poster::new(config.endpoint.clone(), tls)?,
            signer: Signer::from_file(&config.secret_file)?,
            clock,
            pace: Pace {
                timeout: TIMEOUT,
                pause: PAUSE,
            },
            meters: Meters::new(),
        })
    }

    /// Delivers what comes until `stop`. While a server does not answer, notices wait in their queue; the oldest of too
    /// many are lost, and counted.
    pub async fn run(self, mut notices: Receiver<Notice>, stop: CancellationToken) {
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => return,
                next = notices.recv() => next,
            };
            match next {
                Ok(notice) => tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.deliver(&notice) => {}
                },
                Err(RecvError::Lagged(lost)) => {
                    self.meters.dropped.increment(lost);
                    tracing::warn!(lost, "webhook is too slow, notices are lost");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn deliver(&self, notice: &Notice) {
        let (id, body) = (message::id(notice), message::body(notice));
        let mut pause = self.pace.pause;
        for attempt in 1..=ATTEMPTS {
            let signature = self.signer.sign(self.clock.now(), &body);
            let sent = self
                .poster
                .post(&id, &signature, body.clone(), self.pace.timeout);
            let Err(error) = sent.await else {
                self.meters.delivered.increment(1);
                return;
            };
            self.meters.failed.increment(1);
            if attempt == ATTEMPTS || !error.is_passing() {
                self.give_up(&id, &error);
                return;
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(FACTOR);
        }
    }

    fn give_up(&self, id: &str, error: &PostError) {
        self.meters.dropped.increment(1);
        let endpoint = self.poster.endpoint();
        tracing::warn!(%endpoint, id, %error, "webhook does not take a notice");
    }
}

impl Meters {
    fn new() -> Self {
        Self {
            delivered: meter::counter(
                "tollgate_webhook_delivered_total",
                "Notices that the webhook has taken.",
            ),
            dropped: meter::counter(
                "tollgate_webhook_dropped_total",
                "Notices that the webhook was not told of: it did not take them, or was too slow.",
            ),
            failed: meter::counter(
                "tollgate_webhook_failed_attempts_total",
                "Attempts to deliver a notice that failed.",
            ),
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender(to {})", self.poster.endpoint())
    }
}

/// For one notice. With the pauses between them, four minutes: a restart of the server.
pub(super) const ATTEMPTS: u32 = 5;

const FACTOR: u32 = 5;

/// Before the second attempt: a hiccup.
const PAUSE: Duration = Duration::from_millis(1_500);

/// For one attempt: no web server that works takes longer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
