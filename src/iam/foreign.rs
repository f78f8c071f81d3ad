//! Tokens of another issuer: what it says of them is cached, bounded and followed as what the store says is (iam R1-R8).

use std::collections::HashSet;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dashmap::DashMap;
use futures_util::StreamExt as _;
use futures_util::stream;
use hmac::Mac as _;
use ipnet::IpNet;
use sha2::Digest as _;
use sha2::Sha256;

use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::AccountId;
use super::AccountKind;
use super::AuthError;
use super::Authenticator;
use super::PatId;
use super::PatText;
use super::Principal;
use super::Reason;
use super::Roles;
use super::Scope;
use super::State;
use super::authenticator::Cached;
use super::authenticator::Entry;
use super::authenticator::Inner;
use super::authenticator::Refusal;
use super::cache::CacheKey;
use super::port::RecordsError;

/// Somebody else who issues tokens, and can be asked what they are worth (RFC 7662).
#[async_trait]
pub trait Issuer: Debug + Send + Sync {
    /// What a token is worth; `None` when it is not active. Bounded in time by the issuer's own settings.
    async fn introspect(&self, token: &Secret) -> Result<Option<Told>, NoAnswer>;
}

/// What an issuer tells of an active token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// In which tenant its holder is.
    pub tenant: TenantId,
    /// Who that is, for good.
    pub subject: String,
    /// The same, for people.
    pub username: String,
    /// What it may do.
    pub roles: Roles,
    /// What the token is narrowed to.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; empty means anywhere.
    pub networks: Vec<IpNet>,
    /// Where all of its holder's may be used from; empty means anywhere.
    pub account_networks: Vec<IpNet>,
    /// When it ends.
    pub expires: Expiry,
}

/// The issuer did not answer, or not to the point. It has logged why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("issuer does not answer")]
pub struct NoAnswer;

/// Which tokens are another issuer's, and how they are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignConfig {
    /// Whether tokens of our own form are the other's too: an edge gateway has none of its own.
    pub all_tokens: bool,
    /// How often the tokens of open streams are asked about again.
    pub recheck_interval: Duration,
}

/// The issuer, and the tokens of its that are in use.
#[derive(Debug)]
pub(super) struct Foreign {
    issuer: Arc<dyn Issuer>,
    config: ForeignConfig,
    watched: DashMap<PatId, Watched>,
}

/// A token that streams may be open with.
#[derive(Clone, Debug)]
struct Watched {
    token: Secret,
    principal: Arc<Principal>,
    /// When the issuer last said that it is active.
    confirmed: Timestamp,
}

impl Authenticator {
    /// Takes tokens of `issuer` from now on. The first issuer stays.
    pub fn accept(&self, issuer: Arc<dyn Issuer>, config: ForeignConfig) {
        // A second issuer would be a mistake of the program, and is without effect.
        let _ = self.0.foreign.set(Foreign {
            issuer,
            config,
            watched: DashMap::new(),
        });
    }

    /// Asks again and again about the tokens of open streams, and ends the streams whose token is not active any more, or
    /// of which nothing was heard for the grace of an outage (iam R4, R6).
    pub(super) async fn follow_issuer(&self) {
        let Some(foreign) = self.0.foreign.get() else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(foreign.config.recheck_interval).await;
            self.0.recheck(foreign).await;
        }
    }
}

impl Inner {
    /// The issuer of a token that has not the form of ours, or that is to be asked about all.
    pub(super) fn issuer_of(&self, text: &str) -> Option<&Foreign> {
        let foreign = self.foreign.get()?;
        let is_theirs = foreign.config.all_tokens || !PatText::is_meant(text);
        is_theirs.then_some(foreign)
    }

    /// The principal of a token of another issuer.
    pub(super) async fn find_foreign(
        &self,
        foreign: &Foreign,
        text: &str,
        from: IpAddr,
    ) -> Result<Arc<Entry>, AuthError> {
        // RFC 6750 2.1.
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(AuthError::Garbled);
        }
        let key = self.foreign_key(text);
        match self.cached(&key, self.time.now()) {
            Cached::Good(entry) => {
                self.meters.hits.increment(1);
                return Ok(entry);
            }
            Cached::Refused(error) => {
                self.meters.negatives.increment(1);
                return Err(error);
            }
            Cached::Absent => {}
        }
        let _lane = self.enter_lane(key, from).await?;
        match self.cached(&key, self.time.now()) {
            Cached::Good(entry) => return Ok(entry),
            Cached::Refused(error) => return Err(error),
            Cached::Absent => self.meters.misses.increment(1),
        }
        if foreign.watched.len() >= MOST_WATCHED {
            return Err(AuthError::Unavailable);
        }
        let token = Secret::new(text);
        match self.ask(foreign, key, &token).await {
            Ok(Some(entry)) => Ok(entry),
            Ok(None) => Err(AuthError::Unknown),
            Err(NoAnswer) => self
                .outlast(key, self.time.now())
                .ok_or(AuthError::Unavailable),
        }
    }

    /// Asks about a token, and lets caches and open streams obey the answer.
    async fn ask(
        &self,
        foreign: &Foreign,
        key: CacheKey,
        token: &Secret,
    ) -> Result<Option<Arc<Entry>>, NoAnswer> {
        let generation = self.recent.generation();
        let id = PatId::foreign(key.head());
        let told = foreign.issuer.introspect(token).await?;
        let principal = match told {
            Some(told) => self.principal_of(id, told).await?,
            None => None,
        };
        let now = self.time.now();
        let before = foreign
            .watched
            .get(&id)
            .map(|watched| Arc::clone(&watched.principal));
        let Some(principal) = principal.filter(|principal| !principal.expires.is_over(now)) else {
            let refusal = Refusal {
                error: AuthError::Unknown,
                until: now.saturating_add(self.config.negative_ttl),
                generation,
            };
            self.positive.remove(&key);
            self.negative.insert(key, refusal);
            foreign.watched.remove(&id);
            if before.is_some() {
                self.registry.end_token(id, Reason::TokenRevoked);
            }
            return Ok(None);
        };
        let entry = Entry::new(principal, now, self.config.cache_ttl);
        let watched = Watched {
            token: token.clone(),
            principal: Arc::clone(&entry.principal),
            confirmed: now,
        };
        foreign.watched.insert(id, watched);
        self.positive.insert(key, Arc::clone(&entry));
        self.negative.remove(&key);
        if let Some(before) = before {
            self.registry.renew(&before, &entry.principal);
        }
        Ok(Some(entry))
    }

    /// Who that is here; `None` where its tenant is not one of ours, or is disabled. The issuer's words reach no further
    /// than the tenants that the operator has made.
    async fn principal_of(&self, id: PatId, told: Told) -> Result<Option<Principal>, NoAnswer> {
        let read = async {
            // In this order: an entry of the log that comes meanwhile is newer than what the principal reflects.
            let seq = self.records.newest_revocation().await?;
            Ok::<_, RecordsError>((seq, self.records.tenant(&told.tenant).await?))
        };
        let read = tokio::time::timeout(READ_TIMEOUT, read).await;
        let Ok(Ok((seq, tenant))) = read else {
            return Err(NoAnswer);
        };
        if tenant.is_none_or(|tenant| tenant.state == State::Disabled) {
            return Ok(None);
        }
        let subject = Sha256::new()
            .chain_update((told.tenant.as_str().len() as u64).to_le_bytes())
            .chain_update(told.tenant.as_str())
            .chain_update(&told.subject)
            .finalize();
        Ok(Some(Principal {
            tenant: told.tenant,
            account: AccountId::foreign(subject.first_chunk().copied().unwrap_or_default()),
            username: told.username.into(),
            // A person may do more for itself than its roles say; who is no account of ours may not.
            kind: AccountKind::Machine,
            roles: told.roles,
            token: Some(id),
            certificate: None,
            narrowed_to: None,
            scopes: told.scopes.into(),
            networks: told.networks.into(),
            account_networks: told.account_networks.into(),
            issued: None,
            expires: told.expires,
            seq,
        }))
    }

    async fn recheck(&self, foreign: &Foreign) {
        let (now, live) = (self.time.now(), self.registry.foreign_tokens());
        // Who was confirmed so long ago is in no cache any more, so no stream can be opened with it unasked.
        let useful = self.config.cache_ttl.max(self.config.outage_grace) + SLACK;
        foreign
            .watched
            .retain(|id, watched| live.contains(id) || now.since(watched.confirmed) < useful);
        stream::iter(live)
            .for_each_concurrent(RECHECKS, |id| self.recheck_one(foreign, id))
            .await;
    }

    async fn recheck_one(&self, foreign: &Foreign, id: PatId) {
        let watched = foreign.watched.get(&id).map(|watched| watched.clone());
        let Some(watched) = watched else {
            // It was found inactive while the stream was being opened.
            self.registry.end_token(id, Reason::TokenRevoked);
            return;
        };
        let key = self.foreign_key(watched.token.expose());
        let answer = self.ask(foreign, key, &watched.token).await;
        let silence = self.time.now().since(watched.confirmed);
        if answer.is_err() && silence > self.config.outage_grace {
            self.registry.end_token(id, Reason::StoreUnreachable);
        }
    }

    fn foreign_key(&self, text: &str) -> CacheKey {
        let mac = self
            .boot_key
            .clone()
            .chain_update(b"token")
            .chain_update(text);
        CacheKey::new(mac.finalize().into_bytes().into())
    }
}

/// Which of the issuer's tokens have streams open.
pub(super) type LiveTokens = HashSet<PatId>;

/// The longest token: Zitadel's signed ones have a few thousand characters.
const LONGEST: usize = 8_192;

/// Tokens that are followed at once, about a kilobyte each. Beyond it no further ones are taken, because nobody would
/// notice their end.
const MOST_WATCHED: usize = 100_000;

/// Questions about open streams at once; the issuer's client has a limit of its own for all.
const RECHECKS: usize = 16;

/// Between taking a principal from a cache and entering the stream into the registry.
const SLACK: Duration = Duration::from_mins(1);

/// A read of the store that takes longer counts as failed.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
