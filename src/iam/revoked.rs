//! The certificates of our own authority that are revoked: what the TLS layer asks at each handshake.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use dashmap::DashSet;
use tokio::sync::watch;

use crate::model::Serial;

use super::Affected;
use super::Change;
use super::Revocation;

/// The revoked serial numbers, shared by all who hold a clone. Asking costs one look-up in a hash set.
///
/// Filled from the store at start, and by the revocation log from then on: about 50 bytes each. Those whose time is over
/// are let go of by [`RevokedCertificates::refresh`].
#[derive(Clone)]
pub struct RevokedCertificates(Arc<Inner>);

struct Inner {
    serials: DashSet<Serial>,
    /// Counts the batches that added something.
    changed: watch::Sender<u64>,
}

impl RevokedCertificates {
    /// None is revoked.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            serials: DashSet::new(),
            changed: watch::Sender::new(0),
        }))
    }

    /// Whether this one is revoked.
    pub fn contains(&self, serial: &Serial) -> bool {
        self.0.serials.contains(serial)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.serials.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.serials.is_empty()
    }

    /// Tells of additions from now on.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Adds some.
    pub fn add(&self, serials: impl IntoIterator<Item = Serial>) {
        let added = serials
            .into_iter()
            .filter(|serial| self.0.serials.insert(*serial))
            .count();
        if added > 0 {
            self.0.changed.send_modify(|batches| *batches += 1);
        }
    }

    /// Those that there are now, to be compared with what the store has a little later.
    pub fn known(&self) -> HashSet<Serial> {
        self.0.serials.iter().map(|serial| *serial).collect()
    }

    /// Takes in what the store has, and lets go of what was known before it was asked and it no longer has: the time of
    /// those is over, and no handshake takes them.
    pub fn refresh(&self, known: &HashSet<Serial>, stored: &HashSet<Serial>) {
        for over in known.difference(stored) {
            self.0.serials.remove(over);
        }
        self.add(stored.iter().copied());
    }

    /// Takes in entries of the revocation log.
    pub(crate) fn apply(&self, revocations: &[Revocation]) {
        self.add(revocations.iter().filter_map(|revocation| {
            match (&revocation.subject, &revocation.change) {
                (Affected::Certificate(serial), Change::Revoked) => Some(*serial),
                _ => None,
            }
        }));
    }
}

impl Default for RevokedCertificates {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RevokedCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevokedCertificates({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_are_told_once_and_only_what_was_known_is_let_go() {
        let revoked = RevokedCertificates::new();
        let mut told = revoked.subscribe();
        let [first, second, third] = [1, 2, 3].map(|octet| Serial::from_octets(&[octet]).unwrap());
        revoked.add([first]);
        assert!(told.has_changed().unwrap());
        told.mark_unchanged();
        revoked.add([first]);
        assert!(!told.has_changed().unwrap());
        let known = revoked.known();
        // Revoked while the store is being read.
        revoked.add([third]);
        revoked.refresh(&known, &HashSet::from([second]));
        assert_eq!(revoked.known(), HashSet::from([second, third]));
    }
}
