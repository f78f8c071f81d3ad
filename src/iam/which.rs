//! Some tokens of an account.

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
