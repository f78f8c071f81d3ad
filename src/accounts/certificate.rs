//! `/api/v1/auth/cert/validate/authorization`: whether a client certificate counts, and whose it is.
//!
//! The certificate is that of the connection, or one that a listed proxy forwards. So the page serves clients that want
//! to know, and proxies that ask for each request (nginx `auth_request`, Envoy `ext_authz`, Traefik `forwardAuth`).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::audit::Origin;
use crate::iam::AuthError;
use crate::iam::Credential;
use crate::iam::Principal;
use crate::model::Class;
use crate::model::ClientCertificate;
use crate::model::Peer;
use crate::model::Timestamp;

use super::Service;
use super::admission::address;
use super::admission::named;
use super::admission::origin;
use super::credential::bearer_if_any;
use super::error::Problem;
use super::error::Refusal;
use super::error::internal;
use super::forward::forward;
use super::media::Media;
use super::view;

/// 200 with who it is, 401 without a certificate, 403 when it does not count (restconf-pki 3.3).
pub(super) async fn validate(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, _) = request.into_parts();
    let origin = origin(&parts);
    let from = (address(&origin)?, &origin);
    let peer = parts.extensions.get::<Peer>().ok_or_else(internal)?;
    let shown = peer.client.as_ref().ok_or_else(missing)?;
    let principal = service.holder(shown, from).await?;
    if let Some(token) = bearer_if_any(&parts.headers)? {
        // Both must name the same account.
        let presented = Some(Credential::Bearer(token));
        let identified = service.authenticator.identify(presented, Some(shown), from);
        identified.await?;
    }
    if principal.roles.is_empty() {
        let problem = Problem::new("roles_removed", "no role of the certificate is left");
        return Err(Refusal::new(StatusCode::FORBIDDEN, problem));
    }
    let tenant = service
        .authenticator
        .tenant_of(&principal, named(&parts)?)
        .await?;
    let now = service.accounts.now();
    let body = serde_json::to_string(&View::of(shown, &principal, now));
    let body = body.map_err(|_| internal())?;
    let mut response = view::text(StatusCode::OK, Media::Json, body);
    let certificate = Some(shown.fingerprint);
    let assertions = &service.assertions;
    let assertion = assertions.about(&principal, &tenant, certificate, now)?;
    forward(response.headers_mut(), &principal, &tenant, assertion)?;
    Ok(response)
}

impl Service {
    /// Whose the certificate is. It was verified by the TLS layer, so its holder may be told what is wrong with it.
    async fn holder(
        &self,
        shown: &Arc<ClientCertificate>,
        from: (IpAddr, &Origin),
    ) -> Result<Arc<Principal>, Refusal> {
        if shown.holder.is_none() {
            let problem = Problem::new("no_account", "the certificate names no account here");
            return Err(Refusal::new(StatusCode::FORBIDDEN, problem));
        }
        let credential = Credential::Certificate(Arc::clone(shown));
        let found = self.authenticator.authenticate(credential, from).await;
        found.map_err(|error: AuthError| match error.class() {
            Class::Unauthenticated => {
                let problem = Problem::new(error.reason(), error.to_string());
                Refusal::new(StatusCode::FORBIDDEN, problem)
            }
            _ => error.into(),
        })
    }
}

/// What is told of a certificate: written straight out, as proxies ask for each request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'v> {
    subject: &'v str,
    serial: String,
    issuer: &'v str,
    not_before: String,
    not_after: String,
    remaining_seconds: i64,
    /// RFC 8705 3.1: by this a token is bound to a certificate.
    #[serde(rename = "x5t#S256")]
    fingerprint: String,
    account_id: String,
    username: &'v str,
    tenant: &'v str,
    roles: Vec<&'static str>,
}

impl<'v> View<'v> {
    fn of(shown: &'v ClientCertificate, principal: &'v Principal, now: Timestamp) -> Self {
        let remaining = shown.not_after.secs().saturating_sub(now.secs());
        Self {
            subject: &shown.subject,
            serial: shown.serial.to_string(),
            issuer: &shown.issuer,
            not_before: shown.not_before.to_string(),
            not_after: shown.not_after.to_string(),
            remaining_seconds: remaining.max(0),
            fingerprint: URL_SAFE_NO_PAD.encode(shown.fingerprint),
            account_id: principal.account.to_string(),
            username: &principal.username,
            tenant: principal.tenant.as_str(),
            roles: view::roles(principal.roles),
        }
    }
}

fn missing() -> Refusal {
    let detail = "no client certificate came with the connection";
    Refusal::new(
        StatusCode::UNAUTHORIZED,
        Problem::new("missing_certificate", detail),
    )
}
