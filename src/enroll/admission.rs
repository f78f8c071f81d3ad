//! Who asks: by token, or by a certificate that it wants to renew.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::header::HOST;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::audit::Actor;
use crate::audit::Origin;
use crate::iam::Action;
use crate::iam::AuthError;
use crate::iam::Credential;
use crate::iam::Denied;
use crate::iam::Named;
use crate::iam::Principal;
use crate::iam::bearer_token;
use crate::model::Peer;
use crate::model::TenantId;
use crate::secret::Secret;

use super::Service;
use super::error::EXPIRED;
use super::error::Refusal;
use super::frame::RequestId;

/// Somebody known, and where the request comes from.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) principal: Arc<Principal>,
    pub(super) origin: Origin,
}

/// How a credential may be presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schemes {
    /// As a bearer token.
    Bearer,
    /// The same, or with user name and password, as EST clients do (RFC 7030 3.2.3).
    BearerOrBasic,
}

impl Asker {
    /// For the audit trail.
    pub(super) fn actor(&self) -> Actor {
        let principal = &self.principal;
        Actor::Account {
            id: principal.account.to_string(),
            tenant: principal.tenant.clone(),
            token: principal.token.map(|token| token.to_string()),
            certificate: principal.certificate.map(|serial| serial.to_string()),
        }
    }
}

impl Service {
    /// Who asks.
    pub(super) async fn asker(&self, parts: &Parts, schemes: Schemes) -> Result<Asker, Refusal> {
        let origin = origin(parts);
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.ok_or_else(Refusal::internal)?;
        let presented = presented(&parts.headers, schemes)?;
        let from = (peer.address.ip(), &origin);
        let found = self
            .authenticator
            .identify(presented, peer.client.as_ref(), from)
            .await;
        let principal = match found {
            Ok(found) => found.ok_or_else(Refusal::missing_credentials)?,
            Err(error @ AuthError::PatExpired { .. }) if self.config.expired_is_unauthorized => {
                let status = StatusCode::UNAUTHORIZED;
                let refusal = Refusal::new(status, "token_expired", error.to_string());
                return Err(refusal.challenge(EXPIRED));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Asker { principal, origin })
    }

    /// May it have certificates signed? One that shows a certificate may renew that, whatever its roles. The tenant is
    /// always its own (restconf-pki 3.2.5).
    pub(super) async fn may_ask(&self, asker: &Asker, parts: &Parts) -> Result<(), Refusal> {
        let named = named(parts)?;
        let principal = &asker.principal;
        let tenant = if principal.certificate.is_some() {
            self.authenticator.tenant_of(principal, named).await?
        } else {
            let permit = self
                .authenticator
                .permit(principal, Action::Enroll, named)
                .await?;
            permit.tenant().clone()
        };
        if tenant == principal.tenant {
            Ok(())
        } else {
            Err(Denied::ForeignTenant.into())
        }
    }

    /// May it see and revoke certificates, and in which tenant? Who may have them signed, may.
    pub(super) async fn may_manage(
        &self,
        asker: &Asker,
        parts: &Parts,
    ) -> Result<TenantId, Refusal> {
        let permit = self
            .authenticator
            .permit(&asker.principal, Action::Enroll, named(parts)?)
            .await?;
        Ok(permit.tenant().clone())
    }
}

/// The peer's address.
pub(super) fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<Peer>().map(|peer| peer.address.ip())
}

fn presented(headers: &HeaderMap, schemes: Schemes) -> Result<Option<Credential>, Refusal> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let value = value.to_str().map_err(|_| Refusal::missing_credentials())?;
    if let Some(token) = bearer_token(value) {
        return Ok(Some(Credential::Bearer(token)));
    }
    if schemes == Schemes::BearerOrBasic
        && let Some(credential) = basic(value)
    {
        return Ok(Some(credential));
    }
    Err(Refusal::missing_credentials())
}

/// User name and password (RFC 7617); a token may stand in the password's place.
fn basic(value: &str) -> Option<Credential> {
    let (scheme, digits) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = zeroize::Zeroizing::new(STANDARD.decode(digits.trim()).ok()?);
    let (username, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some(Credential::Password {
        username: username.to_owned(),
        password: Secret::new(password),
    })
}

fn origin(parts: &Parts) -> Origin {
    let agent = parts.headers.get(USER_AGENT);
    Origin {
        address: address(parts),
        protocol: Some("https"),
        request: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
        user_agent: agent.map(|agent| {
            let text = String::from_utf8_lossy(agent.as_bytes());
            text.chars().take(USER_AGENT_CHARS).collect()
        }),
    }
}

fn named(parts: &Parts) -> Result<Named<'_>, Refusal> {
    let peer = parts.extensions.get::<Peer>();
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = parts.uri.authority().map(Authority::as_str);
    Ok(Named {
        header: tenant(&parts.headers)?,
        server_name: peer.and_then(|peer| peer.server_name.as_deref()),
        authority: authority.or(host),
    })
}

/// The tenant that the request names; two that differ name none.
fn tenant(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(&TENANT_HEADER).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    match first.to_str() {
        Ok(name) if values.all(|value| value == first) => Ok(Some(name)),
        _ => Err(Denied::ForeignTenant.into()),
    }
}

const TENANT_HEADER: HeaderName = HeaderName::from_static("x-forwarded-tenant-id");

/// Enough to tell programs and their versions apart.
const USER_AGENT_CHARS: usize = 200;
