//! Organizations, which are our tenants.

use serde_json::Value;
use serde_json::json;

use crate::iam::State;

use super::call::Call;
use super::error::Error;

/// B9: the organization in which the caller works.
pub(super) async fn me(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let tenants = call.accounts().tenants(&call.caller).await?;
    let found = tenants.into_iter().find(|known| known.id == tenant);
    let found = found.ok_or(Error::NotFound("organization"))?;
    Ok(json!({
        "org": {
            "id": found.id.as_str(),
            "details": {
                "sequence": "1",
                "creationDate": found.created.to_string(),
                "changeDate": found.created.to_string(),
                "resourceOwner": found.id.as_str(),
            },
            "state": match found.state {
                State::Active => "ORG_STATE_ACTIVE",
                State::Disabled => "ORG_STATE_INACTIVE",
            },
            "name": found.id.as_str(),
            "primaryDomain": found.id.as_str(),
        },
    }))
}
