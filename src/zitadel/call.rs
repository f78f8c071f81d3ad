//! One call on its way: who calls, on whose organization, about what (iam 2.2).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use http::HeaderMap;
use http_body_util::BodyExt;
use http_body_util::LengthLimitError;
use http_body_util::Limited;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use crate::audit::Origin;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::Accounts;
use crate::iam::Action;
use crate::iam::Authenticator;
use crate::iam::Caller;
use crate::iam::Credential;
use crate::iam::Denied;
use crate::iam::Named;
use crate::iam::Principal;
use crate::model::Peer;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Service;
use super::credential::read_credential;
use super::credential::refuse_token_in;
use super::error::Error;
use super::json::parse;

/// A call by somebody known. Its message is not read before the permission is clear.
#[derive(Debug)]
pub(super) struct Call {
    service: Service,
    /// Who calls.
    pub(super) principal: Arc<Principal>,
    /// The same, for the accounts.
    pub(super) caller: Caller,
    /// That its token ends soon.
    pub(super) warning: Option<String>,
    params: Vec<(String, String)>,
    organization: Option<String>,
    /// Not read by two at once: the lock is never taken, it only makes the call shareable.
    body: Mutex<Body>,
}

/// What a call does with a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Everybody may, of itself.
    Read,
    /// A person may, for itself, unless its token is narrowed.
    Write,
}

impl Call {
    /// Tells who calls.
    pub(super) async fn open(
        service: Service,
        params: Vec<(String, String)>,
        id: &str,
        request: Request,
    ) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        refuse_token_in(&parts.uri)?;
        let peer = parts.extensions.get::<Peer>().ok_or(Error::Internal)?;
        if !peer.is_encrypted {
            return Err(Error::MissingCredentials);
        }
        // A certificate does where no credential is sent, not where a bad one is.
        let token = match read_credential(&parts.headers) {
            Err(Error::MissingCredentials) => None,
            read => Some(read?),
        };
        let credential = token.clone().map(Credential::Bearer);
        let address = peer.address.ip();
        let origin = Origin::of(&parts, "https", Some(id.to_owned()));
        let (shown, from) = (peer.client.as_ref(), (address, &origin));
        let identified = service.authenticator.identify(credential, shown, from);
        let principal = identified
            .await
            .map_err(Error::Refused)?
            .ok_or(Error::MissingCredentials)?;
        let named = Named::by_host(&parts);
        let chosen = service.authenticator.tenant_of(&principal, named).await;
        chosen.map_err(Error::from).inspect_err(|error| {
            tell(
                &service.authenticator,
                &principal,
                (address, &origin),
                error,
            );
        })?;
        Ok(Self {
            warning: token
                .and_then(|token| service.authenticator.expiry_warning(&token, &principal)),
            caller: Caller::principal(&principal, origin),
            principal,
            organization: text(&parts.headers, ORGANIZATION),
            service,
            params,
            body: Mutex::new(body),
        })
    }

    /// What tells the audit trail that the call was denied, if it was.
    pub(super) fn teller(&self) -> impl Fn(&Error) + use<> {
        let (service, principal) = (self.service.clone(), Arc::clone(&self.principal));
        let origin = self.caller.origin.clone();
        move |error| {
            if let Some(address) = origin.address {
                tell(
                    &service.authenticator,
                    &principal,
                    (address, &origin),
                    error,
                );
            }
        }
    }

    /// Counts a change by the caller (iam L5).
    pub(super) fn charge_write(&self) -> Result<(), Error> {
        let charged = self.service.authenticator.charge_write(&self.principal);
        charged.map_err(Error::Refused)
    }

    /// The accounts, to be asked as [`Call::caller`].
    pub(super) const fn accounts(&self) -> &Accounts {
        &self.service.accounts
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.service.clock.now()
    }

    /// Tells whether the caller may manage, and in which tenant: its own, or what `x-zitadel-orgid` names.
    pub(super) async fn manage(&self) -> Result<TenantId, Error> {
        let named = Named {
            header: self.organization.as_deref(),
            ..Named::default()
        };
        let authenticator = &self.service.authenticator;
        let permit = authenticator.permit(&self.principal, Action::ManageAccounts, named);
        let tenant = permit.await?.tenant().clone();
        let origin = &self.caller.origin;
        if let Some(address) = origin.address {
            authenticator.note_visit(&self.principal, &tenant, (address, origin));
        }
        Ok(tenant)
    }

    /// The same, but for the user of the path also the user itself.
    pub(super) async fn manage_or_own(&self, purpose: Purpose) -> Result<TenantId, Error> {
        let principal = &self.principal;
        let is_own = self.is_own()
            && self
                .organization
                .as_deref()
                .is_none_or(|named| named == principal.tenant.as_str());
        let may_self = match purpose {
            Purpose::Read => true,
            Purpose::Write => principal.kind == AccountKind::Person && principal.scopes.is_empty(),
        };
        match self.manage().await {
            Err(Error::Denied(Denied::MissingRole { .. })) if is_own && may_self => {
                Ok(principal.tenant.clone())
            }
            decided => decided,
        }
    }

    /// Whether the caller is the user of the path.
    pub(super) fn is_own(&self) -> bool {
        self.raw(USER) == Some(self.principal.account.to_string().as_str())
    }

    /// The user of the path. An id of another form than ours is simply not there.
    pub(super) fn user(&self) -> Result<AccountId, Error> {
        self.param(USER)?
            .parse()
            .map_err(|_| Error::NotFound("user"))
    }

    /// An id of the path.
    pub(super) fn param(&self, name: &str) -> Result<&str, Error> {
        self.raw(name)
            .filter(|text| (1..=ID_CHARS).contains(&text.chars().count()))
            .ok_or(Error::field("id", "must have 1 to 200 characters"))
    }

    /// Reads the message, after which there is none.
    pub(super) async fn message<T: DeserializeOwned + Default>(&mut self) -> Result<T, Error> {
        let body = Limited::new(std::mem::take(self.body.get_mut()), BODY_BYTES).collect();
        let Ok(read) = tokio::time::timeout(BODY_DEADLINE, body).await else {
            return Err(Error::field("body", "did not arrive in time"));
        };
        match read {
            Ok(body) => parse(&body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge),
            Err(_) => Err(Error::field("body", "broke off")),
        }
    }

    fn raw(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn tell(
    authenticator: &Authenticator,
    principal: &Principal,
    from: (IpAddr, &Origin),
    error: &Error,
) {
    if let Some(denied) = error.denied() {
        authenticator.note_denied(principal, denied.reason(), from);
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The name of the user in every path.
pub(super) const USER: &str = "user";

const ORGANIZATION: &str = "x-zitadel-orgid";

/// Characters, as Zitadel bounds ids.
const ID_CHARS: usize = 200;

/// The largest message, a search with many conditions, needs a tenth.
pub(super) const BODY_BYTES: usize = 64 << 10;

/// A message of one or two packets, over a bad line.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
