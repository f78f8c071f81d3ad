//! `admin tenant`.

use serde_json::Value;
use serde_json::json;

use crate::iam::State;
use crate::iam::TenantRecord;
use crate::model::TenantId;

use super::args::Tenant;
use super::error::AdminError;
use super::run::Desk;

/// Does what the verb says.
pub(super) async fn run(desk: &Desk, verb: Tenant) -> Result<Value, AdminError> {
    let Desk {
        accounts, caller, ..
    } = desk;
    match verb {
        Tenant::Create { name } => Ok(view(&accounts.create_tenant(caller, &name).await?)),
        Tenant::Disable { name } => set_state(desk, &name, State::Disabled).await,
        Tenant::Enable { name } => set_state(desk, &name, State::Active).await,
        Tenant::List => Ok(accounts.tenants(caller).await?.iter().map(view).collect()),
    }
}

async fn set_state(desk: &Desk, name: &str, state: State) -> Result<Value, AdminError> {
    let tenant = TenantId::new(name);
    desk.accounts
        .set_tenant_state(&desk.caller, &tenant, state)
        .await?;
    Ok(json!({ "tenant": name, "state": state.as_str() }))
}

fn view(tenant: &TenantRecord) -> Value {
    json!({
        "tenant": tenant.id.as_str(),
        "state": tenant.state.as_str(),
        "created": tenant.created.to_string(),
    })
}
