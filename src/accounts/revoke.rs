//! `/oauth2/revoke`: a token is revoked by showing it (RFC 7009).

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::response::IntoResponse as _;
use axum::response::Response;

use crate::secret::Secret;

use super::Service;
use super::admission::address;
use super::admission::identify;
use super::admission::origin;
use super::credential::bearer;
use super::error::Problem;
use super::error::Refusal;
use super::request::read_form;

/// Revokes the token of the body, and says 200 whether or not there is one (RFC 7009 2.2). To hold it is proof enough:
/// its finder need not have an account. A caller that does identify itself must do so rightly, and is named in the
/// audit trail.
pub(super) async fn revoke(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let origin = origin(&parts);
    let from = address(&origin)?;
    let by = if parts.headers.contains_key(AUTHORIZATION) {
        let token = bearer(&parts.headers)?;
        Some(identify(&service.authenticator, Some(token), &parts, &origin).await?)
    } else {
        None
    };
    let form = read_form(&parts, body).await?;
    // What comes from a file ends with its line.
    let token = form.get("token").map(|token| Secret::new(token.trim()));
    let token = token.ok_or_else(|| {
        Refusal::malformed(Problem::new("missing_field", "token is required").at("/token"))
    })?;
    service
        .accounts
        .revoke_shown(&service.authenticator, &token, by.as_ref(), origin, from)
        .await?;
    Ok(StatusCode::OK.into_response())
}
