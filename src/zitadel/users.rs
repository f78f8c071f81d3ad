//! Users of both kinds: who am I, look up, deactivate, delete.

use serde_json::Value;
use serde_json::json;

use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::State;
use crate::iam::port::PAGE_LIMIT;
use crate::iam::port::Page;
use crate::model::TenantId;

use super::call::Call;
use super::call::Purpose;
use super::error::Error;
use super::reply::account_details;
use super::reply::changed;
use super::reply::sequence;

/// B1: the caller itself, whatever its rights.
pub(super) async fn me(call: Call) -> Result<Value, Error> {
    let principal = &call.principal;
    let account = call
        .accounts()
        .account(&call.caller, &principal.tenant, principal.account)
        .await?;
    Ok(json!({ "user": user(&account) }))
}

/// B9: one user.
pub(super) async fn get(call: Call) -> Result<Value, Error> {
    let tenant = call.manage_or_own(Purpose::Read).await?;
    let account = call
        .accounts()
        .account(&call.caller, &tenant, call.user()?)
        .await?;
    Ok(json!({ "user": user(&account) }))
}

/// B9: the user is refused, its tokens with it, until it is reactivated.
pub(super) async fn deactivate(call: Call) -> Result<Value, Error> {
    set_state(&call, State::Disabled).await
}

/// B9: lets a user in again.
pub(super) async fn reactivate(call: Call) -> Result<Value, Error> {
    set_state(&call, State::Active).await
}

/// B9: the user goes for good, and its tokens with it.
pub(super) async fn remove(call: Call) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let (account, _) = call
        .accounts()
        .delete(&call.caller, &tenant, call.user()?)
        .await?;
    let details = changed(sequence(&account).saturating_add(1), call.now(), &tenant);
    Ok(json!({ "details": details }))
}

/// All accounts of the tenant, by user name.
pub(super) async fn all_accounts(
    call: &Call,
    tenant: &TenantId,
) -> Result<Vec<AccountRecord>, Error> {
    let mut page = Page::first();
    let mut all: Vec<AccountRecord> = Vec::new();
    loop {
        let part = call
            .accounts()
            .accounts(&call.caller, tenant, &page)
            .await?;
        let is_last = part.len() < usize::try_from(PAGE_LIMIT).unwrap_or(usize::MAX);
        all.extend(part);
        match all.last() {
            Some(last) if !is_last && all.len() < MOST_ACCOUNTS => {
                page.after.clone_from(&last.username);
            }
            _ => return Ok(all),
        }
    }
}

/// `USER_STATE_…`.
pub(super) const fn state(account: &AccountRecord) -> &'static str {
    match account.state {
        State::Active => "USER_STATE_ACTIVE",
        State::Disabled => "USER_STATE_INACTIVE",
    }
}

/// `TYPE_…`.
pub(super) const fn kind(account: &AccountRecord) -> &'static str {
    match account.kind {
        AccountKind::Machine => "TYPE_MACHINE",
        AccountKind::Person => "TYPE_HUMAN",
    }
}

/// The name that is unique across tenants.
pub(super) fn login_name(account: &AccountRecord) -> String {
    let suffix = format!("@{}", account.tenant);
    if account.username.ends_with(&suffix) {
        account.username.clone()
    } else {
        account.username.clone() + &suffix
    }
}

/// `User`.
pub(super) fn user(account: &AccountRecord) -> Value {
    let login_name = login_name(account);
    let mut user = json!({
        "id": account.id.to_string(),
        "details": account_details(account),
        "state": state(account),
        "userName": account.username,
        "loginNames": [login_name],
        "preferredLoginName": login_name,
    });
    let (member, value) = match account.kind {
        AccountKind::Person => ("human", human(account)),
        // The access token type is BEARER, which is the enumeration's zero.
        AccountKind::Machine => (
            "machine",
            json!({
                "name": account.name,
                "description": account.description,
                "hasSecret": account.has_secret,
            }),
        ),
    };
    if let Some(members) = user.as_object_mut() {
        members.insert(member.to_owned(), value);
    }
    user
}

/// Zitadel parts a name; we have it whole.
fn human(account: &AccountRecord) -> Value {
    let name = account.name.as_str();
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    json!({
        "profile": { "firstName": first, "lastName": last.trim_start(), "displayName": name },
        "email": {},
    })
}

async fn set_state(call: &Call, wanted: State) -> Result<Value, Error> {
    let tenant = call.manage().await?;
    let id = call.user()?;
    let account = call.accounts().account(&call.caller, &tenant, id).await?;
    if account.state == wanted {
        return Err(match wanted {
            State::Active => Error::precondition("GW-UserActive", "user is active"),
            State::Disabled => Error::precondition("GW-UserInactive", "user is inactive"),
        });
    }
    call.accounts()
        .set_state(&call.caller, &tenant, id, wanted)
        .await?;
    let details = changed(sequence(&account).saturating_add(1), call.now(), &tenant);
    Ok(json!({ "details": details }))
}

/// What one search looks through. A tenant with more is served by narrower means than this list.
const MOST_ACCOUNTS: usize = 10_000;
