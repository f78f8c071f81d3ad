//! The server's certificate: from the operator's files, or from the gateway's own CA and renewed in time.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Certificate;
use crate::config::Gateway;
use crate::model::Timestamp;
use crate::pki;
use crate::pki::Authority;
use crate::pki::ServerIdentity;
use crate::transport::server_config;

use super::Error;

/// Where certificates come from, and the newest TLS configuration made of them.
#[derive(Debug)]
pub(super) struct Certificates {
    authority: Authority,
    source: Certificate,
    client_roots: Vec<CertificateDer<'static>>,
    clock: Clock,
    renew_at: Timestamp,
    published: watch::Sender<Arc<ServerConfig>>,
}

impl Certificates {
    /// Opens the CA of the data directory, or makes it, and the server's first configuration.
    pub(super) fn open(data_dir: &Path, gateway: &Gateway, clock: Clock) -> Result<Self, Error> {
        let authority =
            Authority::open_or_create(&data_dir.join(PKI), &clock).map_err(Error::Pki)?;
        let client_roots = match &gateway.client_ca_file {
            Some(file) => pki::read_certificates(file).map_err(Error::Pki)?,
            None => Vec::new(),
        };
        let identity = identity(&authority, &gateway.certificate, &clock)?;
        let config = server_config(&identity, &client_roots).map_err(Error::Listen)?;
        Ok(Self {
            authority,
            source: gateway.certificate.clone(),
            client_roots,
            clock,
            renew_at: identity.renew_at(),
            published: watch::Sender::new(config),
        })
    }

    /// The newest configuration; the listener follows it.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.published.subscribe()
    }

    /// The file of the CA's certificate.
    pub(super) fn ca_file(&self) -> PathBuf {
        self.authority.certificate_file()
    }

    /// Renews the certificate before it expires, until cancelled. One from files is read again: whoever brings it
    /// renews it in place.
    pub(super) async fn drive_renewal(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if self.clock.now() >= self.renew_at
                && let Err(error) = self.renew()
            {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "certificate not renewed"
                );
            }
        }
    }

    fn renew(&mut self) -> Result<(), Error> {
        let identity = identity(&self.authority, &self.source, &self.clock)?;
        let config = server_config(&identity, &self.client_roots).map_err(Error::Listen)?;
        self.renew_at = identity.renew_at();
        self.published.send_replace(config);
        tracing::info!(renew_at = %self.renew_at, "certificate renewed");
        Ok(())
    }
}

fn identity(
    authority: &Authority,
    source: &Certificate,
    clock: &Clock,
) -> Result<ServerIdentity, Error> {
    match source {
        Certificate::Files { certificate, key } => {
            ServerIdentity::from_files(certificate, key, clock)
        }
        Certificate::Own(names) => authority.server_identity(names),
    }
    .map_err(Error::Pki)
}

const PKI: &str = "pki";

/// Certificates are renewed days ahead, so an hour is early enough.
const LOOK: Duration = Duration::from_hours(1);
