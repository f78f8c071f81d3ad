//! `/oauth/v2/token`: a credential that lasts for a session that does not.

use axum::Json;
use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::Response;
use serde_json::json;

use crate::iam::Credential;
use crate::iam::Issued;
use crate::iam::Scope;
use crate::secret::Secret;

use super::Service;
use super::claims::NARROWING;
use super::error::Error;
use super::request::Form;
use super::request::Incoming;

/// Issues an access token: to a service account for its secret (RFC 6749 4.4), to a person for its password where that is
/// allowed (RFC 6749 4.3).
pub(super) async fn token(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Error> {
    let (incoming, body) = Incoming::new(request)?;
    let form = incoming.form(body).await?;
    let client = service.client(&incoming, &form).await?;
    let grant = form.require("grant_type", "grant_type is missing")?;
    let issued = match grant {
        "client_credentials" => {
            let client = client.ok_or(Error::InvalidClient)?;
            let scopes = scopes(&form)?;
            let origin = incoming.origin.clone();
            let opened = service
                .accounts
                .open_client_session(&client, scopes, origin);
            opened.await?
        }
        "password" if service.config.password_grant => {
            service.for_password(&incoming, &form).await?
        }
        _ => return Err(Error::UnsupportedGrantType),
    };
    Ok(answer(&service, &issued))
}

impl Service {
    async fn for_password(&self, incoming: &Incoming, form: &Form) -> Result<Issued, Error> {
        let username = form.require("username", "username is missing")?.to_owned();
        let password = Secret::new(form.require("password", "password is missing")?);
        let scopes = scopes(form)?;
        let credential = Credential::Password { username, password };
        let principal = self
            .authenticator
            .authenticate(credential, incoming.source())
            .await
            .map_err(|error| Error::of_auth(error, Error::InvalidGrant))?;
        // A token in the password's place would become a session that outlives it.
        if principal.token.is_some() {
            return Err(Error::InvalidGrant);
        }
        let opened = self
            .accounts
            .open_session(&principal, scopes, incoming.origin.clone())
            .await;
        opened.map_err(|error| match error.into() {
            Error::InvalidClient => Error::InvalidGrant,
            other => other,
        })
    }
}

/// What the token is to be narrowed to. Words of other systems, such as `openid`, say nothing here and are passed over: a
/// token is worth what its account's roles are.
fn scopes(form: &Form) -> Result<Vec<Scope>, Error> {
    let mut scopes = Vec::new();
    for word in form.get("scope").unwrap_or_default().split(' ') {
        // RFC 6749 3.3.
        if !word
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
        {
            return Err(Error::InvalidScope);
        }
        match word.parse() {
            Ok(scope) => scopes.push(scope),
            Err(_) if NARROWING.iter().any(|prefix| word.starts_with(prefix)) => {
                return Err(Error::InvalidScope);
            }
            Err(_) => {}
        }
    }
    Ok(scopes)
}

/// RFC 6749 5.1.
fn answer(service: &Service, issued: &Issued) -> Response {
    let left = issued.record.expires.secs();
    let left = left.saturating_sub(service.accounts.now().secs());
    let mut body = json!({
        "access_token": issued.token.expose(),
        "token_type": "Bearer",
        "expires_in": left,
    });
    let scopes: Vec<String> = issued
        .record
        .scopes
        .iter()
        .map(ToString::to_string)
        .collect();
    if let Some(members) = body.as_object_mut()
        && !scopes.is_empty()
    {
        members.insert("scope".to_owned(), scopes.join(" ").into());
    }
    Json(body).into_response()
}
