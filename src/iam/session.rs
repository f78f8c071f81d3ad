//! One open RPC, and why it ends.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;

use futures_util::task::AtomicWaker;

use crate::model::Class;
use crate::model::Expiry;
use crate::model::Serial;

use super::PatId;
use super::Permit;
use super::Principal;
use super::Registry;
use super::Use;

/// Why a session ended before its peer was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The account was deleted.
    AccountDeleted,
    /// The account or its tenant was disabled.
    AccountDisabled,
    /// The account may no longer be used from where the session was opened (iam L6).
    AddressNotAllowed,
    /// The certificate, its account, or the account's tenant, expired.
    CertificateExpired,
    /// The certificate was revoked.
    CertificateRevoked,
    /// The gateway stops.
    Draining,
    /// The password that opened it was changed.
    PasswordChanged,
    /// The account's roles no longer allow what the session does.
    RolesChanged,
    /// The store could not be asked for so long that revocations may have been missed (iam R6).
    StoreUnreachable,
    /// The token, its account, or what the tenant allows, expired.
    TokenExpired,
    /// The token was revoked.
    TokenRevoked,
}

/// How a session ended: what the peer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: Reason,
    /// The token that opened it.
    pub token: Option<PatId>,
    /// The certificate that opened it.
    pub certificate: Option<Serial>,
}

/// An open RPC. Dropping it takes it out of the registry.
///
/// Ask [`LiveSession::end_now`] before each write, and wait on [`LiveSession::ended`] meanwhile: nothing may be
/// sent after the end (iam R5).
pub struct LiveSession {
    pub(super) id: u64,
    pub(super) session: Arc<Session>,
    pub(super) registry: Registry,
}

pub(super) struct Session {
    pub(super) principal: Arc<Principal>,
    pub(super) permit: Permit,
    /// From where it was opened; the time is that of its latest noted use.
    pub(super) used: Use,
    /// 0 while it lives, then one more than the place of the reason in [`Reason::ALL`].
    state: AtomicU8,
    /// When its credential ends: the principal's expiry, or an earlier second since.
    expires: AtomicI64,
    waker: AtomicWaker,
}

impl LiveSession {
    /// Whose it is.
    pub fn principal(&self) -> &Arc<Principal> {
        &self.session.principal
    }

    /// What it was allowed.
    pub fn permit(&self) -> &Permit {
        &self.session.permit
    }

    /// How it ended, if it has. One atomic load.
    pub fn end_now(&self) -> Option<End> {
        self.session.end_now()
    }

    /// Waits for the end.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost when the future is dropped.
    pub async fn ended(&mut self) -> End {
        std::future::poll_fn(|cx| self.poll_ended(cx)).await
    }

    /// Ready when the session has ended.
    pub fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if let Some(end) = self.end_now() {
            return Poll::Ready(end);
        }
        self.session.waker.register(cx.waker());
        // It may have ended between the look and the registration.
        self.end_now().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        self.registry
            .remove(self.id, self.session.principal.account);
    }
}

impl fmt::Debug for LiveSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSession")
            .field("id", &self.id)
            .field("principal", &self.session.principal)
            .field("end", &self.end_now())
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(principal: Arc<Principal>, permit: Permit, used: Use) -> Self {
        Self {
            expires: AtomicI64::new(principal.expires.secs()),
            principal,
            permit,
            used,
            state: AtomicU8::new(LIVE),
            waker: AtomicWaker::new(),
        }
    }

    /// When its credential ends.
    pub(super) fn expires(&self) -> Expiry {
        Expiry::from_secs(self.expires.load(Ordering::Relaxed))
    }

    /// Its credential ends then, if not before.
    pub(super) fn shorten(&self, expiry: Expiry) {
        self.expires.fetch_min(expiry.secs(), Ordering::Relaxed);
    }

    /// Ends it, unless it has ended already. Returns whether it was this call that did.
    pub(super) fn end(&self, reason: Reason) -> bool {
        let ended = self
            .state
            .compare_exchange(LIVE, reason.code(), Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if ended {
            self.waker.wake();
        }
        ended
    }

    pub(super) fn end_now(&self) -> Option<End> {
        let reason = Reason::from_code(self.state.load(Ordering::Acquire))?;
        Some(End {
            reason,
            token: self.principal.token,
            certificate: self.principal.certificate,
        })
    }
}

impl Reason {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 11] = [
        Self::AccountDeleted,
        Self::AccountDisabled,
        Self::Draining,
        Self::PasswordChanged,
        Self::RolesChanged,
        Self::StoreUnreachable,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::AddressNotAllowed,
        Self::CertificateExpired,
        Self::CertificateRevoked,
    ];

    /// The machine word: trailer `x-auth-reason`, label of metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountDeleted => "account_deleted",
            Self::AccountDisabled => "account_disabled",
            Self::AddressNotAllowed => "ip_not_allowed",
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateRevoked => "certificate_revoked",
            Self::Draining => "draining",
            Self::PasswordChanged => "password_changed",
            Self::RolesChanged => "roles_changed",
            Self::StoreUnreachable => "store_unreachable",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
        }
    }

    /// Whose fault it is (iam R5, R6).
    pub const fn class(self) -> Class {
        match self {
            Self::AccountDeleted
            | Self::AccountDisabled
            | Self::CertificateExpired
            | Self::CertificateRevoked
            | Self::PasswordChanged
            | Self::TokenExpired
            | Self::TokenRevoked => Class::Unauthenticated,
            Self::Draining | Self::StoreUnreachable => Class::Unavailable,
            Self::AddressNotAllowed | Self::RolesChanged => Class::Denied,
        }
    }

    pub(super) const fn code(self) -> u8 {
        match self {
            Self::AccountDeleted => 1,
            Self::AccountDisabled => 2,
            Self::Draining => 3,
            Self::PasswordChanged => 4,
            Self::RolesChanged => 5,
            Self::StoreUnreachable => 6,
            Self::TokenExpired => 7,
            Self::TokenRevoked => 8,
            Self::AddressNotAllowed => 9,
            Self::CertificateExpired => 10,
            Self::CertificateRevoked => 11,
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }
}

/// A sentence fragment for people.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccountDeleted => "account deleted",
            Self::AccountDisabled => "account disabled",
            Self::AddressNotAllowed => "address is no longer allowed",
            Self::CertificateExpired => "certificate expired",
            Self::CertificateRevoked => "certificate revoked",
            Self::Draining => "gateway is stopping",
            Self::PasswordChanged => "password changed",
            Self::RolesChanged => "roles no longer allow this",
            Self::StoreUnreachable => "credential store is unreachable",
            Self::TokenExpired => "token expired",
            Self::TokenRevoked => "token revoked",
        })
    }
}

const LIVE: u8 = 0;
