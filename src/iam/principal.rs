//! Who, after verification.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::audit::Actor;
use crate::model::Expiry;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::AccountId;
use super::PatId;
use super::Reason;
use super::Roles;
use super::Scope;
use super::bounds::lets_in;

/// Who a credential belongs to and what it may be used for, as the store had it at revocation number `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// The account's tenant.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// Its name within the tenant.
    pub username: Arc<str>,
    /// Person or machine.
    pub kind: AccountKind,
    /// The account's roles; with a certificate, those of the certificate that the account's cover.
    pub roles: Roles,
    /// The token used; `None` after a login with a password or a certificate.
    pub token: Option<PatId>,
    /// The certificate used, where there was no other credential.
    pub certificate: Option<Serial>,
    /// The roles that the certificate used is narrowed to, whatever the account's own are.
    pub narrowed_to: Option<Roles>,
    /// What the token is narrowed to; empty means all that the roles allow.
    pub scopes: Arc<[Scope]>,
    /// Where the token may be used from; empty means anywhere.
    pub networks: Arc<[IpNet]>,
    /// Where any of the account's credentials may be used from; empty means anywhere.
    pub account_networks: Arc<[IpNet]>,
    /// When the token was created; `None` after a login with a password.
    pub issued: Option<Timestamp>,
    /// When the credential ends.
    pub expires: Expiry,
    /// The newest entry of the revocation log that this already reflects.
    pub seq: u64,
}

impl Principal {
    /// Whether a password opened it, and another password ends it.
    pub(crate) const fn is_by_password(&self) -> bool {
        self.token.is_none() && self.certificate.is_none()
    }

    /// Why its sessions end when its time is over.
    pub(crate) const fn expiry_reason(&self) -> Reason {
        if self.certificate.is_some() {
            Reason::CertificateExpired
        } else {
            Reason::TokenExpired
        }
    }

    /// What is left of its credential's rights when its account has `roles`: a certificate only ever narrows.
    pub(crate) fn effective(&self, roles: Roles) -> Roles {
        self.narrowed_to.map_or(roles, |own| own.covered_by(roles))
    }

    /// Whether the credential may be used from `address` (iam L6).
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        lets_in(&self.networks, address) && lets_in(&self.account_networks, address)
    }
}

impl Principal {
    /// As the audit trail names it.
    pub(crate) fn as_audit(&self) -> Actor {
        Actor::Account {
            id: self.account.to_string(),
            tenant: self.tenant.clone(),
            token: self.token.map(|token| token.to_string()),
            certificate: self.certificate.map(|serial| serial.to_string()),
        }
    }
}

/// What stands behind an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// A service account: tokens only.
    Machine,
    /// Somebody with a password.
    Person,
}

impl AccountKind {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Person => "person",
        }
    }
}
