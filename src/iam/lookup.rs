//! What happens when no cache knows a token: one read of the store.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::MutexGuard;

use crate::model::Timestamp;

use super::AuthError;
use super::PatDigest;
use super::PatFacts;
use super::Principal;
use super::Standing;
use super::authenticator::Cached;
use super::authenticator::Entry;
use super::authenticator::Inner;
use super::authenticator::LANES;
use super::authenticator::Refusal;
use super::cache::CacheKey;
use super::pat::PatText;
use super::port::RecordsError;
use super::standing;

impl Inner {
    /// Reads the store, unless another reader of the same token has just done so.
    pub(super) async fn look_up(
        &self,
        pat: PatText<'_>,
        key: CacheKey,
        from: IpAddr,
    ) -> Result<Arc<Entry>, AuthError> {
        let _lane = self.enter_lane(key, from).await?;
        match self.cached(&key, self.time.now()) {
            Cached::Good(entry) => return Ok(entry),
            Cached::Refused(error) => return Err(error),
            Cached::Absent => self.meters.misses.increment(1),
        }
        // Before the read: an entry of the log that comes meanwhile voids what is cached below.
        let generation = self.recent.generation();
        let facts = tokio::time::timeout(READ_TIMEOUT, self.find(pat)).await;
        let now = self.time.now();
        let refused = |error| Refusal {
            error,
            until: now.saturating_add(self.config.negative_ttl),
            generation,
        };
        match facts {
            Err(_) | Ok(Err(_)) => self.outlast(key, now).ok_or(AuthError::Unavailable),
            Ok(Ok(None)) => {
                self.negative.insert(key, refused(AuthError::Unknown));
                Err(AuthError::Unknown)
            }
            Ok(Ok(Some(facts))) => match self.judge(facts, now) {
                Ok(entry) => {
                    self.positive.insert(key, Arc::clone(&entry));
                    self.negative.remove(&key);
                    Ok(entry)
                }
                Err(error) => {
                    self.positive.remove(&key);
                    self.negative.insert(key, refused(error));
                    Err(error)
                }
            },
        }
    }

    /// Waits for the token's lane. All sources beyond their budget of failures share the one slow lane: their good
    /// tokens still come through, their flood makes one read of the store at once (iam L1).
    pub(super) async fn enter_lane(
        &self,
        key: CacheKey,
        from: IpAddr,
    ) -> Result<MutexGuard<'_, ()>, AuthError> {
        if let Some(retry_after) = self.throttle.held_off(from) {
            return tokio::time::timeout(SLOW_LANE_TIMEOUT, self.slow_lane.lock())
                .await
                .map_err(|_| AuthError::Throttled { retry_after });
        }
        let lane = self.lanes.get(key.spread(LANES)).unwrap_or(&self.slow_lane);
        tokio::time::timeout(LANE_TIMEOUT, lane.lock())
            .await
            .map_err(|_| AuthError::Unavailable)
    }

    /// The current pepper's digest first, then those of older ones (iam T4).
    pub(super) async fn find(&self, pat: PatText<'_>) -> Result<Option<PatFacts>, RecordsError> {
        let digests =
            std::iter::once(self.pepper.digest(pat)).chain(self.pepper.older_digests(pat));
        for digest in digests {
            let facts = self.records.find_pat(&digest).await?;
            if let Some(facts) = facts.filter(|facts| facts.digest == digest) {
                self.renew_digest(pat, &digest).await;
                return Ok(Some(facts));
            }
        }
        Ok(None)
    }

    /// Keeps a token that was found under an older key by its digest under the current one, so that the older key may go
    /// one day. If it cannot be stored in time, the next use does it. A node that is yet to learn which key is the newest
    /// changes nothing back.
    async fn renew_digest(&self, pat: PatText<'_>, found: &PatDigest) {
        let current = self.pepper.digest(pat);
        if found.key() < current.key() {
            let renewal = self.records.renew_digest(found, &current);
            let _late = tokio::time::timeout(RENEWAL_TIMEOUT, renewal).await;
        }
    }

    /// All that is known of a token that was shown, active or not.
    pub(super) async fn facts(&self, text: &str, from: IpAddr) -> Result<PatFacts, AuthError> {
        let pat = PatText::parse_any(text).map_err(|_| AuthError::Garbled)?;
        let key = CacheKey::new(*self.pepper.digest(pat).as_bytes());
        let _lane = self.enter_lane(key, from).await?;
        let found = tokio::time::timeout(READ_TIMEOUT, self.find(pat)).await;
        let found = found.map_err(|_| AuthError::Unavailable)?;
        found
            .map_err(|_| AuthError::Unavailable)?
            .ok_or(AuthError::Unknown)
    }

    pub(super) fn judge(&self, facts: PatFacts, now: Timestamp) -> Result<Arc<Entry>, AuthError> {
        let PatFacts {
            pat,
            account,
            tenant,
            seq,
            ..
        } = facts;
        let token = pat.id;
        let expires = match standing(&pat, &account, &tenant, now) {
            Standing::Active(expires) => expires,
            Standing::Disabled => return Err(AuthError::AccountDisabled { token: Some(token) }),
            Standing::Expired => {
                self.time.note_expiry(now);
                return Err(AuthError::PatExpired { token });
            }
            Standing::Revoked => return Err(AuthError::PatRevoked { token }),
        };
        let principal = Principal {
            tenant: account.tenant,
            account: account.id,
            username: account.username.into(),
            kind: account.kind,
            roles: account.roles,
            token: Some(token),
            certificate: None,
            narrowed_to: None,
            scopes: pat.scopes.into(),
            networks: pat.networks.into(),
            account_networks: account.networks.into(),
            issued: Some(pat.created),
            expires,
            seq,
        };
        Ok(Entry::new(principal, now, self.config.cache_ttl))
    }

    /// What the cache last knew, while the store cannot be asked and the grace lasts (iam R6).
    pub(super) fn outlast(&self, key: CacheKey, now: Timestamp) -> Option<Arc<Entry>> {
        self.positive.get(&key).filter(|entry| {
            entry.is_untouched(&self.recent)
                && !entry.principal.expires.is_over(now)
                && now.since(entry.fetched) < self.config.outage_grace
        })
    }
}

/// How long a look-up waits for others before it gives up.
const LANE_TIMEOUT: Duration = Duration::from_secs(5);

/// The same in the slow lane: long enough for some thousand reads.
const SLOW_LANE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a token waits for its digest to be renewed: a write takes milliseconds, and nobody waits for one that does not.
const RENEWAL_TIMEOUT: Duration = Duration::from_millis(100);

/// A read that takes longer counts as failed: shorter than the wait for a lane, so that what the cache still knows is
/// served while the store hangs (iam R6).
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(2);
