//! The TLS side of the listeners: read at start, then again whenever its files, a revocation or time asks for it.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Certificate;
use crate::config::Gateway;
use crate::iam::RevokedCertificates;
use crate::meter;
use crate::pki::Authority;
use crate::pki::ServerIdentity;
use crate::transport::Authorities;
use crate::transport::ClientTrust;
use crate::transport::Tls;

use super::Error;
use super::Reloader;
use super::authorities::read_authorities;
use super::authorities::show_next_update;
use super::reload::Asked;
use super::watched::Watched;

/// Where certificates come from, and the newest state of the TLS side that was made of them.
#[derive(Debug)]
pub(super) struct Certificates {
    authority: Arc<Authority>,
    gateway: Gateway,
    revoked: RevokedCertificates,
    clock: Clock,
    state: State,
    published: watch::Sender<Arc<Tls>>,
    asking: Reloader,
    asked: mpsc::Receiver<Asked>,
    /// What was last complained about, so that it is not told at every look.
    complaint: Option<String>,
}

/// What was read the last time that all was well.
#[derive(Debug)]
struct State {
    identity: ServerIdentity,
    authorities: Authorities,
    trust: ClientTrust,
}

impl Certificates {
    /// Opens the CA of the data directory, or makes it, and the first state.
    pub(super) fn open(
        data_dir: &Path,
        gateway: &Gateway,
        crl_url: Option<&str>,
        revoked: RevokedCertificates,
        clock: Clock,
    ) -> Result<Self, Error> {
        let authority =
            Authority::open_or_create(&data_dir.join(PKI), &clock).map_err(Error::Pki)?;
        if let Some(url) = crl_url {
            authority.publish_lists_at(url);
        }
        let authority = Arc::new(authority);
        let state = State::read(&authority, gateway, &revoked, &clock, None)?;
        let tls = Tls::new(&state.identity, state.trust.clone(), &clock).map_err(Error::Listen)?;
        let (asking, asked) = Reloader::new();
        Ok(Self {
            authority,
            gateway: gateway.clone(),
            revoked,
            clock,
            state,
            published: watch::Sender::new(tls),
            asking,
            asked,
            complaint: None,
        })
    }

    /// The newest state; the listeners follow it.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Tls>> {
        self.published.subscribe()
    }

    /// Our own authority.
    pub(super) fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.authority)
    }

    /// The file of the CA's certificate.
    pub(super) fn ca_file(&self) -> PathBuf {
        self.authority.certificate_file()
    }

    /// A way to ask for a reload.
    pub(super) fn reloader(&self) -> Reloader {
        self.asking.clone()
    }

    /// Keeps the TLS side up to date until cancelled: reads changed files within a second, makes a new state when a
    /// certificate is revoked, so that no session is resumed past it, and renews what ends.
    pub(super) async fn drive(mut self, stop: CancellationToken) {
        let mut files = Watched::new(self.files());
        let mut revocations = self.revoked.subscribe();
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewal_due = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Ok(()) = revocations.changed() => self.publish_anew(),
                Some(asked) = self.asked.recv() => {
                    // Whoever asked may have gone.
                    let _told = asked.send(self.reload());
                }
                _ = ticks.tick() => {
                    let renews = self.clock.now() >= self.state.identity.renew_at()
                        && Instant::now() >= renewal_due;
                    if renews {
                        renewal_due = Instant::now() + RENEWAL_RETRY;
                    }
                    if files.has_changed() || renews {
                        // What is wrong was told by the reload itself.
                        let _told = self.reload();
                    }
                }
            }
        }
    }

    /// Reads everything again. What is wrong is told once, and shows in the metrics until it is right.
    fn reload(&mut self) -> Result<(), Error> {
        let read = self.read_again();
        let failing = meter::gauge(
            FAILING,
            "1 while the newest certificate files cannot be used.",
        );
        let outcome = if read.is_ok() { "success" } else { "failure" };
        meter::labelled_counter(RELOADS, "outcome", outcome).increment(1);
        match &read {
            Ok(()) => {
                self.complaint = None;
                failing.set(0.0);
                tracing::info!(renew_at = %self.state.identity.renew_at(), "certificates read again");
            }
            Err(error) => {
                failing.set(1.0);
                let complaint = format!("{error:?}");
                if self.complaint.as_ref() != Some(&complaint) {
                    self.complaint = Some(complaint);
                    tracing::error!(
                        error = error as &dyn std::error::Error,
                        "certificates not reloaded, the old ones stay in force"
                    );
                }
            }
        }
        read
    }

    fn read_again(&mut self) -> Result<(), Error> {
        let (revoked, clock) = (&self.revoked, &self.clock);
        let known = Some(&self.state);
        let state = State::read(&self.authority, &self.gateway, revoked, clock, known)?;
        let tls = Tls::new(&state.identity, state.trust.clone(), clock).map_err(Error::Listen)?;
        self.state = state;
        self.published.send_replace(tls);
        Ok(())
    }

    /// The same once more, with no session to be resumed.
    fn publish_anew(&self) {
        match Tls::new(&self.state.identity, self.state.trust.clone(), &self.clock) {
            Ok(tls) => drop(self.published.send_replace(tls)),
            // It was made of the same before.
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "tls side not made anew after a revocation"
            ),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let gateway = &self.gateway;
        let own = self.authority.certificate_file();
        // A rollover changes this file, puts others beside it, or moves some into a directory.
        let mut files = vec![own.clone()];
        files.extend(ROLLOVER.iter().map(|name| own.with_file_name(name)));
        if let Certificate::Files { certificate, key } = &gateway.certificate {
            files.extend([certificate.clone(), key.clone()]);
        }
        files.extend(gateway.clients.ca_file.clone());
        files.extend(gateway.clients.crl_file.clone());
        files
    }
}

impl State {
    /// Reads everything. Where the authorities are those that are `known`, so is the trust: connections then need not be
    /// looked at again.
    fn read(
        authority: &Authority,
        gateway: &Gateway,
        revoked: &RevokedCertificates,
        clock: &Clock,
        known: Option<&Self>,
    ) -> Result<Self, Error> {
        authority.reload().map_err(Error::Pki)?;
        let identity = match &gateway.certificate {
            Certificate::Files { certificate, key } => {
                ServerIdentity::from_files(certificate, key, clock)
            }
            Certificate::Own(names) => authority.server_identity(names),
        }
        .map_err(Error::Pki)?;
        // Also one of the operator's: nobody may pass for the gateway with a certificate of our own.
        authority.block(identity.key_hash());
        let authorities = read_authorities(authority.roots(), &gateway.clients)?;
        show_next_update(&authorities);
        let trust = match known {
            Some(known) if known.authorities == authorities => known.trust.clone(),
            _ => ClientTrust::new(&authorities, revoked.clone()).map_err(Error::Listen)?,
        };
        Ok(Self {
            identity,
            authorities,
            trust,
        })
    }
}

const PKI: &str = "pki";

/// What a rollover touches beside the issuer's certificate.
const ROLLOVER: [&str; 2] = ["next.pem", "retired"];

/// Between two looks at the files: a new set is in force within a second.
const LOOK: Duration = Duration::from_millis(500);

/// Certificates are renewed days ahead, so an hour between two attempts is early enough.
const RENEWAL_RETRY: Duration = Duration::from_hours(1);

const RELOADS: &str = "tollgate_tls_reloads_total";
const FAILING: &str = "tollgate_tls_reload_failing";
