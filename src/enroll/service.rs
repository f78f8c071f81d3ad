//! What the handlers share.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::audit::Log;
use crate::clock::Clock;
use crate::iam::Accounts;
use crate::iam::Authenticator;
use crate::iam::Identity;
use crate::iam::RevokedCertificates;
use crate::meter;
use crate::pki::Authority;
use crate::pki::port::Certificates;

use super::Config;
use super::lists::Lists;
use super::throttle::Throttle;

/// The certificates' API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Service(pub(super) Arc<Inner>);

/// The one there is.
#[derive(Debug)]
pub struct Inner {
    pub(super) authority: Arc<Authority>,
    pub(super) certificates: Arc<dyn Certificates>,
    pub(super) log: Arc<dyn Log>,
    pub(super) authenticator: Authenticator,
    pub(super) accounts: Accounts,
    pub(super) revoked: RevokedCertificates,
    pub(super) clock: Clock,
    pub(super) config: Config,
    pub(super) throttle: Throttle,
    pub(super) lists: Lists,
    /// Whoever checks or signs holds it: one at a time, so that a flood takes one processor at most and streams go on.
    pub(super) signer: Semaphore,
}

impl Service {
    /// The API over this authority and these accounts. `certificates` and `log` may be one store.
    pub fn new(
        authority: Arc<Authority>,
        certificates: Arc<dyn Certificates>,
        log: Arc<dyn Log>,
        identity: &Identity,
        (config, clock): (Config, Clock),
    ) -> Self {
        Self(Arc::new(Inner {
            throttle: Throttle::new(&config, &clock),
            lists: Lists::new(),
            authority,
            certificates,
            log,
            authenticator: identity.authenticator.clone(),
            accounts: identity.accounts.clone(),
            revoked: identity.revoked.clone(),
            clock,
            config,
            signer: Semaphore::new(1),
        }))
    }
}

impl std::ops::Deref for Service {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Counts a decision.
pub(super) fn count(outcome: &'static str) {
    meter::labelled_counter(DECISIONS, "outcome", outcome).increment(1);
}

/// Requests for certificates, by outcome: `issued`, `repeated`, `refused`, `throttled`.
const DECISIONS: &str = "tollgate_certificate_requests_total";
