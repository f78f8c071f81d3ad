//! In which tenant somebody acts, and whether it may: what every edge asks once it knows who calls.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use http::HeaderName;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use tokio::sync::Mutex;

use crate::model::Class;
use crate::model::Peer;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::Action;
use super::AuthError;
use super::Authenticator;
use super::Denied;
use super::Permit;
use super::Principal;
use super::Role;
use super::TenantRecord;
use super::TokenKind;
use super::permit;
use super::policy::choose_tenant;

/// The tenants that a request names besides its credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Named<'r> {
    /// In a header of its own. It can only confirm the credential's, or choose one for skylight-admin (iam X1).
    pub header: Option<&'r str>,
    /// In the name under which the gateway was dialled (RFC 6066 3).
    pub server_name: Option<&'r str>,
    /// In the name under which the gateway was asked: `Host`, or `:authority`.
    pub authority: Option<&'r str>,
}

impl<'r> Named<'r> {
    /// Those that an HTTP request names. Two headers that differ name none (iam section 8, 7).
    pub fn of(parts: &'r Parts) -> Result<Self, Denied> {
        let mut values = parts.headers.get_all(&TENANT_HEADER).iter();
        let header = match values.next() {
            None => None,
            Some(first) => match first.to_str() {
                Ok(name) if values.all(|value| value == first) => Some(name),
                _ => return Err(Denied::ForeignTenant),
            },
        };
        Ok(Self {
            header,
            ..Self::by_host(parts)
        })
    }

    /// The same where the header has no meaning.
    pub fn by_host(parts: &'r Parts) -> Self {
        let peer = parts.extensions.get::<Peer>();
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        Self {
            header: None,
            server_name: peer.and_then(|peer| peer.server_name.as_deref()),
            authority: parts.uri.authority().map(Authority::as_str).or(host),
        }
    }
}

/// The tenant's header.
pub const TENANT_HEADER: HeaderName = HeaderName::from_static("x-forwarded-tenant-id");

/// Why somebody known is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPermitted {
    /// The store cannot be asked.
    #[error("{0}")]
    Auth(AuthError),
    /// It may not.
    #[error("{0}")]
    Denied(Denied),
}

/// What tenants are called, and when that was read.
#[derive(Debug, Default)]
pub(super) struct TenantNames(Mutex<Option<(Timestamp, HashSet<String>)>>);

impl TenantNames {
    /// A new tenant is unknown here for so long, which harms nobody: its host name was nobody's before.
    const TTL: Duration = Duration::from_secs(10);
}

impl NotPermitted {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        match self {
            Self::Auth(error) => error.class(),
            Self::Denied(denied) => denied.class(),
        }
    }
}

impl From<AuthError> for NotPermitted {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl From<Denied> for NotPermitted {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl Authenticator {
    /// Tells in which tenant `principal` acts: its own, or another that there is, for skylight-admin. A name without a
    /// tenant must not make one.
    ///
    /// # Errors
    ///
    /// [`Denied::ForeignTenant`], or [`AuthError::Unavailable`] while the store cannot be asked.
    pub async fn tenant_of(
        &self,
        principal: &Principal,
        named: Named<'_>,
    ) -> Result<TenantId, NotPermitted> {
        let tenant = choose_tenant(principal, named.header)?;
        self.check_hosts(principal, named).await?;
        if tenant != principal.tenant && !self.knows_tenant(&tenant).await? {
            return Err(Denied::ForeignTenant.into());
        }
        Ok(tenant)
    }

    /// Tells whether `principal` may do `action`, and where. The tenant is looked at before the role (iam 2.2).
    ///
    /// # Errors
    ///
    /// [`NotPermitted`] says what is missing.
    pub async fn permit(
        &self,
        principal: &Principal,
        action: Action,
        named: Named<'_>,
    ) -> Result<Permit, NotPermitted> {
        let tenant = self.tenant_of(principal, named).await?;
        Ok(permit(principal, action, Some(tenant.as_str()))?)
    }

    /// Text for a `Warning` header (RFC 7234 5.5) in a token's last week (iam 2.1). The bearer of a login never lives longer.
    pub fn expiry_warning(&self, token: &Secret, principal: &Principal) -> Option<String> {
        let left = principal
            .expires
            .secs()
            .saturating_sub(self.0.time.now().secs());
        let is_session = TokenKind::of(token.expose()) == Some(TokenKind::Session);
        (!is_session && left < LAST_WEEK)
            .then(|| format!("299 tollgate \"token expires at {}\"", principal.expires))
    }

    /// A host name whose first label is a tenant's must be that of the credential's (iam X2); a skylight-admin is at home
    /// in all.
    async fn check_hosts(
        &self,
        principal: &Principal,
        named: Named<'_>,
    ) -> Result<(), NotPermitted> {
        let labels = [named.server_name, named.authority].map(|host| host.and_then(tenant_label));
        for label in labels.into_iter().flatten() {
            let is_own = label.eq_ignore_ascii_case(principal.tenant.as_str());
            if !is_own
                && !principal.roles.contains(Role::SkylightAdmin)
                && self.is_tenant_name(label).await?
            {
                return Err(Denied::ForeignTenant.into());
            }
        }
        Ok(())
    }

    /// Whether a tenant is called so, case aside, as of at most [`TenantNames::TTL`] ago; longer, while the store cannot be
    /// asked.
    async fn is_tenant_name(&self, label: &str) -> Result<bool, AuthError> {
        let label = label.to_ascii_lowercase();
        let now = self.0.time.now();
        let mut names = self.0.tenant_names.0.lock().await;
        let is_fresh =
            |(read, _): &(Timestamp, HashSet<String>)| now.since(*read) < TenantNames::TTL;
        if !names.as_ref().is_some_and(is_fresh) {
            match self.0.records.tenants().await {
                Ok(tenants) => {
                    let lower = |tenant: TenantRecord| tenant.id.as_str().to_ascii_lowercase();
                    *names = Some((now, tenants.into_iter().map(lower).collect()));
                }
                Err(_) if names.is_some() => {}
                Err(_) => return Err(AuthError::Unavailable),
            }
        }
        Ok(names
            .as_ref()
            .is_some_and(|(_, known)| known.contains(&label)))
    }

    async fn knows_tenant(&self, tenant: &TenantId) -> Result<bool, AuthError> {
        let found = self.0.records.tenant(tenant).await;
        Ok(found.map_err(|_| AuthError::Unavailable)?.is_some())
    }
}

/// The first label of a DNS name that has several: `tenant1` of `tenant1.gateway.example:443`. Addresses have none.
fn tenant_label(host: &str) -> Option<&str> {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    if host.starts_with('[') || name.parse::<Ipv4Addr>().is_ok() {
        return None;
    }
    name.split_once('.').map(|(label, _)| label)
}

/// Seconds.
const LAST_WEEK: i64 = 7 * 24 * 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_label_is_the_first_of_several() {
        for (host, label) in [
            ("pca.gateway.example", Some("pca")),
            ("pca.gateway:443", Some("pca")),
            ("localhost:8443", None),
            ("192.0.2.1:443", None),
            ("[2001:db8::1.2.3.4]:443", None),
            ("", None),
        ] {
            assert_eq!(tenant_label(host), label, "{host}");
        }
    }
}
