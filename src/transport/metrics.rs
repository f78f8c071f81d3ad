//! What operators see of connections. All listeners of a process share these.

use std::time::Duration;

use h2::Reason;

use crate::meter;
use crate::meter::Counter;
use crate::meter::Gauge;
use crate::meter::Histogram;

use super::limits::Refusal;

/// The metrics of this room.
#[derive(Clone)]
pub(super) struct Metrics {
    /// Connections that are open now.
    pub(super) open: Gauge,
    /// Connections taken in.
    pub(super) accepted: Counter,
    /// Accepts that the system refused, such as for want of file descriptors.
    pub(super) accept_errors: Counter,
    /// Connection tasks that panicked: each is a bug.
    pub(super) panics: Counter,
    /// Time of the handshakes that succeeded.
    pub(super) handshake_seconds: Histogram,
    refused_address: Counter,
    refused_total: Counter,
    refused_cool_off: Counter,
    refused_silent: Counter,
    delayed: Counter,
    lost: Counter,
    flooded: Counter,
}

/// Why a handshake failed: the label of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandshakeFailure {
    /// The peer sent an alert, such as for an unknown CA.
    Alert,
    /// No common application protocol.
    Alpn,
    /// The peer's certificate was refused.
    Certificate,
    /// The peer went away.
    Closed,
    /// The peer took too long.
    Deadline,
    /// No common TLS version, cipher suite or group.
    Incompatible,
    /// What came was not TLS, or broke its rules.
    Protocol,
    /// A listed balancer did not begin with a PROXY protocol header.
    ProxyHeader,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let refused = |reason| {
            meter::labelled_counter("tollgate_connections_refused_total", "reason", reason)
        };
        Self {
            open: meter::gauge("tollgate_connections_open", "Connections that are open."),
            accepted: meter::counter(
                "tollgate_connections_accepted_total",
                "Connections that were taken in.",
            ),
            accept_errors: meter::counter(
                "tollgate_accept_errors_total",
                "Accepts that the system refused.",
            ),
            panics: meter::counter(
                "tollgate_connection_panics_total",
                "Connection tasks that ended by a bug.",
            ),
            handshake_seconds: meter::histogram(
                "tollgate_handshake_seconds",
                "Time from accept to the end of the TLS handshake.",
            ),
            refused_address: refused("address_limit"),
            refused_total: refused("total_limit"),
            refused_cool_off: refused("cool_off"),
            refused_silent: refused("silent"),
            delayed: meter::counter(
                "tollgate_connections_delayed_total",
                "Connections that began later because peers at their address had broken HTTP/2's rules.",
            ),
            lost: meter::counter(
                "tollgate_connections_certificate_lost_total",
                "Connections that ended because their client certificate did not count any more.",
            ),
            flooded: meter::counter(
                "tollgate_connections_flooded_total",
                "Connections that ended because their peer sent too many HTTP/2 frames that carry nothing.",
            ),
        }
    }

    /// A connection over a limit was closed.
    pub(super) fn refused(&self, refusal: Refusal) {
        match refusal {
            Refusal::Address => self.refused_address.increment(1),
            Refusal::Total => self.refused_total.increment(1),
            Refusal::CoolOff => self.refused_cool_off.increment(1),
        }
    }

    /// A connection begins, which may have had to wait for it.
    pub(super) fn began(&self, has_waited: bool) {
        if has_waited {
            self.delayed.increment(1);
        }
    }

    /// A connection that never sent a request was closed.
    pub(super) fn silent(&self) {
        self.refused_silent.increment(1);
    }

    /// A connection ended because its client certificate did not count any more.
    pub(super) fn lost(&self) {
        self.lost.increment(1);
    }

    /// A connection ended because its peer flooded it.
    pub(super) fn flooded(&self) {
        self.flooded.increment(1);
    }

    /// A connection ended because its peer broke HTTP/2's rules or exceeded a limit.
    pub(super) fn violated(reason: Reason) {
        let name = "tollgate_http2_violations_total";
        meter::labelled_counter(name, "reason", label(reason)).increment(1);
    }

    /// A handshake succeeded.
    pub(super) fn shook_hands(&self, took: Duration) {
        self.handshake_seconds.record(took.as_secs_f64());
    }

    /// A handshake failed.
    pub(super) fn handshake_failed(failure: HandshakeFailure) {
        let name = "tollgate_handshake_failures_total";
        meter::labelled_counter(name, "reason", failure.as_str()).increment(1);
    }
}

/// The label of a reason that HTTP/2 has for ending a connection (RFC 9113 7).
const fn label(reason: Reason) -> &'static str {
    match reason {
        Reason::PROTOCOL_ERROR => "protocol_error",
        Reason::FLOW_CONTROL_ERROR => "flow_control_error",
        Reason::FRAME_SIZE_ERROR => "frame_size_error",
        Reason::COMPRESSION_ERROR => "compression_error",
        Reason::ENHANCE_YOUR_CALM => "enhance_your_calm",
        _ => "other",
    }
}

impl HandshakeFailure {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Alpn => "alpn",
            Self::Certificate => "certificate",
            Self::Closed => "closed",
            Self::Deadline => "deadline",
            Self::Incompatible => "incompatible",
            Self::Protocol => "protocol",
            Self::ProxyHeader => "proxy_header",
        }
    }
}
