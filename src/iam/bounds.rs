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

/// A change of a tenant's policy; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantPolicy {
    /// How long a token may live; inside, `None` is without limit.
    pub max_pat_lifetime: Option<Option<Duration>>,
    /// Tokens created before this are void for good: it only rises.
    pub tokens_not_before: Option<Timestamp>,
    /// How many active tokens the tenant may have; inside, `None` is without limit.
    pub max_pats: Option<Option<u32>>,
    /// How many active tokens each account may have; inside, `None` is without limit.
    pub max_account_pats: Option<Option<u32>>,
}

/// A change of an account's policy; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPolicy {
    /// Where credentials may be used from; empty means anywhere.
    pub networks: Option<Vec<IpNet>>,
    /// Tokens created before this are void for good: it only rises.
    pub tokens_not_before: Option<Timestamp>,
}

/// Whether an address lies in any of `networks`, or there are none.
pub(crate) fn lets_in(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(&address))
}
