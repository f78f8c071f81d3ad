//! Which events somebody wants to read.

use crate::model::TenantId;
use crate::model::Timestamp;

use super::Kind;

/// Which events are asked for. All conditions hold at once; they come oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those that this tenant may read of; `None` is all of all tenants, and of none.
    pub tenant: Option<TenantId>,
    /// Only those after this number: the last one of the page before.
    pub after: u64,
    /// At most so many; never more than [`MOST_EVENTS`].
    pub limit: u32,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those by or about the account of this id.
    pub account: Option<String>,
    /// Only those from this time on.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub until: Option<Timestamp>,
}

impl EventQuery {
    /// The first page of a tenant's events.
    pub const fn of(tenant: Option<TenantId>) -> Self {
        Self {
            tenant,
            after: 0,
            limit: MOST_EVENTS,
            kind: None,
            account: None,
            from: None,
            until: None,
        }
    }
}

/// The largest page: about half a megabyte.
pub const MOST_EVENTS: u32 = 500;
