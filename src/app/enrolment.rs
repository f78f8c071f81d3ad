//! The certificates' API on the store and the authority of a gateway.

use std::sync::Arc;

use crate::clock::Clock;
use crate::enroll;
use crate::pki::Authority;
use crate::pki::port::Certificates as _;

use super::Error;
use super::Local;

/// Makes the service, tells the store what goes with a token, and the TLS side what is revoked already.
pub(super) async fn open_enrolment(
    local: &Local,
    authority: Arc<Authority>,
    config: enroll::Config,
    clock: Clock,
) -> Result<enroll::Service, Error> {
    let store = &local.store;
    let cascade = store.set_cascade(config.revoke_with_token).await;
    cascade.map_err(Error::Certificates)?;
    let revoked = store.revoked(None, clock.now()).await;
    let revoked = revoked.map_err(Error::Certificates)?;
    // What is revoked from now on comes through the log, which is followed from before this was read.
    let serials = revoked.iter().map(|one| one.serial);
    local.identity.revoked.add(serials);
    Ok(enroll::Service::new(
        authority,
        Arc::new(store.clone()),
        Arc::new(store.clone()),
        &local.identity,
        (config, clock),
    ))
}
