//! Letting a request in: token → state → tenant → role, before anything of its body is read (iam 2.2).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::WARNING;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::audit::Origin;
use crate::iam::Action;
use crate::iam::Authenticator;
use crate::iam::Caller;
use crate::iam::Credential;
use crate::iam::Named;
use crate::iam::Principal;
use crate::iam::RequestId;
use crate::model::Peer;
use crate::model::TenantId;
use crate::secret::Secret;

use super::Service;
use super::credential::bearer_if_any;
use super::error::Problem;
use super::error::Refusal;
use super::error::TENANT;
use super::error::internal;

/// Who may pass.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    authenticator: Authenticator,
    manages: bool,
}

/// Somebody who has passed.
#[derive(Clone, Debug)]
pub(super) struct Admitted {
    /// Who.
    pub(super) principal: Arc<Principal>,
    /// The same, for the accounts.
    pub(super) caller: Caller,
    /// Where: its own tenant, or another that a skylight-admin has chosen.
    pub(super) tenant: TenantId,
    /// That its token ends soon.
    warning: Option<String>,
}

impl Gate {
    /// Only who manages accounts.
    pub(super) fn manager(service: &Service) -> Self {
        Self {
            authenticator: service.authenticator.clone(),
            manages: true,
        }
    }

    /// Everybody with a token.
    pub(super) fn anybody(service: &Service) -> Self {
        Self {
            manages: false,
            ..Self::manager(service)
        }
    }

    async fn decide(&self, parts: &Parts) -> Result<Admitted, Refusal> {
        let origin = origin(parts);
        let token = bearer_if_any(&parts.headers)?;
        let principal = identify(&self.authenticator, token.clone(), parts, &origin).await?;
        if changes_something(parts) {
            self.authenticator.charge_write(&principal)?;
        }
        let chosen = self.choose_tenant(parts, &principal).await;
        let caller = Caller::principal(&principal, origin);
        let tenant = chosen.inspect_err(|refusal| self.tell(refusal, &principal, &caller))?;
        if let Some(address) = caller.origin.address {
            let from = (address, &caller.origin);
            self.authenticator.note_visit(&principal, &tenant, from);
        }
        Ok(Admitted {
            warning: token.and_then(|token| self.authenticator.expiry_warning(&token, &principal)),
            principal,
            caller,
            tenant,
        })
    }

    async fn choose_tenant(
        &self,
        parts: &Parts,
        principal: &Principal,
    ) -> Result<TenantId, Refusal> {
        let named = named(parts)?;
        if named.header.is_none() {
            return Err(tenant_missing());
        }
        if !self.manages {
            return Ok(self.authenticator.tenant_of(principal, named).await?);
        }
        let permit = self
            .authenticator
            .permit(principal, Action::ManageAccounts, named);
        Ok(permit.await?.tenant().clone())
    }

    /// Tells the audit trail of a denial.
    fn tell(&self, refusal: &Refusal, principal: &Principal, caller: &Caller) {
        if let (Some(reason), Some(address)) = (refusal.denial(), caller.origin.address) {
            let from = (address, &caller.origin);
            self.authenticator.note_denied(principal, reason, from);
        }
    }
}

/// Lets a request pass, with [`Admitted`] among its extensions, or answers it.
pub(super) async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let admitted = gate.decide(&parts).await;
    request = Request::from_parts(parts, body);
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into_response(),
    };
    let (principal, caller) = (Arc::clone(&admitted.principal), admitted.caller.clone());
    let warning = admitted.warning.clone();
    request.extensions_mut().insert(admitted);
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        gate.tell(refusal, &principal, &caller);
    }
    let expires = principal.expires.to_string();
    if let Ok(expires) = HeaderValue::from_str(&expires) {
        response.headers_mut().insert(EXPIRES_AT, expires);
    }
    if let Some(Ok(warning)) = warning.map(HeaderValue::try_from) {
        response.headers_mut().insert(WARNING, warning);
    }
    response
}

/// Searches are sent as POST, and read.
fn changes_something(parts: &Parts) -> bool {
    parts.method != Method::GET && !parts.uri.path().ends_with("/search")
}

/// Whose a request is: by its token, or by the certificate of its connection.
pub(super) async fn identify(
    authenticator: &Authenticator,
    token: Option<Secret>,
    parts: &Parts,
    origin: &Origin,
) -> Result<Arc<Principal>, Refusal> {
    let peer = parts.extensions.get::<Peer>().ok_or_else(internal)?;
    let shown = peer.client.as_ref();
    let from = (address(origin)?, origin);
    let presented = token.map(Credential::Bearer);
    let found = authenticator.identify(presented, shown, from).await?;
    found.ok_or_else(Refusal::missing_credentials)
}

/// Where a request comes from, for the audit trail.
pub(super) fn origin(parts: &Parts) -> Origin {
    let id = parts.extensions.get::<RequestId>();
    Origin::of(parts, "https", id.map(|id| id.as_str().to_owned()))
}

/// Every connection has a peer.
pub(super) fn address(origin: &Origin) -> Result<IpAddr, Refusal> {
    origin.address.ok_or_else(internal)
}

/// The tenants that the request names.
pub(super) fn named(parts: &Parts) -> Result<Named<'_>, Refusal> {
    Ok(Named::of(parts)?)
}

fn tenant_missing() -> Refusal {
    let detail = "send the tenant in X-Forwarded-Tenant-Id";
    let problem = Problem::new("tenant_header_missing", detail).from(TENANT);
    Refusal::new(StatusCode::FORBIDDEN, problem)
}

/// When the token that was used ends, so that its holder can be warned in time.
pub(super) const EXPIRES_AT: HeaderName = HeaderName::from_static("x-token-expires-at");
