//! Logging in and out, and the question that a proxy asks for each request that it forwards.

use std::sync::Arc;

use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::iam::AuthError;
use crate::iam::Credential;
use crate::iam::Issued;
use crate::iam::Principal;
use crate::iam::TokenKind;
use crate::model::Class;
use crate::model::Peer;
use crate::secret::Secret;

use super::Service;
use super::admission::address;
use super::admission::identify;
use super::admission::named;
use super::admission::origin;
use super::credential::SESSION_COOKIE;
use super::credential::bearer_or_cookie;
use super::error::Problem;
use super::error::Refusal;
use super::error::internal;
use super::forward::forward;
use super::media::Media;
use super::request::Query;
use super::request::read_form;
use super::view;

type Shape = Result<Response, Refusal>;

/// Takes a user name and a password, and gives a bearer token, in the `authorization` header and as a cookie.
pub(super) async fn login(State(service): State<Service>, request: Request) -> Shape {
    let (parts, body) = request.into_parts();
    let form = read_form(&parts, body).await?;
    let (username, password) = (username_of(&form)?, given(&form, "password")?);
    let origin = origin(&parts);
    let credential = Credential::Password {
        username,
        password: Secret::new(password),
    };
    let from = address(&origin)?;
    let peer = parts.extensions.get::<Peer>().ok_or_else(internal)?;
    let principal = service
        .authenticator
        .identify(Some(credential), peer.client.as_ref(), (from, &origin))
        .await
        .map_err(refused)?
        .ok_or_else(Refusal::bad_login)?;
    // A token in the password's place would become a session that outlives it.
    if principal.token.is_some() {
        return Err(Refusal::bad_login());
    }
    let issued = service
        .accounts
        .open_session(&principal, Vec::new(), origin)
        .await?;
    let now = service.accounts.now().secs();
    let left = issued.record.expires.secs().saturating_sub(now);
    let mut response = view::answer(
        StatusCode::OK,
        Media::Json,
        session_view(&principal, &issued),
    );
    let token = issued.token.expose();
    let headers = response.headers_mut();
    headers.insert(AUTHORIZATION, secret(&format!("Bearer {token}"))?);
    headers.insert(SET_COOKIE, secret(&cookie(token, left))?);
    Ok(response)
}

/// Ends the session by which the request has come.
pub(super) async fn logout(State(service): State<Service>, request: Request) -> Shape {
    let (parts, _) = request.into_parts();
    let (token, principal) = service.known(&parts).await?;
    let session = principal
        .token
        .filter(|_| kind_of(token.as_ref()) == Some(TokenKind::Session))
        .ok_or_else(|| {
            let detail = "a Personal Access Token or certificate is revoked, not logged out";
            Refusal::malformed(Problem::new("not_a_session", detail))
        })?;
    let origin = origin(&parts);
    service
        .accounts
        .end_session(&principal, session, origin)
        .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response
        .headers_mut()
        .insert(SET_COOKIE, secret(&cookie("", 0))?);
    Ok(response)
}

/// Whose the request is.
pub(super) async fn session(State(service): State<Service>, request: Request) -> Shape {
    let (parts, _) = request.into_parts();
    let (token, principal) = service.known(&parts).await?;
    let mut body = view::principal(&principal);
    let kind = kind_of(token.as_ref()).map(TokenKind::as_str);
    body.insert("tokenKind".to_owned(), kind.into());
    Ok(view::answer(StatusCode::OK, Media::Json, body))
}

/// Answers a proxy: 200 with who it is in headers, or a refusal.
pub(super) async fn validate(State(service): State<Service>, request: Request) -> Shape {
    let (parts, _) = request.into_parts();
    let (_, principal) = service.known(&parts).await?;
    let tenant = service
        .authenticator
        .tenant_of(&principal, named(&parts)?)
        .await
        .map_err(Refusal::from)
        .inspect_err(|refusal| service.tell(refusal, &principal, &parts))?;
    let peer = parts.extensions.get::<Peer>().ok_or_else(internal)?;
    // A proxy's own names no account here.
    let shown = peer.client.as_ref().filter(|shown| shown.holder.is_some());
    let certificate = shown.map(|shown| shown.fingerprint);
    let (assertions, now) = (&service.assertions, service.accounts.now());
    let assertion = assertions.about(&principal, &tenant, certificate, now)?;
    let mut headers = HeaderMap::new();
    forward(&mut headers, &principal, &tenant, assertion)?;
    Ok((StatusCode::OK, headers).into_response())
}

impl Service {
    /// Tells the audit trail of a denial.
    fn tell(&self, refusal: &Refusal, principal: &Principal, parts: &Parts) {
        let origin = origin(parts);
        if let (Some(reason), Some(address)) = (refusal.denial(), origin.address) {
            let from = (address, &origin);
            self.authenticator.note_denied(principal, reason, from);
        }
    }

    /// The token of a request, where it has one, and who it belongs to.
    pub(super) async fn known(
        &self,
        parts: &Parts,
    ) -> Result<(Option<Secret>, Arc<Principal>), Refusal> {
        let token = bearer_or_cookie(&parts.headers)?;
        let origin = origin(parts);
        let principal = identify(&self.authenticator, token.clone(), parts, &origin).await?;
        Ok((token, principal))
    }
}

fn kind_of(token: Option<&Secret>) -> Option<TokenKind> {
    TokenKind::of(token?.expose())
}

/// A password that is not taken says only that; what is known to its holder is told.
pub(super) fn refused(error: AuthError) -> Refusal {
    if error.class() == Class::Unauthenticated && !error.is_telling() {
        return Refusal::bad_login();
    }
    error.into()
}

/// The user name, with the tenant where that is given beside it.
pub(super) fn username_of(form: &Query) -> Result<String, Refusal> {
    let username = given(form, "username")?;
    let tenant = form.get("tenant").filter(|tenant| !tenant.is_empty());
    Ok(tenant.map_or_else(
        || username.to_owned(),
        |tenant| format!("{username}@{tenant}"),
    ))
}

pub(super) fn given<'f>(form: &'f Query, name: &'static str) -> Result<&'f str, Refusal> {
    let value = form.get(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| {
        let problem = Problem::new("missing_field", format!("{name} is required"));
        Refusal::malformed(problem.at(format!("/{name}")))
    })
}

fn session_view(principal: &Principal, issued: &Issued) -> view::Members {
    let mut body = view::principal(principal);
    let record = &issued.record;
    body.insert("credentialId".to_owned(), record.id.to_string().into());
    body.insert("expiresAt".to_owned(), record.expires.to_string().into());
    body.insert("tokenType".to_owned(), "Bearer".into());
    body
}

/// Not for scripts, not for plain HTTP, not for requests that other sites start (RFC 6265bis).
fn cookie(token: &str, seconds: i64) -> String {
    format!(
        "{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict"
    )
}

/// A header that logs should not show.
fn secret(text: &str) -> Result<HeaderValue, Refusal> {
    let mut value = HeaderValue::from_str(text).map_err(|_| internal())?;
    value.set_sensitive(true);
    Ok(value)
}
