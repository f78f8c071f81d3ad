//! What this room counts (iam R10).

use std::fmt;

use crate::meter;
use crate::meter::Counter;
use crate::meter::Gauge;
use crate::meter::Histogram;

use super::AuthError;
use super::Reason;

/// The room's metrics.
pub(crate) struct Meters {
    /// Look-ups answered from the positive cache.
    pub(crate) hits: Counter,
    /// Look-ups that went to the store.
    pub(crate) misses: Counter,
    /// Look-ups answered from the negative cache.
    pub(crate) negatives: Counter,
    /// Open sessions.
    pub(crate) streams: Gauge,
    /// Seconds from a revocation's commit to its effect here.
    pub(crate) propagation: Histogram,
    closed: Vec<(Reason, Counter)>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let closed = |reason: Reason| {
            let name = "tollgate_auth_streams_closed_total";
            (
                reason,
                meter::labelled_counter(name, "reason", reason.as_str()),
            )
        };
        Self {
            hits: meter::counter(
                "tollgate_auth_cache_hits_total",
                "Credentials found in the positive cache.",
            ),
            misses: meter::counter(
                "tollgate_auth_cache_misses_total",
                "Credentials looked up in the store.",
            ),
            negatives: meter::counter(
                "tollgate_auth_cache_negatives_total",
                "Credentials refused from the negative cache.",
            ),
            streams: meter::gauge("tollgate_auth_live_sessions", "Open RPCs."),
            propagation: meter::histogram(
                "tollgate_auth_revocation_propagation_seconds",
                "From a revocation's commit to its effect in this process.",
            ),
            closed: Reason::ALL.into_iter().map(closed).collect(),
        }
    }

    pub(crate) fn closed(&self, reason: Reason) {
        if let Some((_, counter)) = self.closed.iter().find(|(known, _)| *known == reason) {
            counter.increment(1);
        }
    }

    /// Denials are as rare.
    pub(crate) fn denied(reason: &'static str) {
        let name = "tollgate_auth_denials_total";
        meter::labelled_counter(name, "reason", reason).increment(1);
    }

    /// Failures are rare enough to look their counter up.
    pub(crate) fn failed(error: AuthError) {
        let name = "tollgate_auth_failures_total";
        meter::labelled_counter(name, "reason", error.reason()).increment(1);
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}
