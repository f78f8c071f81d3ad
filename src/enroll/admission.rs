//! Who asks: by token, or by a certificate that it wants to renew.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::audit::Actor;
use crate::audit::Origin;
use crate::iam::Action;
use crate::iam::AuthError;
use crate::iam::Credential;
use crate::iam::Denied;
use crate::iam::Named;
use crate::iam::Principal;
use crate::iam::RequestId;
use crate::iam::basic_password;
use crate::iam::bearer_token;
use crate::model::Peer;
use crate::model::TenantId;

use super::Service;
use super::error::EXPIRED;
use super::error::Refusal;

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
        let named = Named::of(parts)?;
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
            .permit(&asker.principal, Action::Enroll, Named::of(parts)?)
            .await?;
        Ok(permit.tenant().clone())
    }
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
        && let Some(credential) = basic_password(value)
    {
        return Ok(Some(credential));
    }
    Err(Refusal::missing_credentials())
}

fn origin(parts: &Parts) -> Origin {
    let id = parts.extensions.get::<RequestId>();
    Origin::of(parts, "https", id.map(|id| id.as_str().to_owned()))
}
