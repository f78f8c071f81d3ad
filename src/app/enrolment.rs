//! The certificates' API on the store and the authority of a gateway.

use std::sync::Arc;

use crate::clock::Clock;
use crate::enroll;
use crate::pki::port::Certificates as _;

use super::Error;
use super::Local;
use super::certificate::Certificates;

/// Makes the service, and tells the store what goes with a token.
pub(super) async fn open_enrolment(
    local: &Local,
    certificates: &Certificates,
    config: &enroll::Config,
    clock: &Clock,
) -> Result<enroll::Service, Error> {
    let store = &local.store;
    let cascade = store.set_cascade(config.revoke_with_token).await;
    cascade.map_err(Error::Certificates)?;
    Ok(enroll::Service::new(
        certificates.authority(),
        Arc::new(store.clone()),
        Arc::new(store.clone()),
        &local.identity,
        (config.clone(), clock.clone()),
    ))
}
