//! What a subscriber asked for, parsed: nothing in here needs checking again.

use std::sync::Arc;
use std::time::Duration;

use super::Pattern;
use super::Target;

/// A parsed SubscriptionList.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionList {
    /// Whose data.
    pub target: TargetSelector,
    /// Once, on poll, or as a stream.
    pub mode: Mode,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
    /// Leave out what exists already (gNMI spec 3.5.2.3).
    pub updates_only: bool,
    /// How many levels below each path; `None` is all (gnmi-depth).
    pub depth: Option<u32>,
}

/// Whose data a request asks for (design 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TargetSelector {
    /// `*`: every named target of the tenant, those to come included.
    All,
    /// Any of these, those to come included: what a credential reaches of `*`.
    Among(Arc<[Target]>),
    /// One target; the gateway's own data where no name was given.
    One(Target),
}

impl TargetSelector {
    /// Whether the target's data is asked for. `*` stands for named targets alone.
    pub fn means(&self, target: &Target) -> bool {
        match self {
            Self::All => !target.is_own(),
            Self::Among(some) => some.contains(target),
            Self::One(one) => one == target,
        }
    }
}

/// gNMI spec 3.5.1.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// All values, one sync, end.
    Once,
    /// All values and one sync, again on each poll.
    Poll,
    /// All values, one sync, then what each subscription's trigger says.
    Stream,
}

/// One path of a list, and when its leaves are sent. The trigger counts in a stream alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The leaves.
    pub pattern: Pattern,
    /// When they are sent.
    pub trigger: Trigger,
}

/// gNMI spec 3.5.1.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// On every change of value, creation and deletion; and all of them once per heartbeat, if there is one.
    OnChange {
        /// Sends unchanged leaves too, this often.
        heartbeat: Option<Duration>,
    },
    /// Once per interval.
    Sample {
        /// Between two samples.
        interval: Duration,
        /// Leaves out what has not changed since it was last sent.
        suppress: Option<Suppress>,
    },
}

/// suppress_redundant, and what overrides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppress {
    /// One update per heartbeat regardless; at least as long as the sample interval.
    pub heartbeat: Option<Duration>,
}
