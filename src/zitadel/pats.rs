//! Personal Access Tokens, version 1 of the API.

use serde_json::Value;
use serde_json::json;

use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::AccountsError;
use crate::iam::Issued;
use crate::iam::NewPat;
use crate::iam::PatRecord;
use crate::iam::Standing;
use crate::iam::port::RecordsError;
use crate::model::Expiry;
use crate::model::TenantId;

use super::call::Call;
use super::call::Purpose;
use super::error::Error;
use super::message::Listing;
use super::message::NewToken;
use super::reply::changed;
use super::reply::created;
use super::reply::list_details;
use super::reply::pat_details;

/// B3: a token of a service user, or of the caller itself. Without an expiration date it never ends.
pub(super) async fn add(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage_or_own(Purpose::Write).await?;
    call.param(super::call::USER)?;
    let message: NewToken = call.message().await?;
    let expires = match message.expiration_date {
        Some(text) => future(&call, &text)?,
        None => Expiry::NEVER,
    };
    let issued = issue(&call, &tenant, expires).await?;
    Ok(json!({
        "tokenId": issued.record.id.to_string(),
        "token": issued.token.expose(),
        "details": created(issued.record.created, &tenant),
    }))
}

/// B4: what is known of a token; the secret is not.
pub(super) async fn get(call: Call) -> Result<Value, Error> {
    let tenant = call.manage_or_own(Purpose::Read).await?;
    let pat = of_path(&call, &tenant).await?;
    Ok(json!({ "token": token(&pat) }))
}

/// B5: the tokens of a user, expired ones too, by creation date.
pub(super) async fn search(mut call: Call) -> Result<Value, Error> {
    let tenant = call.manage_or_own(Purpose::Read).await?;
    let user = call.user();
    let message: Listing = call.message().await?;
    let pats = existing(&call, &tenant, user?).await?;
    let total = pats.len();
    let part = message.query.unwrap_or_default().part(pats);
    Ok(json!({
        "details": list_details(total, call.now()),
        "result": part.iter().map(token).collect::<Vec<_>>(),
    }))
}

/// B6: revokes a token. One that is revoked already is not there.
pub(super) async fn remove(call: Call) -> Result<Value, Error> {
    let tenant = call.manage_or_own(Purpose::Write).await?;
    let pat = of_path(&call, &tenant).await?;
    let revoked = call
        .accounts()
        .revoke_pat(&call.caller, &tenant, pat.id)
        .await?;
    let at = revoked.revoked.unwrap_or_else(|| call.now());
    Ok(json!({ "details": changed(2, at, &tenant) }))
}

/// Issues a token for the user of the path.
pub(super) async fn issue(
    call: &Call,
    tenant: &TenantId,
    expires: Expiry,
) -> Result<Issued, Error> {
    let account = holder(call, tenant).await?;
    let new = NewPat::until(expires);
    Ok(call
        .accounts()
        .create_pat(&call.caller, tenant, account.id, new)
        .await?)
}

/// A point in time that is still to come.
pub(super) fn future(call: &Call, text: &str) -> Result<Expiry, Error> {
    let expires = Expiry::parse_rfc3339(text)
        .map_err(|_| Error::field("expirationDate", "is not an RFC 3339 time"))?;
    if expires.is_over(call.now()) {
        return Err(Error::field("expirationDate", "is not in the future"));
    }
    Ok(expires)
}

/// The tokens of a user that are not revoked, the oldest first.
pub(super) async fn existing(
    call: &Call,
    tenant: &TenantId,
    user: AccountId,
) -> Result<Vec<PatRecord>, Error> {
    let views = call.accounts().pats(&call.caller, tenant, user).await?;
    Ok(views
        .into_iter()
        .rev()
        .filter(|view| view.standing != Standing::Revoked)
        .map(|view| view.record)
        .collect())
}

/// The token of the path, where it is the user's and not revoked.
pub(super) async fn of_path(call: &Call, tenant: &TenantId) -> Result<PatRecord, Error> {
    let user = call.user();
    let wanted = call.param(TOKEN)?;
    let pats = existing(call, tenant, user?).await?;
    pats.into_iter()
        .find(|pat| pat.id.to_string() == wanted)
        .ok_or(Error::NotFound("token"))
}

/// Whose token it will be. Nobody is "not found" here but a failed precondition, and so is another person, who alone
/// issues its tokens (iam 2.3, 2.5).
async fn holder(call: &Call, tenant: &TenantId) -> Result<AccountRecord, Error> {
    const NOBODY: Error = Error::precondition("GW-UserNotFound", "user does not exist");
    let user = call.user().map_err(|_| NOBODY)?;
    let account = match call.accounts().account(&call.caller, tenant, user).await {
        Err(AccountsError::Records(RecordsError::NotFound(_))) => return Err(NOBODY),
        other => other?,
    };
    if account.kind == AccountKind::Person && !call.is_own() {
        return Err(Error::precondition(
            "GW-UserType",
            "a person's tokens are issued by that person alone",
        ));
    }
    Ok(account)
}

/// `PersonalAccessToken`.
fn token(pat: &PatRecord) -> Value {
    json!({
        "id": pat.id.to_string(),
        "details": pat_details(pat),
        "expirationDate": pat.expires.to_string(),
        "scopes": SCOPES,
    })
}

/// The name of the token in every path.
const TOKEN: &str = "token";

/// What Zitadel gives every token, whatever its rights; the rights are the account's roles.
const SCOPES: [&str; 4] = [
    "openid",
    "profile",
    "urn:zitadel:iam:user:metadata",
    "urn:zitadel:iam:user:resourceowner",
];
