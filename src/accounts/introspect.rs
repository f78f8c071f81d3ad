//! `/oauth2/introspect`: somebody who was shown a token asks what it is worth (RFC 7662).

use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

use crate::iam::Action;
use crate::iam::Principal;
use crate::iam::Role;
use crate::iam::permit;
use crate::secret::Secret;

use super::Service;
use super::admission::address;
use super::admission::identify;
use super::admission::origin;
use super::credential::bearer;
use super::error::Problem;
use super::error::Refusal;
use super::media::Media;
use super::request::read_form;
use super::view;

/// Tells who manages accounts of a token: of its own tenant, or, for skylight-admin, of any; and every holder of a token
/// of that token. All that is not active is answered alike (RFC 7662 2.2).
pub(super) async fn introspect(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let origin = origin(&parts);
    let from = address(&origin)?;
    let own = bearer(&parts.headers)?;
    let caller = identify(&service.authenticator, Some(own.clone()), &parts, &origin).await?;
    let managing = permit(&caller, Action::ManageAccounts, None);
    let token = asked(&parts, body).await;
    match managing {
        Err(denied) if !token.as_ref().is_ok_and(|token| *token == own) => {
            let source = (from, &origin);
            service
                .authenticator
                .note_denied(&caller, denied.reason(), source);
            return Err(denied.into());
        }
        _ => {}
    }
    let token = token?;
    let found = service.authenticator.introspect(&token, from).await?;
    let found = found.filter(|found| {
        found.tenant == caller.tenant || caller.roles.contains(Role::SkylightAdmin)
    });
    let body = if let Some(found) = found {
        active(&found)
    } else {
        service
            .authenticator
            .note_inactive(&caller, (from, &origin));
        json!({ "active": false })
    };
    Ok(view::answer(StatusCode::OK, Media::Json, body))
}

async fn asked(parts: &Parts, body: Body) -> Result<Secret, Refusal> {
    let form = read_form(parts, body).await?;
    form.get("token").map(Secret::new).ok_or_else(|| {
        Refusal::malformed(Problem::new("missing_field", "token is required").at("/token"))
    })
}

fn active(principal: &Principal) -> Value {
    let scopes: Vec<String> = principal.scopes.iter().map(ToString::to_string).collect();
    json!({
        "active": true,
        "token_type": "Bearer",
        "scope": scopes.join(" "),
        "client_id": &*principal.username,
        "username": &*principal.username,
        "sub": principal.account.to_string(),
        "jti": principal.token.map(|token| token.to_string()),
        "exp": principal.expires.secs(),
        "tenant_id": principal.tenant.as_str(),
        "roles": view::roles(principal.roles),
    })
}
