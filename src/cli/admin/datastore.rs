//! `admin datastore`.

use serde_json::Value;
use serde_json::json;

use crate::datastore::Datastore;
use crate::datastore::Refused;

use super::args::DatastoreVerb;
use super::error::AdminError;
use super::run::Desk;

/// Does what the verb says.
pub(super) async fn run(
    desk: &Desk,
    datastore: &Datastore,
    verb: DatastoreVerb,
) -> Result<Value, AdminError> {
    match verb {
        DatastoreVerb::Verify => verify(desk, datastore).await,
    }
}

/// What the modules refuse is the error's, and printed like an answer.
async fn verify(desk: &Desk, datastore: &Datastore) -> Result<Value, AdminError> {
    let (mut rows, mut entries, mut invalid) = (Vec::new(), 0, 0);
    let tenants = desk.accounts.tenants(&desk.caller).await?;
    for tenant in &tenants {
        let verified = datastore.verify(&tenant.id).await?;
        entries += verified.entries;
        invalid += verified.invalid;
        let refused = verified.faults.iter();
        rows.extend(refused.map(|refused| row(tenant.id.as_str(), refused)));
    }
    if invalid > 0 {
        let rows = Value::Array(rows);
        return Err(AdminError::Refused {
            rows,
            entries,
            invalid,
        });
    }
    Ok(json!({
        "state": "the modules take all that is stored",
        "tenants": tenants.len(),
        "entries": entries,
    }))
}

fn row(tenant: &str, refused: &Refused) -> Value {
    let fault = &refused.fault;
    json!({
        "tenant": tenant,
        "entry": refused.entry,
        "error": fault.tag.as_str(),
        "app-tag": fault.app_tag,
        "path": fault.path,
        "message": fault.message,
    })
}
