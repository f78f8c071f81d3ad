//! What RESTCONF and gNMI provision: YANG modules and the datastore.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::datastore::Verified;
use crate::iam::Accounts;
use crate::iam::Caller;
use crate::meter;
use crate::schema::Schema;
use crate::schema::Source;

use super::Error;
use super::Local;

/// Loads the modules of `folder`, or the program's own, and opens what the store has for them.
///
/// # Errors
///
/// [`Error::Schema`]: the modules cannot be used.
pub fn open_datastore(
    folder: Option<&Path>,
    local: &Local,
    clock: Clock,
) -> Result<Datastore, Error> {
    let source = folder.map_or(Source::Embedded, Source::Folder);
    let schema = Schema::load(source).map_err(Error::Schema)?;
    Ok(Datastore::new(
        Arc::new(schema),
        Arc::new(local.store.clone()),
        clock,
    ))
}

/// Validates once what all tenants have stored against the loaded modules, and says what they refuse. What is refused
/// stays, and is served.
pub(super) async fn verify_stored(
    datastore: Datastore,
    accounts: Accounts,
    clock: Clock,
    stop: CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = verify_all(&datastore, &accounts, &clock) => {}
    }
}

async fn verify_all(datastore: &Datastore, accounts: &Accounts, clock: &Clock) {
    let help = "Stored entries that the loaded YANG modules refused at start-up.";
    let gauge = meter::gauge("tollgate_datastore_invalid_entries", help);
    let start = clock.now();
    let Ok(tenants) = accounts.tenants(&Caller::operator()).await else {
        tracing::warn!("stored entries are not verified: tenants cannot be read");
        return;
    };
    let (mut entries, mut invalid) = (0_usize, 0_u32);
    for tenant in tenants {
        let Ok(verified) = datastore.verify(&tenant.id).await else {
            tracing::warn!(tenant = %tenant.id, "stored entries are not verified");
            continue;
        };
        report(tenant.id.as_str(), &verified);
        entries += verified.entries;
        let found = u32::try_from(verified.invalid).unwrap_or(u32::MAX);
        invalid = invalid.saturating_add(found);
    }
    gauge.set(f64::from(invalid));
    let took = clock.now().since(start);
    tracing::info!(entries, invalid, ?took, "stored entries verified");
}

/// Messages of faults are left out: they may hold values.
fn report(tenant: &str, verified: &Verified) {
    for refused in &verified.faults {
        let (tag, app_tag) = (refused.fault.tag, refused.fault.app_tag.as_deref());
        let entry = refused.entry.as_str();
        tracing::warn!(tenant, entry, ?tag, app_tag, "stored entry is refused");
    }
    let unnamed = verified.invalid - verified.faults.len();
    if unnamed > 0 {
        tracing::warn!(tenant, unnamed, "more stored entries are refused");
    }
}
