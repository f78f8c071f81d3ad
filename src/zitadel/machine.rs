//! Service users: add, rename.

use serde_json::Value;
use serde_json::json;

use crate::iam::AccountKind;
use crate::iam::NewAccount;
use crate::iam::Roles;

use super::call::Call;
use super::error::Error;
use super::json::Symbol;
use super::message::Machine;
use super::reply::changed;
use super::reply::sequence;

/// B2: a service user, which may do nothing until it is authorized (seed 000, step 4).
pub(super) async fn add(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let message: Machine = call.message().await?;
    let username = required(message.user_name, "userName")?;
    let name = required(message.name, "name")?;
    check_access_token_type(message.access_token_type.as_ref())?;
    if message.user_id.is_some_and(|id| !id.is_empty()) {
        return Err(Error::field("userId", "is given by the gateway"));
    }
    let new = NewAccount {
        name,
        description: message.description.unwrap_or_default(),
        ..NewAccount::machine(tenant.clone(), &username, Roles::default())
    };
    let (account, _) = call
        .accounts()
        .create_account(&call.caller, new, None)
        .await?;
    Ok(json!({
        "userId": account.id.to_string(),
        "details": changed(sequence(&account), account.created, &tenant),
    }))
}

/// B9: another name and description. What is absent becomes empty, as messages have no "unchanged".
pub(super) async fn update(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let id = call.user();
    let message: Machine = call.message().await?;
    let name = required(message.name, "name")?;
    check_access_token_type(message.access_token_type.as_ref())?;
    let description = message.description.unwrap_or_default();
    let id = id?;
    let account = call.accounts().account(&call.caller, &tenant, id).await?;
    if account.kind == AccountKind::Person {
        return Err(Error::precondition("GW-UserType", "user is a person"));
    }
    let renamed = call
        .accounts()
        .rename(&call.caller, &tenant, id, Some(name), Some(description))
        .await?;
    Ok(json!({ "details": changed(sequence(&renamed), renamed.updated, &tenant) }))
}

fn required(text: Option<String>, field: &'static str) -> Result<String, Error> {
    text.filter(|text| !text.trim().is_empty())
        .ok_or(Error::field(field, "is missing"))
}

/// Bearer tokens are what we issue; a key for signed JWTs would be of no use here.
fn check_access_token_type(symbol: Option<&Symbol>) -> Result<(), Error> {
    match Symbol::index(symbol, &ACCESS_TOKEN_TYPES, "accessTokenType")? {
        0 => Ok(()),
        _ => Err(Error::field(
            "accessTokenType",
            "must be ACCESS_TOKEN_TYPE_BEARER",
        )),
    }
}

const ACCESS_TOKEN_TYPES: [&str; 2] = ["ACCESS_TOKEN_TYPE_BEARER", "ACCESS_TOKEN_TYPE_JWT"];
