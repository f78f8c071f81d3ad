//! One running gateway.

use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::Session;
use crate::config::Settings;
use crate::gnmi;
use crate::health::Component;
use crate::health::Metrics;
use crate::health::Readiness;
use crate::health::health_routes;
use crate::health::metrics_routes;
use crate::iam::Identity;
use crate::iam::Reason;
use crate::restconf;
use crate::telemetry::Core;
use crate::transport;
use crate::transport::Security;
use crate::transport::Server;

use super::Error;
use super::Local;
use super::Reloader;
use super::bootstrap::bootstrap;
use super::certificate::Certificates;
use super::drivers::drive_fan_out;
use super::drivers::drive_samples;
use super::faces::Faces;
use super::measurement::start_reflector;
use super::measurement::start_session;
use super::outlets::open_events;
use super::outlets::open_syslog;
use super::outlets::relay;
use super::reload::reload_routes;
use super::revoked::drive_revoked;
use super::revoked::load_revoked;
use super::router::gateway_router;
use super::router::iam_router;
use super::webhook::open_webhook;

/// A gateway that serves. Dropping it does not stop it: [`Gateway::drain`] does.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    iam_address: SocketAddr,
    admin_address: SocketAddr,
    reflector_address: Option<SocketAddr>,
    ca_file: PathBuf,
    reloader: Reloader,
    drain_grace: Duration,
    local: Local,
    core: Core,
    clock: Clock,
    accepting: Component,
    tasks: TaskTracker,
    /// No new connections.
    drain: CancellationToken,
    /// No more work of the gateway's own: measuring, fan-out, following the store.
    stop: CancellationToken,
}

impl Gateway {
    /// Opens everything, then the listeners, and serves.
    ///
    /// # Errors
    ///
    /// [`Error`]: nothing is left running.
    pub async fn start(settings: Settings, clock: Clock) -> Result<Self, Error> {
        // All rooms opened in one future are more than a stack of futures should carry.
        Box::pin(Self::open(settings, clock)).await
    }

    async fn open(settings: Settings, clock: Clock) -> Result<Self, Error> {
        let metrics = Metrics::install();
        let (data_dir, shared) = (&settings.data_dir, settings.shared_store.as_ref());
        let local = Local::open(data_dir, shared, settings.iam.clone(), clock.clone()).await?;
        if let Some(config) = &settings.bootstrap {
            bootstrap(config, data_dir, &local.identity.accounts, &clock).await?;
        }
        let certificates = open_certificates(&settings, &local, &clock).await?;
        let core = Core::new(settings.telemetry.clone());
        let identity = &local.identity;
        let readiness = Readiness::new();
        let accepting = readiness.component("gateway");
        let faces = Faces::open(&local, &certificates, &core, &settings, &clock).await?;
        let iam_router = iam_router(
            identity,
            faces.oauth.clone(),
            clock.clone(),
            readiness.clone(),
        );
        let (gnmi, restconf) = (faces.gnmi.clone(), faces.restconf.clone());
        let router = gateway_router(faces, readiness.clone()).await?;
        let admin_router = health_routes(readiness)
            .merge(metrics_routes(metrics.clone()))
            .merge(reload_routes(certificates.reloader()));

        let listeners = Listeners::open(&settings, &certificates).await?;
        let mut gateway = Self {
            address: listeners.gateway.local_addr(),
            iam_address: listeners.iam.local_addr(),
            admin_address: listeners.admin.local_addr(),
            reflector_address: None,
            ca_file: certificates.ca_file(),
            reloader: certificates.reloader(),
            drain_grace: settings.gateway.drain_grace,
            local,
            core,
            clock,
            accepting,
            tasks: TaskTracker::new(),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        if let Err(error) = gateway.start_beside(settings).await {
            gateway.stop.cancel();
            return Err(error);
        }
        gateway.run(certificates, metrics);
        gateway.follow(gnmi, restconf);
        gateway.serve(listeners.gateway, router, &gateway.drain);
        gateway.serve(listeners.iam, iam_router, &gateway.drain);
        gateway.serve(listeners.admin, admin_router, &gateway.stop);
        gateway.accepting.set_ready();
        tracing::info!(
            address = %gateway.address,
            iam = %gateway.iam_address,
            admin = %gateway.admin_address,
            "serving"
        );
        Ok(gateway)
    }

    /// Where gNMI is served.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the IAM API is served.
    pub const fn iam_address(&self) -> SocketAddr {
        self.iam_address
    }

    /// Where metrics and health are served.
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Where the reflector answers, if there is one.
    pub const fn reflector_address(&self) -> Option<SocketAddr> {
        self.reflector_address
    }

    /// The certificate that clients must trust, when the gateway's own CA issues the server's.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// A way to have the certificates read again.
    pub const fn reloader(&self) -> &Reloader {
        &self.reloader
    }

    /// The accounts that it lets in.
    pub const fn identity(&self) -> &Identity {
        &self.local.identity
    }

    /// The telemetry that it serves.
    pub const fn core(&self) -> &Core {
        &self.core
    }

    /// Starts a measurement session whose reports enter its tenant's tree.
    ///
    /// # Errors
    ///
    /// [`Error::Measure`] when its socket cannot be opened.
    pub async fn measure(&self, session: Session) -> Result<(), Error> {
        let (core, clock) = (self.core.clone(), self.clock.clone());
        start_session(session, core, clock, &self.tasks, self.stop.clone()).await
    }

    /// Accepts nothing new, lets streams go on for the grace period, ends them with UNAVAILABLE, and returns when
    /// everything has ended.
    pub async fn drain(self) {
        tracing::info!(grace = ?self.drain_grace, "draining");
        self.accepting.set_not_ready();
        self.drain.cancel();
        tokio::time::sleep(self.drain_grace).await;
        self.local.identity.registry.shut(Reason::Draining);
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.local.store.close().await;
        tracing::info!("drained");
    }

    /// Hears of what other nodes change and tell.
    fn follow(&self, gnmi: gnmi::Service, restconf: restconf::Service) {
        let follow = gnmi.follow(self.stop.clone());
        self.tasks.spawn(follow);
        self.tasks.spawn(restconf.follow(self.stop.clone()));
    }

    fn serve(&self, server: Server, router: Router, until: &CancellationToken) {
        self.tasks.spawn(server.serve(router, until.clone()));
    }

    /// Starts what the settings ask for beside the listeners.
    async fn start_beside(&mut self, settings: Settings) -> Result<(), Error> {
        if let Some(config) = &settings.webhook {
            let sender = open_webhook(config, self.clock.clone())?;
            let notices = self.local.identity.notices();
            self.tasks.spawn(sender.run(notices, self.stop.clone()));
        }
        self.start_outlets(&settings).await?;
        if let Some(config) = settings.measure.reflector {
            let (clock, stop) = (self.clock.clone(), self.stop.clone());
            let address = start_reflector(config, clock, &self.tasks, stop).await?;
            self.reflector_address = Some(address);
        }
        for session in settings.measure.sessions {
            self.measure(session).await?;
        }
        Ok(())
    }

    /// Starts what sends the audit trail to others.
    async fn start_outlets(&self, settings: &Settings) -> Result<(), Error> {
        let relay = |name| relay(name, &self.local.store, self.clock.clone());
        if let Some(config) = settings.webhook.as_ref().filter(|config| config.audit) {
            let events = open_events(config, self.clock.clone())?;
            let relay = relay("webhook").await?;
            self.tasks.spawn(relay.run(events, self.stop.clone()));
        }
        if let Some(config) = &settings.syslog {
            let syslog = open_syslog(config)?;
            let relay = relay("syslog").await?;
            self.tasks.spawn(relay.run(syslog, self.stop.clone()));
        }
        Ok(())
    }

    /// Starts what runs beside the listeners.
    fn run(&self, certificates: Certificates, metrics: Metrics) {
        let stop = || self.stop.clone();
        let (identity, until) = (self.local.identity.clone(), stop());
        self.tasks.spawn(async move { identity.run(until).await });
        let (store, until) = (self.local.store.clone(), stop());
        self.tasks.spawn(async move { store.listen(until).await });
        self.tasks.spawn(drive_fan_out(self.core.clone(), stop()));
        self.tasks
            .spawn(drive_samples(self.core.clone(), self.clock.clone(), stop()));
        let (store, revoked) = (
            self.local.store.clone(),
            self.local.identity.revoked.clone(),
        );
        self.tasks
            .spawn(drive_revoked(store, revoked, self.clock.clone(), stop()));
        self.tasks.spawn(certificates.drive(stop()));
        self.tasks.spawn(metrics.drive_upkeep(stop()));
    }
}

/// The three listeners, open but not served.
struct Listeners {
    gateway: Server,
    iam: Server,
    admin: Server,
}

impl Listeners {
    async fn open(settings: &Settings, certificates: &Certificates) -> Result<Self, Error> {
        let tls = || Security::Tls(certificates.subscribe());
        let proxies = &settings.gateway.proxies;
        Ok(Self {
            gateway: listen(settings.gateway.transport, tls())
                .await?
                .behind(proxies.clone()),
            iam: listen(settings.gateway.iam, tls())
                .await?
                .behind(proxies.clone()),
            admin: listen(settings.admin, Security::Plain).await?,
        })
    }
}

/// The TLS side, after it is known which certificates are revoked.
async fn open_certificates(
    settings: &Settings,
    local: &Local,
    clock: &Clock,
) -> Result<Certificates, Error> {
    let revoked = local.identity.revoked.clone();
    load_revoked(&local.store, &revoked, clock)
        .await
        .map_err(Error::Revoked)?;
    Certificates::open(
        &settings.data_dir,
        &settings.gateway,
        settings.enroll.crl_url.as_deref(),
        revoked,
        clock.clone(),
    )
}

async fn listen(config: transport::Config, security: Security) -> Result<Server, Error> {
    Server::bind(config, security).await.map_err(Error::Listen)
}
