//! What is counted for the operator.

use crate::meter;
use crate::meter::Counter;

/// Counts of all sessions together.
pub(super) struct SenderMeters {
    pub(super) sent: Counter,
    pub(super) received: Counter,
    pub(super) lost: Counter,
    /// Replies too late, doubled or not ours.
    pub(super) ignored: Counter,
    /// Reports that nobody took in time.
    pub(super) reports_dropped: Counter,
}

/// Counts of all reflectors together.
pub(super) struct ReflectorMeters {
    pub(super) reflected: Counter,
    pub(super) failed: Counter,
    pub(super) forbidden: Counter,
    pub(super) full: Counter,
    pub(super) malformed: Counter,
    pub(super) throttled: Counter,
}

impl SenderMeters {
    pub(super) fn new() -> Self {
        Self {
            sent: meter::counter(
                "tollgate_measure_packets_sent_total",
                "Test packets that measurement sessions sent",
            ),
            received: meter::counter(
                "tollgate_measure_packets_received_total",
                "Test packets that were answered in time",
            ),
            lost: meter::counter(
                "tollgate_measure_packets_lost_total",
                "Test packets that were not answered in time",
            ),
            ignored: meter::counter(
                "tollgate_measure_packets_ignored_total",
                "Replies that came too late, again, or to no packet",
            ),
            reports_dropped: meter::counter(
                "tollgate_measure_reports_dropped_total",
                "Reports that were not taken in time",
            ),
        }
    }
}

impl ReflectorMeters {
    pub(super) fn new() -> Self {
        let packets = |outcome| {
            meter::labelled_counter("tollgate_reflector_packets_total", "outcome", outcome)
        };
        Self {
            reflected: packets("reflected"),
            failed: packets("failed"),
            forbidden: packets("forbidden"),
            full: packets("full"),
            malformed: packets("malformed"),
            throttled: packets("throttled"),
        }
    }
}
