//! Audit events, a page to a message.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use rustls::ClientConfig;
use serde_json::json;

use crate::audit::Link;
use crate::audit::Sink;
use crate::audit::Undelivered;
use crate::clock::Clock;

use super::Config;
use super::Error;
use super::post::Poster;
use super::sender::TIMEOUT;
use super::signature::Signer;

/// Sends audit events to the web server. Whatever it answers but success, they come again: who is told everything must
/// not lose what it refused while it was set up wrongly.
pub struct Events {
    poster: Poster,
    signer: Signer,
    clock: Clock,
}

impl Events {
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
        })
    }
}

#[async_trait]
impl Sink for Events {
    async fn deliver(&mut self, events: &[Link]) -> Result<(), Undelivered> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(());
        };
        let id = format!("audit-{}-{}", first.seq, last.seq);
        let body = json!({
            "id": id,
            "event": "audit",
            "at": self.clock.now().to_string(),
            "events": events.iter().map(Link::to_members).collect::<Vec<_>>(),
        });
        let body = body.to_string();
        let signature = self.signer.sign(self.clock.now(), &body);
        let sent = self.poster.post(&id, &signature, body, TIMEOUT).await;
        sent.map_err(|error| Undelivered(error.to_string()))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events(to {})", self.poster.endpoint())
    }
}
