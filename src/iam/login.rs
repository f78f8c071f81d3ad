//! User name and password.

use std::net::IpAddr;
use std::sync::Arc;

use hmac::Mac as _;

use crate::audit;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::AuthError;
use super::Principal;
use super::Source;
use super::State;
use super::authenticator::Entry;
use super::authenticator::Inner;
use super::cache::CacheKey;
use super::password::Turn;
use super::pat::PatText;
use super::port::Handle;
use super::port::Login;
use super::port::Mutation;
use super::port::RecordsError;

/// Who a user name stands for.
enum Resolved {
    Ambiguous,
    Nobody,
    One(Box<Login>),
}

impl Inner {
    pub(super) async fn password(
        &self,
        username: &str,
        password: &Secret,
        source: Source<'_>,
    ) -> Result<Arc<Principal>, AuthError> {
        let from = source.address;
        if username.len() > LONGEST || password.expose().len() > LONGEST {
            return Err(AuthError::Unknown);
        }
        if PatText::is_meant(password.expose()) {
            let principal = self.token(password.expose(), source).await?;
            // A PAT may be presented as its account's password, or as that of the word `token` (iam 2.6).
            return if username.eq_ignore_ascii_case(ANY_ACCOUNT) || is_name_of(username, &principal)
            {
                Ok(principal)
            } else {
                Err(AuthError::UsernameMismatch)
            };
        }
        let key = self.login_key(username, password);
        if let Some(entry) = self.known_login(&key, username, from)? {
            return Ok(Arc::clone(&entry.principal));
        }
        let turn = self.passwords.turn().await?;
        // Meanwhile others may have had their turn: with the same password, which need not be computed again, or with
        // wrong ones, which may have been too many.
        if let Some(entry) = self.known_login(&key, username, from)? {
            return Ok(Arc::clone(&entry.principal));
        }
        let (entry, turn) = Box::pin(self.log_in(turn, username, password, from)).await?;
        self.logins.insert(key, Arc::clone(&entry));
        drop(turn);
        Ok(Arc::clone(&entry.principal))
    }

    /// The cached login; an error where the source may not try any other.
    fn known_login(
        &self,
        key: &CacheKey,
        username: &str,
        from: IpAddr,
    ) -> Result<Option<Arc<Entry>>, AuthError> {
        let now = self.time.now();
        if let Some(entry) = self.logins.get(key)
            && entry.is_untouched(&self.recent)
            && entry.is_fresh(now)
        {
            self.meters.hits.increment(1);
            return Ok(Some(entry));
        }
        self.may_try(username, from)?;
        Ok(None)
    }

    /// Whether the source may try a password of this user.
    fn may_try(&self, username: &str, from: IpAddr) -> Result<(), AuthError> {
        if let Some(retry_after) = self.throttle.held_off(from) {
            return Err(AuthError::Throttled { retry_after });
        }
        match self.lockout.held_off(username, from, self.time.now()) {
            Some(_) => Err(AuthError::LockedOut),
            None => Ok(()),
        }
    }

    /// Who holds this password, even if it is good for nothing but to set another (iam 3.7). Neither cached nor looked up
    /// in the cache.
    pub(super) async fn holder(
        &self,
        username: &str,
        password: &Secret,
        from: IpAddr,
    ) -> Result<Principal, AuthError> {
        if username.len() > LONGEST || password.expose().len() > LONGEST {
            return Err(AuthError::Unknown);
        }
        let turn = self.passwords.turn().await?;
        self.may_try(username, from)?;
        let (login, _turn) = Box::pin(self.verify_login(turn, username, password, from)).await?;
        admit(login, self.time.now())
    }

    async fn log_in(
        &self,
        turn: Turn,
        username: &str,
        password: &Secret,
        from: IpAddr,
    ) -> Result<(Arc<Entry>, Turn), AuthError> {
        let (login, turn) = self.verify_login(turn, username, password, from).await?;
        if login.is_provisional {
            let account = login.account.id;
            return Err(AuthError::PasswordProvisional { account });
        }
        let turn = self.renew_hash(turn, &login, password).await?;
        let now = self.time.now();
        let principal = admit(login, now)?;
        let entry = Entry::new(principal, now, self.config.password.success_ttl);
        Ok((entry, turn))
    }

    /// Computes the password's hash whoever is meant, so that the time tells nothing. Counts a failure while it still
    /// has its turn.
    async fn verify_login(
        &self,
        turn: Turn,
        username: &str,
        password: &Secret,
        from: IpAddr,
    ) -> Result<(Login, Turn), AuthError> {
        self.meters.misses.increment(1);
        let resolved = self
            .resolve(username)
            .await
            .map_err(|_| AuthError::Unavailable)?;
        let hash = match &resolved {
            Resolved::One(login) => login.password.clone(),
            Resolved::Ambiguous | Resolved::Nobody => None,
        };
        let (fits, turn) = self.passwords.verify(turn, password.clone(), hash).await?;
        let now = self.time.now();
        match resolved {
            Resolved::One(login) if fits => {
                self.lockout.clear(username, from);
                Ok((*login, turn))
            }
            refused => {
                let account = match &refused {
                    Resolved::One(login) => Some((login.account.tenant.clone(), login.account.id)),
                    Resolved::Ambiguous | Resolved::Nobody => None,
                };
                self.lockout.charge((username, account), from, now);
                Err(match refused {
                    Resolved::Ambiguous => AuthError::Ambiguous,
                    Resolved::Nobody => AuthError::Unknown,
                    Resolved::One(login) => AuthError::WrongPassword {
                        account: login.account.id,
                    },
                })
            }
        }
    }

    /// Hashes a password again that was right, if the parameters have risen (iam T7). If it cannot be
    /// stored, the next login does it.
    async fn renew_hash(
        &self,
        turn: Turn,
        login: &Login,
        password: &Secret,
    ) -> Result<Turn, AuthError> {
        let Some(from) = login
            .password
            .as_ref()
            .filter(|hash| self.passwords.is_outdated(hash))
        else {
            return Ok(turn);
        };
        let (to, turn) = self.passwords.hash_in(turn, password.clone()).await?;
        let account = &login.account;
        let actor = audit::Actor::Account {
            id: account.id.to_string(),
            tenant: account.tenant.clone(),
            token: None,
            certificate: None,
        };
        let now = self.time.now();
        let event = audit::Event {
            tenant: Some(account.tenant.clone()),
            ..audit::Event::new(now, audit::Kind::PasswordRehashed, actor)
        };
        let account = Handle {
            tenant: account.tenant.clone(),
            id: account.id,
            version: account.version,
        };
        let renewal = Mutation::RenewHash {
            account,
            from: from.clone(),
            to,
        };
        let _ = self.records.apply(&renewal, now, &event).await;
        Ok(turn)
    }

    /// `user@tenant` is that user of that tenant. Any other name is the one person who is called so in all tenants;
    /// where two are, neither: a bare name must not depend on who was created first.
    async fn resolve(&self, username: &str) -> Result<Resolved, RecordsError> {
        if let Some((user, tenant)) = username.rsplit_once('@') {
            let tenant = TenantId::new(tenant);
            let found = self.records.find_logins(user, Some(&tenant)).await?;
            if let Some(login) = found.into_iter().next() {
                return Ok(Resolved::One(Box::new(login)));
            }
        }
        let mut found = self.records.find_logins(username, None).await?.into_iter();
        Ok(match (found.next(), found.next()) {
            (Some(login), None) => Resolved::One(Box::new(login)),
            (Some(_), Some(_)) => Resolved::Ambiguous,
            (None, _) => Resolved::Nobody,
        })
    }

    fn login_key(&self, username: &str, password: &Secret) -> CacheKey {
        let mac = self
            .boot_key
            .clone()
            .chain_update((username.len() as u64).to_le_bytes())
            .chain_update(username)
            .chain_update(password.expose());
        CacheKey::new(mac.finalize().into_bytes().into())
    }
}

/// The password was right: now it may be said what else is wrong.
fn admit(login: Login, now: Timestamp) -> Result<Principal, AuthError> {
    let Login {
        account,
        tenant,
        seq,
        ..
    } = login;
    if account.state == State::Disabled || tenant.state == State::Disabled {
        return Err(AuthError::AccountDisabled { token: None });
    }
    if account.expires.is_over(now) {
        return Err(AuthError::AccountExpired);
    }
    Ok(Principal {
        tenant: account.tenant,
        account: account.id,
        username: account.username.into(),
        kind: account.kind,
        roles: account.roles,
        token: None,
        certificate: None,
        narrowed_to: None,
        scopes: Arc::default(),
        networks: Arc::default(),
        account_networks: account.networks.into(),
        issued: None,
        expires: account.expires,
        seq,
    })
}

/// Whether `username` is the account's own, with or without the tenant.
pub(super) fn is_name_of(username: &str, principal: &Principal) -> bool {
    let own = principal.username.to_lowercase();
    let given = username.to_lowercase();
    given == own
        || given
            .strip_prefix(&*own)
            .and_then(|rest| rest.strip_prefix('@'))
            .is_some_and(|tenant| tenant == principal.tenant.as_str().to_lowercase())
}

/// The user name under which any account's PAT may be the password.
const ANY_ACCOUNT: &str = "token";

/// The longest user name and password in bytes: longer ones are nobody's.
const LONGEST: usize = 1_024;
