//! Letting a request in: TLS → credential → tenant → role, before anything of its body is read.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Origin;
use crate::audit::Subject;
use crate::iam::Action;
use crate::iam::Credential;
use crate::iam::LiveSession;
use crate::iam::Named;
use crate::iam::Permit;
use crate::iam::Principal;
use crate::iam::RegistryError;
use crate::iam::basic_password;
use crate::iam::bearer_token;
use crate::model::Peer;
use crate::model::TenantId;

use super::Service;
use super::error::Refusal;

/// Somebody who has been let in.
#[derive(Clone, Debug)]
pub(super) struct Admitted {
    principal: Arc<Principal>,
    origin: Origin,
    permit: Permit,
    /// Whose configuration it is about.
    pub(super) tenant: TenantId,
}

impl Service {
    /// Lets a request in that wants to do `action`.
    pub(super) async fn admit(&self, parts: &Parts, action: Action) -> Result<Admitted, Refusal> {
        let peer = parts.extensions.get::<Peer>();
        let peer = peer.ok_or_else(Refusal::internal)?;
        if !peer.is_encrypted {
            let message = "credentials are not taken over plain text";
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "access-denied",
                message,
            ));
        }
        let origin = Origin::of(parts, "restconf", None);
        let from = (peer.address.ip(), &origin);
        let presented = credential(&parts.headers)?;
        let shown = peer.client.as_ref();
        let principal = self.authenticator.identify(presented, shown, from).await?;
        let principal = principal.ok_or_else(Refusal::missing_credentials)?;
        let permit = match Named::of(parts) {
            Ok(named) => self.authenticator.permit(&principal, action, named).await,
            Err(denied) => Err(denied.into()),
        };
        let permit = permit.map_err(Refusal::from).inspect_err(|refusal| {
            if let Some(reason) = refusal.denial {
                self.authenticator.note_denied(&principal, reason, from);
            }
        })?;
        self.authenticator
            .note_visit(&principal, permit.tenant(), from);
        Ok(Admitted {
            tenant: permit.tenant().clone(),
            permit,
            principal,
            origin,
        })
    }

    /// Opens a live session for a stream, which ends when its credential does.
    pub(super) async fn open(&self, parts: &Parts) -> Result<LiveSession, Refusal> {
        let mut outcome = Err(RegistryError::Outdated);
        // The principal may come from a cache that a revocation has overtaken: look again, once.
        for _attempt in 0..2 {
            let admitted = self.admit(parts, Action::ReadConfig).await?;
            let address = admitted.origin.address.ok_or_else(Refusal::internal)?;
            let from = (address, &admitted.origin);
            let (principal, permit) = (&admitted.principal, &admitted.permit);
            outcome = self.registry.open(principal, permit, from, MOST_STREAMS);
            if !matches!(outcome, Err(RegistryError::Outdated)) {
                break;
            }
        }
        Ok(outcome?)
    }

    /// What the audit trail says about a change of `what`.
    pub(super) fn event(&self, admitted: &Admitted, method: &str, what: &str) -> Event {
        let actor = admitted.principal.as_audit();
        let mut event = Event::new(self.clock.now(), Kind::ConfigChanged, actor);
        event.origin = admitted.origin.clone();
        event.tenant = Some(admitted.tenant.clone());
        event.subject = Some(Subject {
            kind: "config",
            id: what.chars().take(SUBJECT_CHARS).collect(),
            name: None,
        });
        event.detail = Some(method.to_owned());
        event
    }
}

/// A bearer token, or a user name with a password or a token, as NSO's NED sends it; `None` where there is no header.
fn credential(headers: &HeaderMap) -> Result<Option<Credential>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Refusal::invalid("Authorization is given more than once"));
    }
    let Some(first) = first else {
        return Ok(None);
    };
    let text = first.to_str().map_err(|_| Refusal::missing_credentials())?;
    let credential = bearer_token(text)
        .map(Credential::Bearer)
        .or_else(|| basic_password(text));
    credential
        .map(Some)
        .ok_or_else(Refusal::missing_credentials)
}

/// Streams that an account may have open at once, those of gNMI included.
const MOST_STREAMS: u32 = 100;

/// Paths are longer than this only for those who mean harm.
const SUBJECT_CHARS: usize = 400;
