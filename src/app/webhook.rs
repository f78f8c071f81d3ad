//! Whom to tell of tokens that end.

use std::sync::Arc;

use rustls::ClientConfig;

use crate::clock::Clock;
use crate::transport::Trust;
use crate::webhook::Config;
use crate::webhook::Sender;

use super::Error;

/// The sender of notices.
pub(super) fn open_webhook(config: &Config, clock: Clock) -> Result<Sender, Error> {
    Sender::open(config, trust(config)?, clock).map_err(Error::Webhook)
}

/// Whom it trusts; certificates are read only where there is TLS.
pub(super) fn trust(config: &Config) -> Result<Arc<ClientConfig>, Error> {
    let trust = if config.endpoint.is_encrypted() {
        Trust::from_pem_file(&config.ca_file).map_err(Error::Trust)?
    } else {
        Trust::Roots(Vec::new())
    };
    let tls = trust.client_config(&[b"http/1.1"]).map_err(Error::Trust)?;
    Ok(Arc::new(tls))
}
