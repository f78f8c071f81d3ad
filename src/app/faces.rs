//! The faces on the gateway's port, made from the rooms below them.

use crate::accounts;
use crate::clock::Clock;
use crate::config::Settings;
use crate::datastore::Datastore;
use crate::enroll;
use crate::gnmi;
use crate::oauth;
use crate::restconf;
use crate::telemetry::Core;

use super::Error;
use super::Local;
use super::certificate::Certificates;
use super::enrolment::open_enrolment;
use super::issuer;
use super::provisioning::open_datastore;

/// The faces on the gateway's port.
pub(super) struct Faces {
    pub(super) gnmi: gnmi::Service,
    pub(super) accounts: accounts::Service,
    pub(super) oauth: oauth::Service,
    pub(super) restconf: restconf::Service,
    pub(super) enroll: enroll::Service,
    /// What gNMI and RESTCONF provision.
    pub(super) datastore: Datastore,
}

impl Faces {
    /// Makes them over the accounts of `local` and the telemetry of `core`.
    pub(super) async fn open(
        local: &Local,
        certificates: &Certificates,
        core: &Core,
        settings: &Settings,
        clock: &Clock,
    ) -> Result<Self, Error> {
        let identity = &local.identity;
        if let Some(introspection) = settings.introspection.clone() {
            issuer::accept(&identity.authenticator, introspection, clock.clone())?;
        }
        // One datastore, since its readers are told of its writers' changes.
        let datastore = open_datastore(settings.yang_dir.as_deref(), local, clock.clone())?;
        Ok(Self {
            gnmi: gnmi::Service::new(
                core.clone(),
                datastore.clone(),
                identity,
                clock.clone(),
                settings.gnmi.clone(),
            ),
            accounts: accounts::Service::new(identity, settings.accounts),
            oauth: oauth::Service::new(identity, settings.oauth.clone()),
            restconf: restconf::Service::new(
                identity,
                datastore.clone(),
                clock.clone(),
                settings.restconf,
            ),
            datastore,
            enroll: open_enrolment(local, certificates, &settings.enroll, clock).await?,
        })
    }
}
