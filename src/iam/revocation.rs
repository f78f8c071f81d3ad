//! The revocation log: numbered changes that take away or give back (iam R3).

use std::sync::Arc;

use crate::model::Expiry;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::AccountId;
use super::Bounds;
use super::PatId;
use super::Principal;
use super::Roles;

/// One entry of the log, written in the same transaction as the change itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Grows with every entry, in the order in which transactions become visible.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// In which tenant.
    pub tenant: TenantId,
    /// Whose credentials are affected.
    pub subject: Affected,
    /// How.
    pub change: Change,
}

/// Whose credentials a change affects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Affected {
    /// All of an account.
    Account(AccountId),
    /// One certificate of our own authority.
    Certificate(Serial),
    /// One token.
    Pat(PatId),
    /// All of a tenant.
    Tenant(TenantId),
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An account's or a tenant's credentials are bounded so now.
    Bounds(Arc<Bounds>),
    /// Something new, which may have been looked for in vain before.
    Created,
    /// Gone for good.
    Deleted,
    /// Refused until enabled.
    Disabled,
    /// Let in again.
    Enabled,
    /// Another password; ends what was opened with the old one.
    Password,
    /// A token or certificate withdrawn.
    Revoked,
    /// The account has these roles now.
    Roles(Roles),
    /// A token ends earlier than it did.
    Shortened(Expiry),
    /// Wrong passwords are forgotten.
    Unlocked,
}

impl Affected {
    /// All by which a principal can be affected.
    pub(crate) fn of(principal: &Principal) -> impl Iterator<Item = Self> {
        let pat = principal.token.map(Self::Pat);
        let certificate = principal.certificate.map(Self::Certificate);
        let others = [
            Self::Account(principal.account),
            Self::Tenant(principal.tenant.clone()),
        ];
        pat.into_iter().chain(certificate).chain(others)
    }
}

impl Change {
    /// The stored word; what a change carries is stored beside it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Bounds(_) => "bounds",
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Password => "password",
            Self::Revoked => "revoked",
            Self::Roles(_) => "roles",
            Self::Shortened(_) => "shortened",
            Self::Unlocked => "unlocked",
        }
    }

    /// Whether anybody can lose something by it.
    pub(crate) const fn takes_away(&self) -> bool {
        !matches!(self, Self::Created | Self::Enabled | Self::Unlocked)
    }
}
