//! A client certificate as a credential. What it says was true when it was issued; what counts is what the account is
//! now, and the certificate only narrows that.

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::ClientCertificate;
use crate::model::Expiry;
use crate::model::Holder;
use crate::model::Timestamp;

use super::AccountId;
use super::AuthError;
use super::Authenticator;
use super::Credential;
use super::HolderFacts;
use super::Principal;
use super::Role;
use super::Roles;
use super::Source;
use super::State;
use super::authenticator::Entry;
use super::authenticator::Inner;
use super::cache::CacheKey;
use super::lookup::READ_TIMEOUT;

impl Authenticator {
    /// Tells who sends a request: by what it presents, or else by the certificate `shown` on its connection (design 4). Both
    /// together must name the same account, and what is presented decides. `None` when there is neither.
    ///
    /// # Errors
    ///
    /// [`AuthError`] says why not. What fails is not made good by the other.
    pub async fn identify<'o>(
        &self,
        presented: Option<Credential>,
        shown: Option<&Arc<ClientCertificate>>,
        from: impl Into<Source<'o>>,
    ) -> Result<Option<Arc<Principal>>, AuthError> {
        let from = from.into();
        let shown = shown.filter(|shown| shown.holder.is_some());
        let shown = shown.map(|shown| Credential::Certificate(Arc::clone(shown)));
        match (presented, shown) {
            (None, None) => Ok(None),
            (Some(only), None) | (None, Some(only)) => {
                self.authenticate(only, from).await.map(Some)
            }
            (Some(presented), Some(shown)) => {
                let principal = self.authenticate(presented, from).await?;
                let holder = self.authenticate(shown, from).await?;
                if principal.account == holder.account {
                    Ok(Some(principal))
                } else {
                    Err(self.0.refuse(AuthError::CertificateMismatch, from))
                }
            }
        }
    }
}

impl Inner {
    /// Who a verified certificate belongs to.
    pub(super) async fn certificate(
        &self,
        certificate: &ClientCertificate,
        from: IpAddr,
    ) -> Result<Arc<Principal>, AuthError> {
        let serial = certificate.serial;
        let holder = certificate
            .holder
            .as_ref()
            .ok_or(AuthError::CertificateOrphaned { serial })?;
        let now = self.time.now();
        if now > certificate.not_after {
            self.time.note_expiry(now);
            return Err(AuthError::CertificateExpired { serial });
        }
        if now < certificate.not_before {
            return Err(AuthError::CertificateNotYetValid { serial });
        }
        let key = CacheKey::new(certificate.fingerprint);
        if let Some(entry) = self.known_certificate(&key, now) {
            self.meters.hits.increment(1);
            return Ok(Arc::clone(&entry.principal));
        }
        Box::pin(self.look_up_certificate(certificate, holder, key, from)).await
    }

    fn known_certificate(&self, key: &CacheKey, now: Timestamp) -> Option<Arc<Entry>> {
        let entry = self.certificates.get(key)?;
        (entry.is_untouched(&self.recent) && entry.is_fresh(now)).then_some(entry)
    }

    /// Reads the store, unless another reader of the same certificate has just done so.
    async fn look_up_certificate(
        &self,
        certificate: &ClientCertificate,
        holder: &Holder,
        key: CacheKey,
        from: IpAddr,
    ) -> Result<Arc<Principal>, AuthError> {
        let _lane = self.enter_lane(key, from).await?;
        if let Some(entry) = self.known_certificate(&key, self.time.now()) {
            return Ok(Arc::clone(&entry.principal));
        }
        self.meters.misses.increment(1);
        let account = AccountId::from_raw(holder.account);
        let read = self.records.find_holder(&holder.tenant, account);
        let facts = tokio::time::timeout(READ_TIMEOUT, read).await;
        let now = self.time.now();
        let Ok(Ok(facts)) = facts else {
            // While the store cannot be asked, what the cache last knew holds for a while (iam R6).
            let outlasting = self.certificates.get(&key).filter(|entry| {
                entry.is_untouched(&self.recent)
                    && !entry.principal.expires.is_over(now)
                    && now.since(entry.fetched) < self.config.outage_grace
            });
            let entry = outlasting.ok_or(AuthError::Unavailable)?;
            return Ok(Arc::clone(&entry.principal));
        };
        let serial = certificate.serial;
        let facts = facts.ok_or(AuthError::CertificateOrphaned { serial })?;
        if self.registry.revoked().contains(&serial) {
            return Err(AuthError::CertificateRevoked { serial });
        }
        let principal = judge(certificate, holder, facts, now)?;
        let entry = Entry::new(principal, now, self.config.cache_ttl);
        self.certificates.insert(key, Arc::clone(&entry));
        Ok(Arc::clone(&entry.principal))
    }
}

/// What the account lets its certificate do now.
fn judge(
    certificate: &ClientCertificate,
    holder: &Holder,
    facts: HolderFacts,
    now: Timestamp,
) -> Result<Principal, AuthError> {
    let HolderFacts {
        account,
        tenant,
        seq,
    } = facts;
    if account.state == State::Disabled || tenant.state == State::Disabled {
        return Err(AuthError::AccountDisabled { token: None });
    }
    let void = |at: Option<Timestamp>| at.is_some_and(|at| certificate.issued < at);
    if void(account.tokens_not_before) || void(tenant.tokens_not_before) {
        let serial = certificate.serial;
        return Err(AuthError::CertificateRevoked { serial });
    }
    if account.expires.is_over(now) {
        return Err(AuthError::AccountExpired);
    }
    // A role that this version does not know is no role.
    let own: Roles = holder
        .roles
        .iter()
        .filter_map(|role| role.parse::<Role>().ok())
        .collect();
    // A certificate holds through its last second (RFC 5280 4.1.2.5), an expiry begins with its own.
    let end = Expiry::from_secs(certificate.not_after.secs().saturating_add(1));
    Ok(Principal {
        tenant: account.tenant,
        account: account.id,
        username: account.username.into(),
        kind: account.kind,
        roles: own.covered_by(account.roles),
        token: None,
        certificate: Some(certificate.serial),
        narrowed_to: Some(own),
        scopes: Arc::default(),
        networks: Arc::default(),
        account_networks: account.networks.into(),
        issued: Some(certificate.issued),
        expires: end.min(account.expires),
        seq,
    })
}
