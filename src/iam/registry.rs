//! Every open RPC, so that it can be ended when its credential is (iam R4, R5, R9).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use dashmap::DashMap;
use dashmap::Entry;

use crate::audit::Trail;
use crate::model::Class;
use crate::model::Timestamp;

use super::AccountId;
use super::End;
use super::LiveSession;
use super::PatId;
use super::Permit;
use super::Principal;
use super::Reason;
use super::Revocation;
use super::RevokedCertificates;
use super::Source;
use super::Time;
use super::Use;
use super::ended::Ended;
use super::foreign::LiveTokens;
use super::meters::Meters;
use super::policy::still_permits;
use super::recent::Recent;
use super::recent::Verdict;
use super::session::Session;

/// The live sessions of this process. Cheap to clone.
///
/// Ending walks all sessions once per batch of revocations: 10,000 take a few milliseconds.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    sessions: DashMap<u64, Arc<Session>>,
    /// How many each account has.
    counts: DashMap<AccountId, u32>,
    next: AtomicU64,
    /// 0 while sessions may be opened, else the code of the reason why not.
    shut: AtomicU8,
    recent: Arc<Recent>,
    revoked: RevokedCertificates,
    time: Time,
    meters: Arc<Meters>,
    trail: Trail,
}

/// Why no session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The credential ended between being checked and being used.
    #[error("{}", .0.reason)]
    Ended(End),
    /// The credential was checked too long ago to know; check again.
    #[error("credential was checked too long ago")]
    Outdated,
    /// The account has as many open streams as it may.
    #[error("account has {limit} open streams, which is the limit")]
    TooMany {
        /// How many it may.
        limit: u32,
    },
}

impl RegistryError {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        match self {
            Self::Ended(end) => end.reason.class(),
            Self::Outdated => Class::Unavailable,
            Self::TooMany { .. } => Class::Throttled,
        }
    }
}

impl Registry {
    pub(super) fn new(recent: Arc<Recent>, time: Time, meters: Arc<Meters>, trail: Trail) -> Self {
        Self(Arc::new(Inner {
            sessions: DashMap::new(),
            counts: DashMap::new(),
            next: AtomicU64::new(0),
            shut: AtomicU8::new(OPEN),
            recent,
            revoked: RevokedCertificates::new(),
            time,
            meters,
            trail,
        }))
    }

    /// Opens a session for a peer at `from`, of which the account may have `limit` at once.
    ///
    /// Enters it first and looks for revocations then, while [`Registry::apply`] notes revocations first and looks for
    /// sessions then: whichever comes second sees the other, so no stream outlives its token.
    pub fn open<'a>(
        &self,
        principal: &Arc<Principal>,
        permit: &Permit,
        from: impl Into<Source<'a>>,
        limit: u32,
    ) -> Result<LiveSession, RegistryError> {
        self.count(principal.account, limit)?;
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let used = from.into().used(self.0.time.now());
        let session = Arc::new(Session::new(Arc::clone(principal), permit.clone(), used));
        self.0.sessions.insert(id, Arc::clone(&session));
        self.0.meters.streams.increment(1.0);
        let live = LiveSession {
            id,
            session,
            registry: self.clone(),
        };

        self.shorten(&live.session);
        let now = self.0.time.now();
        let expired = live.session.expires().is_over(now);
        if expired {
            self.0.time.note_expiry(now);
        }
        let verdict = self
            .0
            .recent
            .first_verdict(principal, live.session.used.address)
            .ok_or(RegistryError::Outdated)?;
        let reason = self
            .is_shut()
            .or(expired.then_some(principal.expiry_reason()))
            .or_else(|| judge(&live.session, verdict));
        if let Some(reason) = reason {
            live.session.end(reason);
        }
        live.end_now()
            .map_or(Ok(live), |end| Err(RegistryError::Ended(end)))
    }

    /// Takes in revocations, and ends the sessions that they leave without credential or right.
    pub fn apply(&self, revocations: &[Revocation]) {
        for revocation in revocations {
            self.0.recent.note(revocation);
        }
        self.0.revoked.apply(revocations);
        if revocations
            .iter()
            .any(|revocation| revocation.change.takes_away())
        {
            self.end_all(|session| {
                self.shorten(session);
                let address = session.used.address;
                judge(session, self.0.recent.verdict(&session.principal, address))
            });
        }
    }

    /// The tokens of another issuer that have sessions open.
    pub(super) fn foreign_tokens(&self) -> LiveTokens {
        let token = |session: &Session| session.principal.token;
        let sessions = self.0.sessions.iter();
        sessions
            .filter_map(|session| token(&session).filter(|token| token.is_foreign()))
            .collect()
    }

    /// Ends the sessions of a token.
    pub(super) fn end_token(&self, token: PatId, reason: Reason) {
        self.end_all(|session| (session.principal.token == Some(token)).then_some(reason));
    }

    /// Lets the sessions of a token of another issuer obey what it says of it now.
    pub(super) fn renew(&self, before: &Principal, now: &Principal) {
        let is_same = before.roles == now.roles
            && before.expires == now.expires
            && before.tenant == now.tenant
            && before.account == now.account
            && before.scopes == now.scopes
            && before.networks == now.networks
            && before.account_networks == now.account_networks;
        if is_same {
            return;
        }
        self.end_all(|session| {
            let was = &session.principal;
            if was.token != now.token {
                return None;
            }
            session.shorten(now.expires);
            if was.tenant != now.tenant || was.account != now.account {
                Some(Reason::TokenRevoked)
            } else if was.scopes != now.scopes
                || was.networks != now.networks
                || was.account_networks != now.account_networks
                || !still_permits(was, now.roles, &session.permit)
            {
                Some(Reason::RolesChanged)
            } else {
                None
            }
        });
    }

    /// Ends the sessions whose credential has expired by `now`.
    pub fn expire(&self, now: Timestamp) {
        self.end_all(|session| {
            let expired = session.expires().is_over(now);
            expired.then(|| {
                self.0.time.note_expiry(now);
                session.principal.expiry_reason()
            })
        });
    }

    /// Ends all sessions, and lets none in until [`Registry::reopen`]. Who is shut for one reason stays shut for it,
    /// but [`Reason::Draining`] is the last word.
    pub fn shut(&self, reason: Reason) {
        let code = reason.code();
        if reason == Reason::Draining {
            self.0.shut.store(code, Ordering::SeqCst);
        } else {
            let _ = self
                .0
                .shut
                .compare_exchange(OPEN, code, Ordering::SeqCst, Ordering::SeqCst);
        }
        self.end_all(|_| Some(reason));
    }

    /// Lets sessions in again, if they were kept out for `reason`.
    pub fn reopen(&self, reason: Reason) {
        let code = reason.code();
        // Kept out for another reason means: still kept out.
        let _ = self
            .0
            .shut
            .compare_exchange(code, OPEN, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Why sessions are kept out, if they are.
    pub fn is_shut(&self) -> Option<Reason> {
        Reason::from_code(self.0.shut.load(Ordering::SeqCst))
    }

    /// The certificates that are revoked.
    pub(super) fn revoked(&self) -> &RevokedCertificates {
        &self.0.revoked
    }

    /// Each open session's token, and its use by that session, at this moment.
    pub(super) fn uses(&self) -> Vec<(PatId, Use)> {
        let at = self.0.time.now();
        let used = |session: &Session| {
            let token = session.principal.token?;
            Some((
                token,
                Use {
                    at,
                    ..session.used.clone()
                },
            ))
        };
        self.0
            .sessions
            .iter()
            .filter_map(|session| used(&session))
            .collect()
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.0.sessions.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.0.sessions.is_empty()
    }

    pub(super) fn remove(&self, id: u64, account: AccountId) {
        if self.0.sessions.remove(&id).is_some() {
            self.0.meters.streams.decrement(1.0);
        }
        if let Entry::Occupied(mut count) = self.0.counts.entry(account) {
            *count.get_mut() = count.get().saturating_sub(1);
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn shorten(&self, session: &Session) {
        if let Some(expiry) = self.0.recent.shortened(&session.principal) {
            session.shorten(expiry);
        }
    }

    fn count(&self, account: AccountId, limit: u32) -> Result<(), RegistryError> {
        let mut count = self.0.counts.entry(account).or_insert(0);
        if *count >= limit {
            return Err(RegistryError::TooMany { limit });
        }
        *count += 1;
        Ok(())
    }

    /// Ends the sessions for which there is a reason. Waking their tasks comes after the walk: a task may drop its
    /// session, which takes a lock that the walk holds.
    fn end_all(&self, reason_for: impl Fn(&Session) -> Option<Reason>) {
        let ending: Vec<_> = self
            .0
            .sessions
            .iter()
            .filter_map(|session| Some((Arc::clone(&session), reason_for(&session)?)))
            .collect();
        let mut ended = Ended::default();
        for (session, reason) in ending {
            if session.end(reason) {
                self.0.meters.closed(reason);
                ended.count(&session.principal, reason);
            }
        }
        ended.tell(&self.0.trail, self.0.time.now());
    }
}

/// Why a session must end that is so judged.
fn judge(session: &Session, verdict: Verdict) -> Option<Reason> {
    match verdict {
        Verdict::Ended(reason) => Some(reason),
        Verdict::Roles(roles) if !still_permits(&session.principal, roles, &session.permit) => {
            Some(Reason::RolesChanged)
        }
        Verdict::Roles(_) | Verdict::Unharmed => None,
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({} sessions)", self.len())
    }
}

const OPEN: u8 = 0;
