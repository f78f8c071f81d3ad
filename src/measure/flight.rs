//! One test packet on its way, and what became of it.

use crate::model::Timestamp;

use super::ntp::TimeFormat;
use super::packet::Reply;

/// A packet that was sent.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    /// T1.
    pub(super) sent: Timestamp,
    /// Its first reply.
    pub(super) echo: Option<Echo>,
    /// Further replies under the same reply number, doubled on the way back; under a stateless reflector, any.
    pub(super) twins: u16,
    /// Further replies under another reply number, doubled on the way out.
    pub(super) far_twins: u16,
}

/// A reply that came.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    /// The reply's own number.
    pub(super) reply: u32,
    /// Octets of UDP payload.
    pub(super) len: u16,
    /// T2.
    far_received: Timestamp,
    /// T3.
    far_sent: Timestamp,
    /// T4.
    arrived: Timestamp,
    scale: Scale,
    /// It came after the loss timeout, so its packet is lost.
    pub(super) is_late: bool,
    /// The reply to a packet sent later came earlier (RFC 4737 3.2).
    pub(super) is_misordered: bool,
    /// A reply sent later came earlier.
    pub(super) is_misordered_back: bool,
}

/// What the clocks of both ends say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// Both are synchronized to UTC.
    Common,
    /// At least one is not, or counts in PTP's time.
    Own,
}

impl Flight {
    pub(super) fn new(sent: Timestamp) -> Self {
        Self {
            sent,
            echo: None,
            twins: 0,
            far_twins: 0,
        }
    }

    /// The reply, if it came in time.
    pub(super) fn in_time(&self) -> Option<&Echo> {
        self.echo.as_ref().filter(|echo| !echo.is_late)
    }

    /// T2 - T1, in nanoseconds.
    pub(super) fn forward(&self) -> Option<i64> {
        let echo = self.in_time()?;
        Some(nanos_between(self.sent, echo.far_received))
    }

    /// T4 - T3, in nanoseconds.
    pub(super) fn back(&self) -> Option<i64> {
        let echo = self.in_time()?;
        Some(nanos_between(echo.far_sent, echo.arrived))
    }

    /// (T4 - T1) - (T3 - T2): what the reflector needed is not the network's. `None` when the result is
    /// negative, because a clock was set meanwhile.
    pub(super) fn round_trip(&self) -> Option<i64> {
        let echo = self.in_time()?;
        let away = nanos_between(self.sent, echo.arrived);
        let turning = nanos_between(echo.far_received, echo.far_sent);
        Some(away.saturating_sub(turning)).filter(|nanos| *nanos >= 0 && turning >= 0)
    }

    /// Whether T2 - T1 and T4 - T3 are delays, not only delays plus a constant.
    pub(super) fn is_absolute(&self) -> bool {
        self.in_time()
            .is_none_or(|echo| echo.scale == Scale::Common)
    }
}

impl Echo {
    pub(super) fn new(reply: &Reply, len: usize, arrived: Timestamp) -> Self {
        let format = reply.error.format();
        let is_common = format == TimeFormat::Ntp
            && reply.error.is_synchronized()
            && reply.probe.error.is_synchronized();
        Self {
            reply: reply.sequence,
            len: u16::try_from(len).unwrap_or(u16::MAX),
            far_received: reply.received.read(format),
            far_sent: reply.sent.read(format),
            arrived,
            scale: if is_common { Scale::Common } else { Scale::Own },
            is_late: false,
            is_misordered: false,
            is_misordered_back: false,
        }
    }
}

fn nanos_between(from: Timestamp, to: Timestamp) -> i64 {
    to.nanos().saturating_sub(from.nanos())
}

/// Thousands are kept per session.
const _: () = assert!(size_of::<Flight>() <= 64);
