//! HTTP/2 frames that ask for work and carry nothing.
//!
//! Each PING and each SETTINGS gets an answer, and each WINDOW_UPDATE may get a DATA frame, be it for one byte, so that
//! a peer makes us work for less than it costs itself (CVE-2019-9511, -9512, -9515, -9518). Honest clients send these
//! frames for what they were sent: that earns them, and beyond it there is a steady rate. Who exceeds both loses the
//! connection.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

/// Tells who serves a connection that its peer floods it. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Flood(Arc<AtomicBool>);

/// Watches the frames of one connection. Costs a comparison per frame.
#[derive(Debug)]
pub(super) struct Guard {
    reading: Reading,
    budget: Budget,
    flood: Flood,
}

/// Where in the peer's bytes we are.
#[derive(Debug)]
enum Reading {
    /// So many bytes of HTTP/2's preface have come.
    Preface(u8),
    /// So many bytes of a frame's header have come.
    Header([u8; HEADER_LEN], u8),
    /// So many bytes of a frame's payload are still to come.
    Payload(u32),
    /// This is no HTTP/2.
    Other,
}

/// How many frames without content the peer may still send.
#[derive(Debug)]
struct Budget {
    left: u32,
    /// Bytes sent that have not earned a frame yet.
    sent: u32,
    /// When the steady rate was counted last.
    counted: Instant,
}

impl Flood {
    /// Whether the peer has exceeded what it may send.
    pub(super) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// A guard for the connection that begins now.
    pub(super) fn guard(&self, now: Instant) -> Guard {
        Guard {
            reading: Reading::Preface(0),
            budget: Budget {
                left: BURST,
                sent: 0,
                counted: now,
            },
            flood: self.clone(),
        }
    }
}

impl Guard {
    /// Notes what the peer has sent. False when that was too much: the flood has begun.
    pub(super) fn admit(&mut self, received: &[u8], now: impl FnOnce() -> Instant) -> bool {
        let frames = self.reading.count(received);
        let is_admitted = self.budget.take(frames, now);
        if !is_admitted {
            self.flood.0.store(true, Ordering::Relaxed);
        }
        is_admitted
    }

    /// Notes what the peer was sent.
    pub(super) fn note_sent(&mut self, bytes: usize) {
        self.budget.earn(bytes);
    }
}

impl Reading {
    /// Counts the frames without content whose headers end in these bytes.
    fn count(&mut self, mut bytes: &[u8]) -> u32 {
        let mut frames = 0;
        while let Some((&first, rest)) = bytes.split_first() {
            match self {
                Self::Other => return 0,
                Self::Preface(matched) => {
                    if PREFACE.get(usize::from(*matched)) != Some(&first) {
                        *self = Self::Other;
                        return 0;
                    }
                    *matched += 1;
                    if usize::from(*matched) == PREFACE.len() {
                        *self = Self::start();
                    }
                    bytes = rest;
                }
                Self::Header(header, filled) => {
                    if let Some(place) = header.get_mut(usize::from(*filled)) {
                        *place = first;
                    }
                    *filled += 1;
                    if usize::from(*filled) == HEADER_LEN {
                        let [a, b, c, kind, ..] = *header;
                        let length = u32::from_be_bytes([0, a, b, c]);
                        frames += u32::from(is_idle(kind));
                        *self = Self::after(length);
                    }
                    bytes = rest;
                }
                Self::Payload(left) => {
                    let passed = u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(*left);
                    bytes = bytes.get(passed as usize..).unwrap_or_default();
                    *self = Self::after(*left - passed);
                }
            }
        }
        frames
    }

    const fn start() -> Self {
        Self::Header([0; HEADER_LEN], 0)
    }

    const fn after(left: u32) -> Self {
        match left {
            0 => Self::start(),
            left => Self::Payload(left),
        }
    }
}

impl Budget {
    fn take(&mut self, frames: u32, now: impl FnOnce() -> Instant) -> bool {
        if frames > self.left {
            let now = now();
            let earned = (now - self.counted).as_millis() / EVERY.as_millis();
            self.left = u32::try_from(earned)
                .unwrap_or(BURST)
                .saturating_add(self.left)
                .min(BURST);
            self.counted = now;
        }
        match self.left.checked_sub(frames) {
            Some(left) => self.left = left,
            None => return false,
        }
        true
    }

    fn earn(&mut self, bytes: usize) {
        let sent = self
            .sent
            .saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.left = (self.left + sent / BYTES_PER_FRAME).min(BURST);
        self.sent = sent % BYTES_PER_FRAME;
    }
}

/// Whether a frame carries nothing of a request (RFC 9113 6). HTTP/2's library limits the others itself, empty ones too.
const fn is_idle(kind: u8) -> bool {
    !matches!(kind, DATA | HEADERS | CONTINUATION)
}

/// RFC 9113 3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// RFC 9113 4.1.
const HEADER_LEN: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

/// Frames without content that may come at once: a client that opens its 1,000 streams, and cancels them later.
const BURST: u32 = 4_000;

/// One more may come after so long: 1,000 a second cost 1 % of a core.
const EVERY: Duration = Duration::from_millis(1);

/// Bytes sent that earn the peer one frame. The least that is worth a WINDOW_UPDATE to an honest client is a small
/// message of 100 bytes; an answer to a PING is 17 bytes, and a DATA frame of one byte 10, so that floods earn little.
const BYTES_PER_FRAME: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn connection(pings: usize) -> Vec<u8> {
        [PREFACE.to_vec(), PING.repeat(pings)].concat()
    }

    #[test]
    fn frames_beyond_the_burst_are_a_flood_and_are_told() {
        let (flood, start) = (Flood::default(), Instant::now());
        let mut guard = flood.guard(start);
        assert!(guard.admit(&connection(BURST as usize), || start));
        assert!(!flood.has_begun());
        assert!(!guard.admit(&PING, || start));
        assert!(flood.has_begun());
    }

    #[test]
    fn time_and_what_was_sent_allow_more() {
        let start = Instant::now();
        let mut guard = Flood::default().guard(start);
        assert!(guard.admit(&connection(BURST as usize), || start));
        let later = start + EVERY * 3;
        assert!(guard.admit(&PING.repeat(3), || later));
        assert!(!guard.admit(&PING, || later));
        for _ in 0..5 {
            guard.note_sent(BYTES_PER_FRAME as usize / 2);
        }
        assert!(guard.admit(&PING.repeat(2), || later));
        assert!(!guard.admit(&PING, || later));
    }

    /// However the bytes are cut, the same frames are counted.
    #[test]
    fn frames_are_counted_across_reads() {
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        let data = [0, 0, 20, 0, 0, 0, 0, 0, 1];
        let update = [0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0, 1];
        let bytes = [&PREFACE[..], &settings, &data, &[6; 20], &update, &PING].concat();
        for size in 1..bytes.len() {
            let mut reading = Reading::Preface(0);
            let counted: u32 = bytes.chunks(size).map(|part| reading.count(part)).sum();
            assert_eq!(counted, 3, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_http2_is_not_counted() {
        let mut reading = Reading::Preface(0);
        let request = b"PRINT / HTTP/1.1\r\n\r\n".repeat(100);
        assert_eq!(reading.count(&request), 0);
        assert_eq!(reading.count(&connection(9)), 0);
    }
}
