//! What is stored of tenants, accounts and tokens, and whether a token counts.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::AccountId;
use super::AccountKind;
use super::PatDigest;
use super::PatId;
use super::Roles;
use super::Scope;
use super::TokenKind;

/// A stored tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRecord {
    /// Its name, which is its id.
    pub id: TenantId,
    /// Active or disabled.
    pub state: State,
    /// How long a token of this tenant may live, at issue and at use; `None` is without limit.
    pub max_pat_lifetime: Option<Duration>,
    /// Tokens created before this are void: bulk revocation.
    pub tokens_not_before: Option<Timestamp>,
    /// How many active tokens it may have; `None` is without limit.
    pub max_pats: Option<u32>,
    /// How many active tokens each of its accounts may have; `None` is without limit.
    pub max_account_pats: Option<u32>,
    /// When it was created.
    pub created: Timestamp,
}

/// A stored account. Its password hash is apart, with [`super::port::Login`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    /// Its id.
    pub id: AccountId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Person or machine.
    pub kind: AccountKind,
    /// Unique in the tenant without regard to case, across people and machines.
    pub username: String,
    /// For people to read.
    pub name: String,
    /// For people to read.
    pub description: String,
    /// What it may do.
    pub roles: Roles,
    /// Roles that are taken from it until they are given back. While there are any, `roles` is empty.
    pub suspended: Roles,
    /// Active or disabled.
    pub state: State,
    /// When it ends, tokens included.
    pub expires: Expiry,
    /// Tokens created before this are void: bulk revocation.
    pub tokens_not_before: Option<Timestamp>,
    /// Where its credentials may be used from; empty means anywhere.
    pub networks: Vec<IpNet>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Counts the changes: a change made on an older version is refused.
    pub version: u64,
    /// Whether it has a client secret.
    pub has_secret: bool,
}

/// A stored token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatRecord {
    /// Its id.
    pub id: PatId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's tenant.
    pub tenant: TenantId,
    /// What it is for.
    pub kind: TokenKind,
    /// Unique among the account's tokens that are not revoked.
    pub name: String,
    /// For people to read.
    pub description: String,
    /// What it is narrowed to; empty means all that the roles allow.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; empty means anywhere.
    pub networks: Vec<IpNet>,
    /// The last four characters.
    pub hint: String,
    /// When it was issued.
    pub created: Timestamp,
    /// The account that issued it; `None` is the local operator.
    pub created_by: Option<AccountId>,
    /// When it ends by itself.
    pub expires: Expiry,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When and from where it was last used, to the minute.
    pub last_used: Option<LastUse>,
    /// The token by which it was issued, where it is revoked along with that one.
    pub parent: Option<PatId>,
}

/// A use of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub address: IpAddr,
}

/// Everything that decides whether a token counts, read at one moment.
#[derive(Clone, Debug)]
pub struct PatFacts {
    /// The token.
    pub pat: PatRecord,
    /// Its digest, to be compared once more in constant time (iam T5).
    pub digest: PatDigest,
    /// Its account.
    pub account: AccountRecord,
    /// The account's tenant.
    pub tenant: TenantRecord,
    /// The newest entry of the revocation log at that moment.
    pub seq: u64,
}

/// Everything that decides whether a certificate counts, read at one moment.
#[derive(Clone, Debug)]
pub struct HolderFacts {
    /// The account.
    pub account: AccountRecord,
    /// The account's tenant.
    pub tenant: TenantRecord,
    /// The newest entry of the revocation log at that moment.
    pub seq: u64,
}

/// Whether an account or a tenant is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Let in.
    Active,
    /// Refused until enabled again.
    Disabled,
}

/// Whether a token counts. The list and the authenticator both ask here, so they cannot disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does, until then.
    Active(Expiry),
    /// Its account or tenant is disabled; it comes back when they do.
    Disabled,
    /// Its time, its account's, or what the tenant allows, is over.
    Expired,
    /// It was revoked, alone or in bulk.
    Revoked,
}

impl AccountRecord {
    /// All that it may do, or may do again once its roles are given back: what who touches it must have.
    pub fn held(&self) -> Roles {
        self.roles.iter().chain(self.suspended.iter()).collect()
    }
}

impl State {
    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl Standing {
    /// The word that people see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active(_) => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// Whether a token counts at `now` (iam T8).
pub fn standing(
    pat: &PatRecord,
    account: &AccountRecord,
    tenant: &TenantRecord,
    now: Timestamp,
) -> Standing {
    let void = |not_before: Option<Timestamp>| not_before.is_some_and(|at| pat.created < at);
    if pat.revoked.is_some() || void(account.tokens_not_before) || void(tenant.tokens_not_before) {
        return Standing::Revoked;
    }
    let expires = end_of(pat, account, tenant);
    if expires.is_over(now) {
        Standing::Expired
    } else if account.state == State::Disabled || tenant.state == State::Disabled {
        Standing::Disabled
    } else {
        Standing::Active(expires)
    }
}

/// When a token ends, unless it is revoked: by its own date, its account's, or by what the tenant allows.
pub(crate) fn end_of(pat: &PatRecord, account: &AccountRecord, tenant: &TenantRecord) -> Expiry {
    let allowed = tenant
        .max_pat_lifetime
        .map_or(Expiry::NEVER, |most| latest(pat.created, most));
    pat.expires.min(account.expires).min(allowed)
}

/// When a token of that lifetime ends at the latest. Counts in seconds, because a far expiry has no [`Timestamp`].
pub(crate) fn latest(created: Timestamp, lifetime: Duration) -> Expiry {
    let secs = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    Expiry::from_secs(created.secs().saturating_add(secs))
}
