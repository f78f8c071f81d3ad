//! Tokens of a whole tenant, revoked or counted (iam 1, row 22).

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::iam::Sweep;

use super::Service;
use super::error::Problem;
use super::error::Refusal;
use super::fields::Fields;
use super::media::Media;
use super::request::Incoming;
use super::view;

/// Revokes what the conditions of the body name, of which there must be one: an empty body is a slip of the pen.
pub(super) async fn sweep(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    let is_rehearsal = incoming.query(&["dryRun"])?.flag("dryRun")?;
    let mut fields = Fields::of(incoming.required_object()?);
    let now = service.accounts.now();
    let sweep = Sweep {
        created_before: fields.time("createdBefore", now),
        unused_since: fields.time("unusedSince", now),
        expires_before: fields.end("expiresBefore"),
    };
    fields.finish()?;
    if sweep == Sweep::default() {
        let problem = "one of createdBefore, unusedSince, expiresBefore is required";
        return Err(Refusal::malformed(
            Problem::new("missing_field", problem).at(""),
        ));
    }
    let accounts = &service.accounts;
    let swept = accounts.sweep(caller, tenant, sweep, is_rehearsal).await?;
    let body = view::members(json!({
        "tenantId": tenant.as_str(),
        "dryRun": is_rehearsal,
        "matchedPats": swept.matched,
        "revokedPats": swept.revoked,
        "skippedPats": swept.skipped,
    }));
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}
