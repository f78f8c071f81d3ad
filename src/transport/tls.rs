//! The TLS side of the gateway's port.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::server::ServerSessionMemoryCache;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS12;
use rustls::version::TLS13;

use crate::pki;
use crate::pki::ServerIdentity;

use super::Error;
use super::peer::H2;
use super::peer::HTTP11;

/// A TLS 1.3 and 1.2 server configuration with this identity.
///
/// With `client_roots`, a client may show a certificate, which is then verified against them; without, none is
/// asked for. Each configuration has a session store of its own: swapping the whole configuration is what keeps a
/// session from outliving the certificates it was made under.
///
/// # Errors
///
/// [`Error::Tls`] or [`Error::Verifier`] when identity or roots cannot be used.
pub fn server_config(
    identity: &ServerIdentity,
    client_roots: &[CertificateDer<'static>],
) -> Result<Arc<ServerConfig>, Error> {
    let provider = pki::provider();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(Error::Tls)?;
    let builder = if client_roots.is_empty() {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        for root in client_roots {
            roots.add(root.clone()).map_err(Error::Tls)?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(Error::Verifier)?;
        builder.with_client_cert_verifier(verifier)
    };
    let mut config = builder
        .with_single_cert(identity.chain().to_vec(), identity.key())
        .map_err(Error::Tls)?;
    config.alpn_protocols = vec![H2.to_vec(), HTTP11.to_vec()];
    // Resumption saves nothing without client certificates, tickets cost 8 KiB per connection (both measured).
    config.send_tls13_tickets = 0;
    config.session_storage = ServerSessionMemoryCache::new(MAX_TLS12_SESSIONS);
    Ok(Arc::new(config))
}

/// Sessions that TLS 1.2 clients may resume; the oldest leaves first.
const MAX_TLS12_SESSIONS: usize = 1_024;
