//! What an account or a tenant allows its tokens, whenever they were issued.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::model::Timestamp;

/// The bounds on all credentials of an account or a tenant. They hold at issue and at use (iam T8, L6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// How long a token may live; `None` is without limit. A tenant's alone.
    pub max_lifetime: Option<Duration>,
    /// Tokens created before this are void.
    pub not_before: Option<Timestamp>,
    /// Where credentials may be used from; empty means anywhere. An account's alone.
    pub networks: Vec<IpNet>,
}

/// A change of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit<T> {
    /// It stays as it is.
    #[default]
    Kept,
    /// There is none any more.
    Lifted,
    /// It is this now.
    Set(T),
}

/// A change of a tenant's policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantPolicy {
    /// How long a token may live.
    pub max_pat_lifetime: Limit<Duration>,
    /// Tokens created before this are void for good: it only rises.
    pub tokens_not_before: Option<Timestamp>,
    /// How many active tokens the tenant may have.
    pub max_pats: Limit<u32>,
    /// How many active tokens each account may have.
    pub max_account_pats: Limit<u32>,
}

/// A change of an account's policy; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPolicy {
    /// Where credentials may be used from; empty means anywhere.
    pub networks: Option<Vec<IpNet>>,
    /// Tokens created before this are void for good: it only rises.
    pub tokens_not_before: Option<Timestamp>,
}

impl<T> Limit<T> {
    /// The same of another type, if that has such a value.
    pub fn try_map<U>(self, map: impl FnOnce(T) -> Option<U>) -> Option<Limit<U>> {
        match self {
            Self::Kept => Some(Limit::Kept),
            Self::Lifted => Some(Limit::Lifted),
            Self::Set(limit) => map(limit).map(Limit::Set),
        }
    }

    /// What a limit is after the change.
    pub fn after(self, known: Option<T>) -> Option<T> {
        match self {
            Self::Kept => known,
            Self::Lifted => None,
            Self::Set(limit) => Some(limit),
        }
    }
}

/// Whether an address lies in any of `networks`, or there are none.
pub(crate) fn lets_in(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(&address))
}
