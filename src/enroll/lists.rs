//! The newest revocation list of each issuer (restconf-pki 3.5.4).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::model::Timestamp;
use crate::pki::Crl;
use crate::pki::port::RevokedCertificate;

use super::Service;
use super::error::Refusal;

/// Lists that were made, until something is different. Issuers are few, so the map is small.
#[derive(Debug)]
pub(super) struct Lists(Mutex<HashMap<String, Made>>);

#[derive(Debug)]
struct Made {
    crl: Arc<Crl>,
    listed: Vec<RevokedCertificate>,
    looked: Timestamp,
}

impl Lists {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl Service {
    /// The newest list of an issuer, by its key identifier: signed anew when something else is revoked than before, and
    /// when half of its time is over. The store is asked once a second at most.
    pub(super) async fn list(&self, issuer: &str) -> Result<Arc<Crl>, Refusal> {
        // One at a time: whoever waits finds it made.
        let mut lists = self.lists.0.lock().await;
        let now = self.clock.now();
        let lifetime = self.config.crl_lifetime;
        let is_young = |made: &Made| {
            made.crl.this_update <= now && now.since(made.crl.this_update) < lifetime / 2
        };
        if let Some(made) = lists.get(issuer)
            && is_young(made)
            && made.looked <= now
            && now.since(made.looked) < LOOK
        {
            return Ok(Arc::clone(&made.crl));
        }
        // What is over stays on one more list (RFC 5280 3.3), and a day longer does no harm.
        let since = now.saturating_sub(AFTER_END);
        let listed = self.certificates.revoked(Some(issuer), since).await?;
        if let Some(made) = lists.get_mut(issuer)
            && is_young(made)
            && made.listed == listed
        {
            made.looked = now;
            return Ok(Arc::clone(&made.crl));
        }
        let number = self.certificates.next_crl_number().await?;
        let (service, name, entries) = (self.clone(), issuer.to_owned(), listed.clone());
        let signing = tokio::task::spawn_blocking(move || {
            service.authority.crl(&name, &entries, number, lifetime)
        });
        let crl = signing.await.map_err(|_| Refusal::internal())??;
        let crl = Arc::new(crl);
        let made = Made {
            crl: Arc::clone(&crl),
            listed,
            looked: now,
        };
        lists.insert(issuer.to_owned(), made);
        Ok(crl)
    }
}

/// Between two looks at the store.
const LOOK: Duration = Duration::from_secs(1);

const AFTER_END: Duration = Duration::from_hours(24);
