//! Who is sent the audit trail (iam A6).

use std::sync::Arc;

use crate::audit::Relay;
use crate::clock::Clock;
use crate::store::Store;
use crate::syslog;
use crate::syslog::Syslog;
use crate::transport::Trust;
use crate::webhook::Events;

use super::Error;

/// One outlet's way through the trail. What it is called must stay: under that name its place is kept.
pub(super) async fn relay(name: &'static str, store: &Store, clock: Clock) -> Result<Relay, Error> {
    let mut holder = [0; 8];
    getrandom::fill(&mut holder).map_err(|_| Error::NoRandomness)?;
    let store = Arc::new(store.clone());
    let log = Arc::clone(&store);
    let holder = i64::from_ne_bytes(holder);
    let relay = Relay::new(name, log, store, clock, holder);
    relay.begin().await.map_err(Error::Outlet)?;
    Ok(relay)
}

/// The syslog server; certificates are read only where there is TLS.
pub(super) fn open_syslog(config: &syslog::Config) -> Result<Syslog, Error> {
    let trust = match config.address.transport {
        syslog::Transport::Tls => Trust::from_pem_file(&config.ca_file).map_err(Error::Trust)?,
        syslog::Transport::Tcp | syslog::Transport::Udp => Trust::Roots(Vec::new()),
    };
    let tls = trust.client_config(&[]).map_err(Error::Trust)?;
    // Where the system has no name for itself, the message has none.
    let host = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
    Syslog::new(config.address.clone(), Arc::new(tls), host.trim()).map_err(Error::Syslog)
}

/// The webhook, as far as it takes audit events.
pub(super) fn open_events(config: &crate::webhook::Config, clock: Clock) -> Result<Events, Error> {
    let tls = super::webhook::trust(config)?;
    Events::open(config, tls, clock).map_err(Error::Webhook)
}

const HOST_NAME: &str = "/proc/sys/kernel/hostname";
