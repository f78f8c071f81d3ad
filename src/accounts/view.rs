//! Accounts and tokens as JSON. Ids are strings; times are RFC 3339 in UTC, to the second (iam 2.4).

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::LOCATION;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::iam::AccountRecord;
use crate::iam::AccountSummary;
use crate::iam::Issued;
use crate::iam::PatRecord;
use crate::iam::PatView;
use crate::iam::Principal;
use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::Use;

use super::media::Media;

/// The members of an answer, in order.
pub(super) type Members = Map<String, Value>;

/// An account, flat.
pub(super) fn account(account: &AccountRecord) -> Members {
    members(json!({
        "machineUserId": account.id.to_string(),
        "username": account.username,
        "name": account.name,
        "description": account.description,
        "accessTokenType": "Bearer",
        "roles": roles(account.roles),
        "tenantId": account.tenant.as_str(),
        "state": account.state.as_str(),
        "createdAt": account.created.to_string(),
        "updatedAt": account.updated.to_string(),
    }))
}

/// An account with what its tokens come to, as a search lists it.
pub(super) fn summary(summary: &AccountSummary) -> Members {
    let mut view = account(&summary.account);
    view.insert("patCount".to_owned(), summary.active.into());
    let next = summary.next_expiry.map(|expiry| expiry.to_string());
    view.insert("nextExpiry".to_owned(), next.into());
    let used = summary.last_used.map(|at| at.to_string());
    view.insert("lastUsedAt".to_owned(), used.into());
    view
}

/// A token just issued, with its secret: the one answer that has it.
pub(super) fn issued(issued: &Issued) -> Members {
    let mut view = pat(&issued.record);
    view.insert("pat".to_owned(), issued.token.expose().into());
    view
}

/// A token without its secret, flat.
pub(super) fn pat(pat: &PatRecord) -> Members {
    members(json!({
        "credentialId": pat.id.to_string(),
        "machineUserId": pat.account.to_string(),
        "expirationDate": pat.expires.to_string(),
        "name": pat.name,
        "description": pat.description,
        "createdAt": pat.created.to_string(),
        "scopes": texts(&pat.scopes),
        "allowedCidrs": texts(&pat.networks),
    }))
}

/// A token as a search lists it.
pub(super) fn listed(view: &PatView) -> Members {
    let pat = &view.record;
    members(json!({
        "credentialId": pat.id.to_string(),
        "machineUserId": pat.account.to_string(),
        "creationDate": pat.created.to_string(),
        "expirationDate": pat.expires.to_string(),
        "name": pat.name,
        "description": pat.description,
        "scopes": texts(&pat.scopes),
        "allowedCidrs": texts(&pat.networks),
        "createdBy": pat.created_by.map(|account| account.to_string()),
        "state": view.standing.as_str(),
        "lastUsedAt": pat.last_used.map(|used| used.at.to_string()),
        "lastUsedIp": pat.last_used.map(|used| used.address.to_string()),
        "lastUses": view.uses.iter().map(used).collect::<Vec<_>>(),
        "tokenHint": pat.hint,
    }))
}

fn used(used: &Use) -> Value {
    json!({
        "at": used.at.to_string(),
        "ip": used.address.to_string(),
        "protocol": used.protocol,
        "client": used.client,
    })
}

/// Who a credential belongs to.
pub(super) fn principal(principal: &Principal) -> Members {
    members(json!({
        "accountId": principal.account.to_string(),
        "username": &*principal.username,
        "kind": principal.kind.as_str(),
        "tenantId": principal.tenant.as_str(),
        "roles": roles(principal.roles),
        "scopes": texts(&principal.scopes),
        "credentialId": principal.token.map(|token| token.to_string()),
        "expiresAt": principal.expires.to_string(),
    }))
}

/// An answer.
pub(super) fn answer(status: StatusCode, media: Media, body: impl Into<Value>) -> Response {
    text(status, media, body.into().to_string())
}

/// The same of what is text already.
pub(super) fn text(status: StatusCode, media: Media, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let media = HeaderValue::from_static(media.as_str());
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

/// 201, and where the new thing is.
pub(super) fn created(media: Media, location: &str, body: Members) -> Response {
    let mut response = answer(StatusCode::CREATED, media, body);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

pub(super) fn roles(roles: Roles) -> Vec<&'static str> {
    roles.iter().map(Role::as_str).collect()
}

pub(super) fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// What an object literal makes is an object.
pub(super) fn members(value: Value) -> Members {
    match value {
        Value::Object(members) => members,
        _ => Members::new(),
    }
}
