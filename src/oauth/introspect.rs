//! `/oauth2/introspect`: somebody who was shown a token asks what it is worth (RFC 7662).

use std::sync::Arc;

use axum::Json;
use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::Response;
use ipnet::IpNet;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::iam::Action;
use crate::iam::Credential;
use crate::iam::NotPermitted;
use crate::iam::Principal;
use crate::iam::Role;
use crate::secret::Secret;

use super::Service;
use super::claims::ACCOUNT_NETWORKS;
use super::claims::NETWORKS;
use super::claims::ROLES;
use super::claims::SCOPES;
use super::claims::TENANT;
use super::error::Error;
use super::request::Authorization;
use super::request::Form;
use super::request::Incoming;

/// Tells who manages accounts of a token: of its own tenant, or, for skylight-admin, of any; and every holder of a token
/// of that token. All that is not active is answered alike (RFC 7662 2.2).
pub(super) async fn introspect(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Error> {
    let (incoming, body) = Incoming::new(request)?;
    // Who shows its credential in the header is judged before the body is (iam 2.2).
    let mut caller = service.by_header(&incoming).await?;
    let form = match incoming.form(body).await {
        Ok(form) => form,
        Err(error) => {
            let (caller, _) = caller.ok_or(Error::InvalidClient)?;
            service.may_ask(&incoming, &caller).await?;
            return Err(error);
        }
    };
    if caller.is_none() || form.get("client_secret").is_some() {
        let client = service.client(&incoming, &form).await?;
        caller = client.map(|client| (client.principal, None));
    }
    let (caller, own) = caller.ok_or(Error::InvalidClient)?;
    let token = form.get("token");
    if own.is_none_or(|own| token != Some(own.expose())) {
        service.may_ask(&incoming, &caller).await?;
    }
    let token = token.ok_or(Error::InvalidRequest("token is missing"))?;
    let found = service
        .authenticator
        .introspect(&Secret::new(token), incoming.from)
        .await
        .map_err(|error| Error::of_auth(error, Error::InvalidToken))?;
    let found = found.filter(|found| {
        found.tenant == caller.tenant || caller.roles.contains(Role::SkylightAdmin)
    });
    let body = if let Some(found) = found {
        active(&found, service.config.audience.as_deref())
    } else {
        let source = incoming.source();
        service.authenticator.note_inactive(&caller, source);
        json!({ "active": false })
    };
    Ok(Json(body).into_response())
}

type Caller = (Arc<Principal>, Option<Secret>);

impl Service {
    /// Who the header says is calling, and with which token.
    async fn by_header(&self, incoming: &Incoming) -> Result<Option<Caller>, Error> {
        match &incoming.authorization {
            None => Ok(None),
            Some(Authorization::Basic(..)) => {
                let client = self.client(incoming, &Form::default()).await?;
                Ok(client.map(|client| (client.principal, None)))
            }
            Some(Authorization::Bearer(token)) => {
                let credential = Credential::Bearer(token.clone());
                let principal = self
                    .authenticator
                    .authenticate(credential, incoming.source())
                    .await
                    .map_err(|error| Error::of_auth(error, Error::InvalidToken))?;
                Ok(Some((principal, Some(token.clone()))))
            }
        }
    }

    async fn may_ask(&self, incoming: &Incoming, caller: &Principal) -> Result<(), Error> {
        let action = Action::ManageAccounts;
        let permitted = self.authenticator.permit(caller, action, incoming.named());
        permitted.await.map(drop).map_err(|error| {
            if let NotPermitted::Denied(denied) = error {
                let source = incoming.source();
                self.authenticator
                    .note_denied(caller, denied.reason(), source);
            }
            error.into()
        })
    }
}

fn active(principal: &Principal, audience: Option<&str>) -> Value {
    let scopes: Vec<String> = principal.scopes.iter().map(ToString::to_string).collect();
    let roles: Vec<&str> = principal.roles.iter().map(Role::as_str).collect();
    let words = |networks: &[IpNet]| networks.iter().map(ToString::to_string).collect::<Vec<_>>();
    let tenant = principal.tenant.as_str();
    // As Zitadel has them: in which organizations each role holds.
    let in_project: Map<String, Value> = roles
        .iter()
        .map(|role| ((*role).to_owned(), json!({ (tenant): tenant })))
        .collect();
    let mut body = json!({
        "active": true,
        "token_type": "Bearer",
        "scope": scopes.join(" "),
        "client_id": &*principal.username,
        "username": &*principal.username,
        "sub": principal.account.to_string(),
        "jti": principal.token.map(|token| token.to_string()),
        "exp": principal.expires.secs(),
        "tenant_id": tenant,
        "roles": roles,
        (SCOPES): scopes,
        (NETWORKS): words(&principal.networks),
        (ACCOUNT_NETWORKS): words(&principal.account_networks),
        (TENANT): tenant,
        (ROLES): in_project,
    });
    if let (Some(audience), Some(members)) = (audience, body.as_object_mut()) {
        members.insert("aud".to_owned(), audience.into());
    }
    body
}
