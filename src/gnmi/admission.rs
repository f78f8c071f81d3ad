//! Letting an RPC in: metadata → credential → principal → permit, before anything of the request is read
//! (iam 2.2).

use std::net::IpAddr;
use std::sync::Arc;

use http::header::USER_AGENT;
use http::request::Parts;
use tonic::Status;

use crate::audit::Actor;
use crate::audit::Origin;
use crate::iam::Action;
use crate::iam::Authenticator;
use crate::iam::Credential;
use crate::iam::LiveSession;
use crate::iam::Named;
use crate::iam::NotPermitted;
use crate::iam::Permit;
use crate::iam::Principal;
use crate::iam::Registry;
use crate::iam::RegistryError;
use crate::iam::Source;
use crate::model::Peer;

use super::credential::read_credential;
use super::credential::read_tenant;
use super::error::Error;
use super::status;

/// Somebody who has been let in, for the audit trail: what a request is about is known only when it has been read.
#[derive(Debug)]
pub(super) struct Asker {
    authenticator: Authenticator,
    principal: Arc<Principal>,
    address: IpAddr,
    origin: Origin,
}

impl Asker {
    /// Tells the audit trail, where the error means that more was wanted than may be.
    pub(super) fn note(&self, error: &Error) {
        if let Some(reason) = error.denial() {
            let from = (self.address, &self.origin);
            let authenticator = &self.authenticator;
            authenticator.note_denied(&self.principal, reason, from);
        }
    }

    pub(super) const fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn actor(&self) -> Actor {
        self.principal.as_audit()
    }
}

/// Decides who gets in.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    authenticator: Authenticator,
    registry: Registry,
}

impl Admission {
    /// Asks `authenticator` who a peer is, and enters open streams into `registry`.
    pub(super) fn new(authenticator: Authenticator, registry: Registry) -> Self {
        Self {
            authenticator,
            registry,
        }
    }

    /// Tells who sends a request.
    pub(super) async fn authenticate(&self, parts: &Parts) -> Result<Arc<Principal>, Status> {
        let (peer, credential) = credential(parts)?;
        let (shown, from) = (peer.client.as_ref(), source(peer, parts));
        let identified = self.authenticator.identify(credential, shown, from).await;
        identified
            .map_err(status::refused)?
            .ok_or_else(|| Status::unauthenticated("credentials are missing"))
    }

    /// Tells whether the sender of a request may do `action`, in which tenant, and who it is.
    pub(super) async fn admit(
        &self,
        parts: &Parts,
        action: Action,
    ) -> Result<(Permit, Asker), Status> {
        let principal = self.authenticate(parts).await?;
        let permit = self.permit_principal(parts, &principal, action).await?;
        let asker = self.asker(parts, principal)?;
        Ok((permit, asker))
    }

    /// Who asks.
    pub(super) fn asker(&self, parts: &Parts, principal: Arc<Principal>) -> Result<Asker, Status> {
        Ok(Asker {
            authenticator: self.authenticator.clone(),
            principal,
            address: peer(parts)?.address.ip(),
            origin: Origin::of(parts, PROTOCOL, None),
        })
    }

    /// Opens a live session for a stream, of which an account may have `limit`.
    pub(super) async fn open(
        &self,
        parts: &Parts,
        action: Action,
        limit: u32,
    ) -> Result<LiveSession, Status> {
        let opened = self.try_open(parts, action, limit).await?;
        // The principal may come from a cache that a revocation has overtaken: look again, once.
        match opened {
            Err(RegistryError::Outdated) => self.try_open(parts, action, limit).await?,
            opened => opened,
        }
        .map_err(status::not_opened)
    }

    async fn try_open(
        &self,
        parts: &Parts,
        action: Action,
        limit: u32,
    ) -> Result<Result<LiveSession, RegistryError>, Status> {
        let principal = self.authenticate(parts).await?;
        let permit = self.permit_principal(parts, &principal, action).await?;
        let from = source(peer(parts)?, parts);
        Ok(self.registry.open(&principal, &permit, from, limit))
    }

    async fn permit_principal(
        &self,
        parts: &Parts,
        principal: &Principal,
        action: Action,
    ) -> Result<Permit, Status> {
        let peer = parts.extensions.get::<Peer>();
        let named = Named {
            header: read_tenant(&parts.headers)?,
            server_name: peer.and_then(|peer| peer.server_name.as_deref()),
            authority: parts.uri.authority().map(http::uri::Authority::as_str),
        };
        let permitted = self.authenticator.permit(principal, action, named).await;
        if let Some(peer) = peer {
            let from = source(peer, parts);
            match &permitted {
                Ok(permit) => self
                    .authenticator
                    .note_visit(principal, permit.tenant(), from),
                Err(NotPermitted::Denied(denied)) => {
                    let reason = denied.reason();
                    self.authenticator.note_denied(principal, reason, from);
                }
                Err(_) => {}
            }
        }
        permitted.map_err(status::not_permitted)
    }
}

/// Where a request comes from.
fn source<'r>(peer: &Peer, parts: &'r Parts) -> Source<'r> {
    let agent = parts.headers.get(USER_AGENT);
    Source {
        address: peer.address.ip(),
        protocol: PROTOCOL,
        // gRPC's own are short and plain; what is longer or not ASCII says nothing.
        client: agent
            .and_then(|agent| agent.to_str().ok())
            .and_then(|agent| agent.get(..agent.len().min(USER_AGENT_CHARS))),
        request: None,
    }
}

/// Credentials are taken over an encrypted connection alone (iam 2.6; gNMI spec 3.1).
fn credential(parts: &Parts) -> Result<(&Peer, Option<Credential>), Status> {
    let peer = peer(parts)?;
    if !peer.is_encrypted {
        return Err(Status::unauthenticated(
            "credentials are not taken over plain text",
        ));
    }
    Ok((peer, read_credential(&parts.headers)?))
}

fn peer(parts: &Parts) -> Result<&Peer, Status> {
    let peer = parts.extensions.get::<Peer>();
    peer.ok_or_else(|| Status::internal("connection without a peer"))
}

const PROTOCOL: &str = "gnmi";

/// Enough to tell programs and their versions apart.
const USER_AGENT_CHARS: usize = 200;
