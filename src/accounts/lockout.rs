//! Who may not try another password for a while, and letting them (iam L3).

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;

use crate::iam::LockedOut;

use super::Service;
use super::error::Refusal;
use super::media::Media;
use super::request::Incoming;
use super::view;

/// Those of the tenant, as this gateway knows them: each counts for itself.
pub(super) async fn list(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (_, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let locked = service.authenticator.locked(tenant);
    let body = json!({ "data": locked.iter().map(of).collect::<Vec<_>>() });
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}

/// Lets a person try again, on every gateway, within a second.
pub(super) async fn lift(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    incoming.query(&[])?;
    let id = incoming.account()?;
    service.accounts.lift_lockout(caller, tenant, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn of(locked: &LockedOut) -> serde_json::Value {
    json!({
        "accountId": locked.account.to_string(),
        "username": locked.username,
        "network": locked.network.to_string(),
        "lockedUntil": locked.until.to_string(),
    })
}
