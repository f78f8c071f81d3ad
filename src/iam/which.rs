//! Some tokens of an account.

use crate::model::Expiry;
use crate::model::Timestamp;

use super::PatId;

/// Which tokens of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one, of either kind.
    One(PatId),
    /// All to which both apply.
    All {
        /// Only those created before.
        created_before: Option<Timestamp>,
        /// Only those not used since, and not created since.
        unused_since: Option<Timestamp>,
    },
}

impl Which {
    /// All of them.
    pub const ALL: Self = Self::All {
        created_before: None,
        unused_since: None,
    };
}

/// Which tokens of a tenant; all conditions hold at once, and one must be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Only those created before.
    pub created_before: Option<Timestamp>,
    /// Only those not used since, and not created since.
    pub unused_since: Option<Timestamp>,
    /// Only those that end before.
    pub expires_before: Option<Expiry>,
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Tokens that it names and that the caller may revoke.
    pub matched: u64,
    /// How many are revoked now: of them, and of what was issued by them.
    pub revoked: u64,
    /// Tokens that it names and whose accounts have more rights than the caller.
    pub skipped: u64,
}
