//! The certificates of our own authority that are revoked: what the TLS layer asks at each handshake.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use dashmap::DashSet;
use tokio::sync::watch;

use crate::model::Serial;

use super::Affected;
use super::Change;
use super::Revocation;

/// The revoked serial numbers, shared by all who hold a clone. Asking costs one look-up in a hash set.
///
/// Holds what the store gave at the last [`RevokedCertificates::replace`], and what the revocation log has brought
/// since: about 50 bytes each.
#[derive(Clone)]
pub struct RevokedCertificates(Arc<Inner>);

struct Inner {
    serials: ArcSwap<DashSet<Serial>>,
    /// Counts the batches that added something.
    changed: watch::Sender<u64>,
}

impl RevokedCertificates {
    /// None is revoked.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            serials: ArcSwap::default(),
            changed: watch::Sender::new(0),
        }))
    }

    /// Whether this one is revoked.
    pub fn contains(&self, serial: &Serial) -> bool {
        self.0.serials.load().contains(serial)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.serials.load().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells of additions from now on.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Adds some.
    pub fn add(&self, serials: impl IntoIterator<Item = Serial>) {
        let known = self.0.serials.load();
        let added = serials
            .into_iter()
            .filter(|serial| known.insert(*serial))
            .count();
        if added > 0 {
            self.0.changed.send_modify(|batches| *batches += 1);
        }
    }

    /// Forgets those that are not among `serials`, because their time is over and no handshake takes them any more.
    pub fn replace(&self, serials: impl IntoIterator<Item = Serial>) {
        let before = self.0.serials.load_full();
        let fresh: DashSet<Serial> = serials.into_iter().collect();
        let has_more = fresh.iter().any(|serial| !before.contains(&serial));
        self.0.serials.store(Arc::new(fresh));
        if has_more {
            self.0.changed.send_modify(|batches| *batches += 1);
        }
    }

    /// Takes in entries of the revocation log.
    pub(crate) fn apply(&self, revocations: &[Revocation]) {
        self.add(revocations.iter().filter_map(|revocation| {
            match (&revocation.subject, revocation.change) {
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
    fn additions_are_told_once_and_replacing_forgets_the_rest() {
        let revoked = RevokedCertificates::new();
        let mut told = revoked.subscribe();
        let [first, second] = [1, 2].map(|octet| Serial::from_octets(&[octet]).unwrap());
        revoked.add([first]);
        assert!(told.has_changed().unwrap());
        told.mark_unchanged();
        revoked.add([first]);
        assert!(!told.has_changed().unwrap());
        revoked.replace([second]);
        assert!(told.has_changed().unwrap());
        assert!(revoked.contains(&second) && !revoked.contains(&first));
        assert_eq!(revoked.len(), 1);
    }
}
