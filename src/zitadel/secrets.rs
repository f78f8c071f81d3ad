//! Client secrets of service users, for the token endpoint.

use serde_json::Value;
use serde_json::json;

use crate::iam::AccountKind;

use super::call::Call;
use super::error::Error;
use super::reply::changed;
use super::reply::sequence;

/// A new secret, shown this once. It takes the place of an older one at once.
pub(super) async fn set(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let id = call.user()?;
    let account = call.accounts().account(&call.caller, &tenant, id).await?;
    if account.kind == AccountKind::Person {
        return Err(Error::precondition("GW-UserType", "user is a person"));
    }
    let (account, issued) = call
        .accounts()
        .set_secret(&call.caller, &tenant, id)
        .await?;
    Ok(json!({
        "clientId": account.username,
        "clientSecret": issued.token.expose(),
        "details": changed(sequence(&account), account.updated, &tenant),
    }))
}

/// No secret any more.
pub(super) async fn remove(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let account = call
        .accounts()
        .remove_secret(&call.caller, &tenant, call.user()?)
        .await?;
    Ok(json!({ "details": changed(sequence(&account), account.updated, &tenant) }))
}
