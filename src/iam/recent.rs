//! The revocations of late, by whom they affect: what closes every gap between reading a principal and using it.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use parking_lot::RwLock;

use crate::model::Expiry;

use super::Affected;
use super::Bounds;
use super::Change;
use super::Principal;
use super::Reason;
use super::Revocation;
use super::Roles;
use super::bounds::lets_in;
use super::record::latest;

/// Remembers the newest revocations. A principal says which log number it reflects; here one learns whether
/// anything newer concerns it.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Grows after every change of `marks`: who has compared at this number need not compare again.
    generation: AtomicU64,
    marks: RwLock<Marks>,
}

#[derive(Debug, Default)]
struct Marks {
    by_affected: HashMap<Affected, Mark>,
    order: VecDeque<(Affected, u64)>,
    /// Of entries up to this number nothing may be remembered.
    forgotten: u64,
}

/// The newest entries about one subject, each with its number.
#[derive(Clone, Debug, Default)]
struct Mark {
    seq: u64,
    bounds: Option<(u64, Arc<Bounds>)>,
    ended: Option<(u64, Reason)>,
    password: Option<u64>,
    roles: Option<(u64, Roles)>,
    shortened: Option<(u64, Expiry)>,
}

/// What newer revocations say about a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its credential is gone.
    Ended(Reason),
    /// Its account has other roles.
    Roles(Roles),
    /// Nothing to its harm.
    Unharmed,
}

impl Recent {
    /// Remembers nothing of the entries up to `seq`.
    pub(crate) fn new(seq: u64) -> Self {
        Self {
            generation: AtomicU64::new(FIRST_GENERATION),
            marks: RwLock::new(Marks {
                forgotten: seq,
                ..Marks::default()
            }),
        }
    }

    /// Takes in an entry. Taking one in twice, or two in the wrong order, makes no difference.
    pub(crate) fn note(&self, revocation: &Revocation) {
        let mut marks = self.marks.write();
        marks.note(revocation);
        // Under the lock, so that a reader of the new number finds the new mark.
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// A number that changes with every entry.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether nothing newer than `principal` concerns it, good or bad.
    pub(crate) fn is_untouched(&self, principal: &Principal) -> bool {
        let marks = self.marks.read();
        principal.seq >= marks.forgotten
            && Affected::of(principal)
                .filter_map(|affected| marks.by_affected.get(&affected))
                .all(|mark| mark.seq <= principal.seq)
    }

    /// When the token of `principal` ends, if newer entries say that this is earlier than it was.
    pub(crate) fn shortened(&self, principal: &Principal) -> Option<Expiry> {
        let newer = |seq: u64| seq > principal.seq;
        let token = Affected::Pat(principal.token?);
        let marks = self.marks.read();
        let own = marks
            .by_affected
            .get(&token)
            .and_then(|mark| mark.shortened);
        let own = own.filter(|(seq, _)| newer(*seq)).map(|(_, end)| end);
        let tenant = Affected::Tenant(principal.tenant.clone());
        let bounds = marks
            .by_affected
            .get(&tenant)
            .and_then(|mark| mark.bounds.as_ref());
        let most = bounds
            .filter(|(seq, _)| newer(*seq))
            .and_then(|(_, bounds)| bounds.max_lifetime);
        let allowed = principal
            .issued
            .zip(most)
            .map(|(issued, most)| latest(issued, most));
        own.into_iter().chain(allowed).min()
    }

    /// What newer entries say about `principal` at `address`, of whom every entry so far was told.
    pub(crate) fn verdict(&self, principal: &Principal, address: IpAddr) -> Verdict {
        self.marks.read().verdict(principal, address)
    }

    /// The same about one who was not yet told any; `None` when it is older than what is remembered.
    pub(crate) fn first_verdict(&self, principal: &Principal, address: IpAddr) -> Option<Verdict> {
        let marks = self.marks.read();
        (principal.seq >= marks.forgotten).then(|| marks.verdict(principal, address))
    }
}

impl Marks {
    fn verdict(&self, principal: &Principal, address: IpAddr) -> Verdict {
        let newer = |seq: &u64| *seq > principal.seq;
        let mut verdict = Verdict::Unharmed;
        for affected in Affected::of(principal) {
            let Some(mark) = self.by_affected.get(&affected) else {
                continue;
            };
            if let Some((_, reason)) = mark.ended.filter(|(seq, _)| newer(seq)) {
                return Verdict::Ended(reason);
            }
            if principal.is_by_password() && mark.password.as_ref().is_some_and(newer) {
                return Verdict::Ended(Reason::PasswordChanged);
            }
            if let Some((_, bounds)) = mark.bounds.as_ref().filter(|(seq, _)| newer(seq)) {
                let void = principal.issued.zip(bounds.not_before);
                if void.is_some_and(|(issued, at)| issued < at) {
                    return Verdict::Ended(Reason::TokenRevoked);
                }
                if !lets_in(&bounds.networks, address) {
                    return Verdict::Ended(Reason::AddressNotAllowed);
                }
            }
            if let Some((_, roles)) = mark.roles.filter(|(seq, _)| newer(seq)) {
                verdict = Verdict::Roles(roles);
            }
        }
        verdict
    }

    fn note(&mut self, revocation: &Revocation) {
        let seq = revocation.seq;
        let mark = self
            .by_affected
            .entry(revocation.subject.clone())
            .or_default();
        mark.seq = mark.seq.max(seq);
        if let Some(reason) = reason_of(revocation)
            && mark.ended.is_none_or(|(known, _)| known < seq)
        {
            mark.ended = Some((seq, reason));
        }
        match &revocation.change {
            Change::Bounds(bounds)
                if mark.bounds.as_ref().is_none_or(|(known, _)| *known < seq) =>
            {
                mark.bounds = Some((seq, Arc::clone(bounds)));
            }
            Change::Password => mark.password = mark.password.max(Some(seq)),
            Change::Roles(roles) if mark.roles.is_none_or(|(known, _)| known < seq) => {
                mark.roles = Some((seq, *roles));
            }
            Change::Shortened(expiry) if mark.shortened.is_none_or(|(known, _)| known < seq) => {
                mark.shortened = Some((seq, *expiry));
            }
            _ => {}
        }
        self.order.push_back((revocation.subject.clone(), seq));
        if self.order.len() > REMEMBERED {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((affected, seq)) = self.order.pop_front() else {
            return;
        };
        if self
            .by_affected
            .get(&affected)
            .is_some_and(|mark| mark.seq <= seq)
        {
            self.by_affected.remove(&affected);
        }
        self.forgotten = self.forgotten.max(seq);
    }
}

/// Why sessions end by an entry that ends them whatever their rights.
fn reason_of(revocation: &Revocation) -> Option<Reason> {
    match (&revocation.subject, &revocation.change) {
        (Affected::Certificate(_), Change::Revoked) => Some(Reason::CertificateRevoked),
        (_, Change::Revoked) | (Affected::Pat(_), Change::Deleted) => Some(Reason::TokenRevoked),
        (_, Change::Deleted) => Some(Reason::AccountDeleted),
        (_, Change::Disabled) => Some(Reason::AccountDisabled),
        (
            _,
            Change::Bounds(_)
            | Change::Created
            | Change::Enabled
            | Change::Password
            | Change::Roles(_)
            | Change::Shortened(_)
            | Change::Unlocked,
        ) => None,
    }
}

/// How many entries are remembered: about 10 MiB. A principal older than the oldest of them must be looked up again.
const REMEMBERED: usize = 65_536;

/// Not zero, so that zero can mean "never compared".
const FIRST_GENERATION: u64 = 1;
