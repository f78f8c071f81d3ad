//! The kinds of events, and the words that they are stored under (iam A1).

use std::str::FromStr;

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Somebody known wanted what it may not (tenant mismatch, missing role).
    AccessDenied,
    /// An account came into being.
    AccountCreated,
    /// An account and its tokens are gone for good.
    AccountDeleted,
    /// An account is refused until it is enabled again.
    AccountDisabled,
    /// A disabled account is back.
    AccountEnabled,
    /// An account's credentials are bounded in another way.
    AccountPolicyChanged,
    /// An account has another name or description.
    AccountUpdated,
    /// The operator made or restored an administrator, at the machine itself (iam 3.7).
    AdministratorRecovered,
    /// A good token was shown from where it must not be used (iam L6).
    AddressNotAllowed,
    /// A credential was refused.
    AuthenticationFailed,
    /// The first administrator was made, as the configuration asks (iam 3.7).
    BootstrapUsed,
    /// A certificate was issued.
    CertificateIssued,
    /// Somebody asked for a certificate, and did not get it.
    CertificateRefused,
    /// A certificate was withdrawn.
    CertificateRevoked,
    /// Configuration was created, changed or deleted, or an operation was run on it.
    ConfigChanged,
    /// More failures came than are kept one by one; this says how many (iam A5).
    EventsDropped,
    /// Somebody asked about a token that is not active.
    IntrospectionRefused,
    /// An administrator lets somebody try again who has given too many wrong passwords.
    LockoutLifted,
    /// A person has a new password.
    PasswordChanged,
    /// A person's password was hashed again, with stronger parameters.
    PasswordRehashed,
    /// A token was issued.
    PatCreated,
    /// A token has reached its end.
    PatExpired,
    /// A token will reach its end soon.
    PatExpiring,
    /// A token was used for the first time.
    PatFirstUsed,
    /// A token that was over for long was forgotten.
    PatPurged,
    /// A token was withdrawn.
    PatRevoked,
    /// A token was replaced by another.
    PatRotated,
    /// A token was used from an address from which it was not used lately.
    PatUsedElsewhere,
    /// A source of failures is held off.
    RateLimited,
    /// An account has other roles.
    RolesChanged,
    /// A service account's client secret was taken away.
    SecretRemoved,
    /// A service account has a new client secret.
    SecretSet,
    /// Somebody has logged out.
    SessionEnded,
    /// Somebody has logged in.
    SessionOpened,
    /// Open streams ended because their credential did.
    StreamsEnded,
    /// A tenant came into being.
    TenantCreated,
    /// All of a tenant's accounts are refused.
    TenantDisabled,
    /// A disabled tenant is back.
    TenantEnabled,
    /// A tenant's tokens are bounded in another way.
    TenantPolicyChanged,
    /// Somebody who is at home elsewhere acts in a tenant (iam X6).
    TenantVisited,
    /// The oldest events were removed, as the retention asks.
    TrailCut,
}

/// The word is no kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of event")]
pub struct NotAKind;

impl Kind {
    /// All of them.
    pub const ALL: [Self; 41] = [
        Self::AccessDenied,
        Self::AccountCreated,
        Self::AccountDeleted,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountPolicyChanged,
        Self::AccountUpdated,
        Self::AddressNotAllowed,
        Self::AdministratorRecovered,
        Self::AuthenticationFailed,
        Self::BootstrapUsed,
        Self::CertificateIssued,
        Self::CertificateRefused,
        Self::CertificateRevoked,
        Self::ConfigChanged,
        Self::EventsDropped,
        Self::IntrospectionRefused,
        Self::LockoutLifted,
        Self::PasswordChanged,
        Self::PasswordRehashed,
        Self::PatCreated,
        Self::PatExpired,
        Self::PatExpiring,
        Self::PatFirstUsed,
        Self::PatPurged,
        Self::PatRevoked,
        Self::PatRotated,
        Self::PatUsedElsewhere,
        Self::RateLimited,
        Self::RolesChanged,
        Self::SecretRemoved,
        Self::SecretSet,
        Self::SessionEnded,
        Self::SessionOpened,
        Self::StreamsEnded,
        Self::TenantCreated,
        Self::TenantDisabled,
        Self::TenantEnabled,
        Self::TenantPolicyChanged,
        Self::TenantVisited,
        Self::TrailCut,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "authorization.denied",
            Self::AccountCreated => "account.created",
            Self::AccountDeleted => "account.deleted",
            Self::AccountDisabled => "account.disabled",
            Self::AccountEnabled => "account.enabled",
            Self::AccountPolicyChanged => "account.policy_changed",
            Self::AccountUpdated => "account.updated",
            Self::AddressNotAllowed => "authentication.address_not_allowed",
            Self::AdministratorRecovered => "administrator.recovered",
            Self::AuthenticationFailed => "authentication.failed",
            Self::BootstrapUsed => "bootstrap.used",
            Self::CertificateIssued => "certificate.issued",
            Self::CertificateRefused => "certificate.refused",
            Self::CertificateRevoked => "certificate.revoked",
            Self::ConfigChanged => "config.changed",
            Self::EventsDropped => "audit.dropped",
            Self::IntrospectionRefused => "introspection.refused",
            Self::LockoutLifted => "account.lockout_lifted",
            Self::PasswordChanged => "account.password_changed",
            Self::PasswordRehashed => "account.password_rehashed",
            Self::PatCreated => "pat.created",
            Self::PatExpired => "pat.expired",
            Self::PatExpiring => "pat.expiring",
            Self::PatFirstUsed => "pat.first_used",
            Self::PatPurged => "pat.purged",
            Self::PatRevoked => "pat.revoked",
            Self::PatRotated => "pat.rotated",
            Self::PatUsedElsewhere => "pat.used_from_new_address",
            Self::RateLimited => "authentication.rate_limited",
            Self::RolesChanged => "account.roles_changed",
            Self::SecretRemoved => "secret.removed",
            Self::SecretSet => "secret.set",
            Self::SessionEnded => "session.ended",
            Self::SessionOpened => "session.opened",
            Self::StreamsEnded => "streams.ended",
            Self::TenantCreated => "tenant.created",
            Self::TenantDisabled => "tenant.disabled",
            Self::TenantEnabled => "tenant.enabled",
            Self::TenantPolicyChanged => "tenant.policy_changed",
            Self::TenantVisited => "tenant.visited",
            Self::TrailCut => "audit.cut",
        }
    }

    /// `high` for what somebody should look at now (iam L6).
    pub const fn severity(self) -> Option<&'static str> {
        match self {
            Self::AddressNotAllowed | Self::AdministratorRecovered => Some("high"),
            _ => None,
        }
    }
}

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(word: &str) -> Result<Self, NotAKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or(NotAKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_words_of_their_own() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("pat".parse::<Kind>(), Err(NotAKind));
    }
}
