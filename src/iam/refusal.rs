//! What follows when somebody is refused: a charge, a count, and a word in the audit trail (iam A1, L1, L2); and the word
//! about who acts in another's tenant (X6).

use crate::audit::Actor;
use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Outcome;
use crate::audit::Subject;
use crate::model::Class;
use crate::model::TenantId;

use super::AuthError;
use super::Authenticator;
use super::Principal;
use super::Source;
use super::authenticator::Inner;
use super::meters::Meters;
use super::throttle::Known;
use super::throttle::Price;

impl Authenticator {
    /// Tells the audit trail that somebody known wanted what it may not: another tenant's data, or what its roles do not
    /// allow. Once a second and account; the peer's fault costs it nothing else.
    pub fn note_denied<'o>(
        &self,
        principal: &Principal,
        reason: &'static str,
        from: impl Into<Source<'o>>,
    ) {
        let kind = Kind::AccessDenied;
        self.0.tell_of(principal, kind, reason, from.into());
    }

    /// Tells the audit trail that somebody acts in `tenant`, where that is not its own: once a minute, in both.
    pub fn note_visit<'o>(
        &self,
        principal: &Principal,
        tenant: &TenantId,
        from: impl Into<Source<'o>>,
    ) {
        let inner = &self.0;
        if *tenant == principal.tenant
            || !inner
                .throttle
                .is_worth_telling_visit(principal.account, tenant)
        {
            return;
        }
        inner.trail.record(Event {
            origin: from.into().to_origin(),
            tenant: Some(tenant.clone()),
            ..Event::new(inner.time.now(), Kind::TenantVisited, principal.as_audit())
        });
    }

    /// Tells the audit trail that somebody asked about a token that is not active, or not its business.
    pub fn note_inactive<'o>(&self, principal: &Principal, from: impl Into<Source<'o>>) {
        let (kind, reason) = (Kind::IntrospectionRefused, "not_active");
        self.0.tell_of(principal, kind, reason, from.into());
    }
}

impl Inner {
    /// Counts a failure and says what the peer is told: the failure, or that there were too many.
    pub(super) fn refuse(&self, error: AuthError, from: Source<'_>) -> AuthError {
        Meters::failed(error);
        if !matches!(error.class(), Class::Unauthenticated | Class::Denied) {
            return error;
        }
        let known = error.token().map(Known::Pat);
        let known = known.or(error.serial().map(Known::Certificate));
        let (price, is_told) = match known {
            Some(known) => (
                self.throttle.charge_inactive(known),
                self.throttle.is_worth_telling(known),
            ),
            None => (self.throttle.charge_source(from.address), true),
        };
        let (kind, told) = match price {
            Price::Free if is_told => (Some(kind_of(error)), error),
            Price::Free => (None, error),
            Price::JustSpent(retry_after) => (
                Some(Kind::RateLimited),
                AuthError::Throttled { retry_after },
            ),
            Price::Spent(retry_after) => (None, AuthError::Throttled { retry_after }),
        };
        if let Some(kind) = kind {
            self.tell(kind, error, from);
        }
        told
    }

    fn tell(&self, kind: Kind, error: AuthError, from: Source<'_>) {
        let subject = |kind, id| Subject {
            kind,
            id,
            name: None,
        };
        let token = error.token().map(|token| subject("pat", token.to_string()));
        let account = error.account().map(|id| subject("account", id.to_string()));
        let certificate = error.serial();
        let certificate = certificate.map(|serial| subject("certificate", serial.to_string()));
        self.trail.record(Event {
            outcome: Outcome::Failure,
            origin: from.to_origin(),
            reason: Some(error.reason()),
            subject: token.or(account).or(certificate),
            ..Event::new(self.time.now(), kind, Actor::Unknown)
        });
    }

    /// The event belongs to the tenant of who did it: of another, whose name anybody may say, it would be a way to fill
    /// the trail (iam X4).
    fn tell_of(&self, principal: &Principal, kind: Kind, reason: &'static str, from: Source<'_>) {
        Meters::denied(reason);
        if !self.throttle.is_worth_telling_of(principal.account) {
            return;
        }
        self.trail.record(Event {
            outcome: Outcome::Failure,
            origin: from.to_origin(),
            tenant: Some(principal.tenant.clone()),
            reason: Some(reason),
            ..Event::new(self.time.now(), kind, principal.as_audit())
        });
    }
}

const fn kind_of(error: AuthError) -> Kind {
    match error {
        AuthError::AddressNotAllowed { .. } => Kind::AddressNotAllowed,
        _ => Kind::AuthenticationFailed,
    }
}
