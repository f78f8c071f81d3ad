//! The TLS side of the gateway's port.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::UnixTime;
use rustls::server::ServerSessionMemoryCache;
use rustls::time_provider::TimeProvider;
use rustls::version::TLS12;
use rustls::version::TLS13;

use crate::clock::Clock;
use crate::pki;
use crate::pki::ServerIdentity;

use super::ClientTrust;
use super::Error;
use super::peer::H2;
use super::peer::HTTP11;

/// One state of the TLS side: who we are, and whom we trust.
///
/// Each has a session store of its own. Swapping the whole is what keeps a session from outliving the certificates
/// that it was made under: a resumed session shows no certificate, so nobody would verify it again.
#[derive(Clone)]
pub struct Tls {
    pub(super) config: Arc<ServerConfig>,
    pub(super) trust: ClientTrust,
    clock: Clock,
}

impl Tls {
    /// TLS 1.3 and 1.2 with this identity. A client may show a certificate, which `trust` then verifies; when it trusts
    /// nobody, none is asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] when the identity cannot be used.
    pub fn new(
        identity: &ServerIdentity,
        trust: ClientTrust,
        clock: &Clock,
    ) -> Result<Arc<Self>, Error> {
        let time: Arc<dyn TimeProvider> = Arc::new(Now(clock.clone()));
        let builder = ServerConfig::builder_with_details(pki::provider(), time)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(Error::Tls)?;
        let builder = match trust.verifier() {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(identity.chain().to_vec(), identity.key())
            .map_err(Error::Tls)?;
        // Strongest first, whatever a client prefers from habit.
        config.ignore_client_order = true;
        config.alpn_protocols = vec![H2.to_vec(), HTTP11.to_vec()];
        // Tickets cost 8 KiB per connection, and resumption saves nothing without client certificates (both measured).
        config.send_tls13_tickets = 0;
        config.session_storage = ServerSessionMemoryCache::new(MAX_TLS12_SESSIONS);
        Ok(Arc::new(Self {
            config: Arc::new(config),
            trust,
            clock: clock.clone(),
        }))
    }

    /// The clock by which certificates are verified.
    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What time certificates are verified at.
    pub(super) fn now(&self) -> UnixTime {
        unix_time(&self.clock)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// Our clock, as the TLS library asks it.
#[derive(Debug)]
struct Now(Clock);

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(&self.0))
    }
}

fn unix_time(clock: &Clock) -> UnixTime {
    let secs = u64::try_from(clock.now().secs()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(secs))
}

/// Sessions that TLS 1.2 clients may resume; the oldest leaves first.
const MAX_TLS12_SESSIONS: usize = 1_024;
