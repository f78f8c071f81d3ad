//! Whether a connection's client certificate still counts.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::model::ClientCertificate;
use crate::model::Peer;

use super::Tls;

/// The certificate of one connection, compared with every new state of the TLS side.
pub(super) struct Standing {
    shown: Option<(Arc<[Bytes]>, Arc<ClientCertificate>)>,
    verified_by: Arc<Tls>,
    newest: watch::Receiver<Arc<Tls>>,
}

impl Standing {
    /// What `peer` has shown counted for `verified_by`.
    pub(super) fn new(
        peer: &Peer,
        verified_by: Arc<Tls>,
        newest: watch::Receiver<Arc<Tls>>,
    ) -> Self {
        Self {
            shown: peer.certificate.clone().zip(peer.client.clone()),
            verified_by,
            newest,
        }
    }

    /// Waits until the certificate does not count any more; for ever when none was shown.
    ///
    /// Takes no room when none was shown, as by nearly all. A new revocation costs one look-up; new authorities or lists
    /// cost a verification.
    pub(super) fn lost(mut self) -> BoxFuture<'static, ()> {
        match self.shown.take() {
            None => Box::pin(pending()),
            Some((chain, certificate)) => Box::pin(self.refuted(chain, certificate)),
        }
    }

    async fn refuted(mut self, chain: Arc<[Bytes]>, certificate: Arc<ClientCertificate>) {
        loop {
            let newest = Arc::clone(&self.newest.borrow_and_update());
            let counts = if newest.trust.is_same(&self.verified_by.trust) {
                !newest.trust.has_revoked(&certificate)
            } else {
                newest.trust.verify(&chain, newest.now()).is_ok()
            };
            if !counts {
                return;
            }
            self.verified_by = newest;
            if self.newest.changed().await.is_err() {
                // Whoever makes new states is gone: nothing can change any more.
                return pending().await;
            }
        }
    }
}
