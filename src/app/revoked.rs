//! Keeping the set of revoked certificates that handshakes ask.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::iam::RevokedCertificates;
use crate::pki::port::Certificates as _;
use crate::pki::port::CertificatesError;
use crate::store::Store;

/// Takes in what the store has. What is revoked from then on comes by the revocation log.
pub(super) async fn load_revoked(
    store: &Store,
    revoked: &RevokedCertificates,
    clock: &Clock,
) -> Result<(), CertificatesError> {
    let known = revoked.known();
    let stored = store.revoked(None, clock.now()).await?;
    let stored: HashSet<_> = stored.iter().map(|one| one.serial).collect();
    revoked.refresh(&known, &stored);
    Ok(())
}

/// Lets go of those whose time is over, until cancelled.
pub(super) async fn drive_revoked(
    store: Store,
    revoked: RevokedCertificates,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(REFRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first comes at once, and was done at the start.
    ticks.tick().await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // The store has logged what is wrong with it; nothing is lost meanwhile.
        let _refreshed = load_revoked(&store, &revoked, &clock).await;
    }
}

/// Nothing depends on it but some memory.
const REFRESH: Duration = Duration::from_hours(1);
