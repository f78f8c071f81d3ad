//! Why a credential was refused.

use std::time::Duration;

use crate::model::Class;
use crate::model::Serial;

use super::AccountId;
use super::PatId;

/// Why a credential was refused. The text is fit for the peer: what it must not learn has one text for all;
/// [`AuthError::reason`] has the difference, for logs and audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Right, but the account or its tenant is disabled.
    #[error("account disabled")]
    AccountDisabled {
        /// The token that was used.
        token: Option<PatId>,
    },
    /// Right, but the account has ended.
    #[error("account expired")]
    AccountExpired,
    /// Right, but not to be used from there (iam L6).
    #[error("address is not allowed for this token")]
    AddressNotAllowed {
        /// The token.
        token: Option<PatId>,
    },
    /// The user name fits accounts of several tenants.
    #[error("{REFUSED}")]
    Ambiguous,
    /// A verified certificate whose time is over.
    #[error("certificate expired")]
    CertificateExpired {
        /// Its serial number.
        serial: Serial,
    },
    /// The certificate of the connection and the credential of the request name different accounts.
    #[error("certificate and credential name different users")]
    CertificateMismatch,
    /// A verified certificate whose time has not begun.
    #[error("certificate is not yet valid")]
    CertificateNotYetValid {
        /// Its serial number.
        serial: Serial,
    },
    /// A verified certificate whose account is gone.
    #[error("account of the certificate does not exist")]
    CertificateOrphaned {
        /// Its serial number.
        serial: Serial,
    },
    /// A certificate that was withdrawn.
    #[error("certificate revoked")]
    CertificateRevoked {
        /// Its serial number.
        serial: Serial,
    },
    /// Not of the form of a token.
    #[error("{REFUSED}")]
    Garbled,
    /// The operating system or a computation failed.
    #[error("internal error")]
    Internal,
    /// Too many wrong passwords for this user from this network. Not told, lest it be known who is a user.
    #[error("{REFUSED}")]
    LockedOut,
    /// A known token, but expired.
    #[error("token expired")]
    PatExpired {
        /// The token.
        token: PatId,
    },
    /// A known token, but revoked.
    #[error("token revoked")]
    PatRevoked {
        /// The token.
        token: PatId,
    },
    /// Right, but good for nothing but to set another (iam 3.7).
    #[error("password must be changed first")]
    PasswordProvisional {
        /// Whose it is.
        account: AccountId,
    },
    /// Too many failures.
    #[error("too many failed attempts")]
    Throttled {
        /// When to try again.
        retry_after: Duration,
    },
    /// The store cannot be asked, or too many logins are waiting.
    #[error("credentials cannot be checked now")]
    Unavailable,
    /// No such token or user.
    #[error("{REFUSED}")]
    Unknown,
    /// A good token, under a user name that is not its account's.
    #[error("{REFUSED}")]
    UsernameMismatch,
    /// A known user, but not the password.
    #[error("{REFUSED}")]
    WrongPassword {
        /// Whose it is not.
        account: AccountId,
    },
}

impl AuthError {
    /// Whose fault it is. A store that does not answer is never the peer's (iam 2.3).
    pub const fn class(self) -> Class {
        match self {
            Self::AddressNotAllowed { .. } | Self::CertificateMismatch => Class::Denied,
            Self::Internal => Class::Internal,
            Self::Throttled { .. } => Class::Throttled,
            Self::Unavailable => Class::Unavailable,
            Self::AccountDisabled { .. }
            | Self::AccountExpired
            | Self::Ambiguous
            | Self::CertificateExpired { .. }
            | Self::CertificateNotYetValid { .. }
            | Self::CertificateOrphaned { .. }
            | Self::CertificateRevoked { .. }
            | Self::Garbled
            | Self::LockedOut
            | Self::PasswordProvisional { .. }
            | Self::PatExpired { .. }
            | Self::PatRevoked { .. }
            | Self::Unknown
            | Self::UsernameMismatch
            | Self::WrongPassword { .. } => Class::Unauthenticated,
        }
    }

    /// The machine word for logs, audit and metrics. Edges may tell it to the peer where [`AuthError::is_telling`].
    pub const fn reason(self) -> &'static str {
        match self {
            Self::AccountDisabled { .. } => "account_disabled",
            Self::AccountExpired => "account_expired",
            Self::AddressNotAllowed { .. } => "ip_not_allowed",
            Self::Ambiguous => "ambiguous_username",
            Self::CertificateExpired { .. } => "certificate_expired",
            Self::CertificateMismatch => "certificate_mismatch",
            Self::CertificateNotYetValid { .. } => "certificate_not_yet_valid",
            Self::CertificateOrphaned { .. } => "certificate_orphaned",
            Self::CertificateRevoked { .. } => "certificate_revoked",
            Self::Garbled => "garbled",
            Self::Internal => "internal",
            Self::LockedOut => "locked_out",
            Self::PasswordProvisional { .. } => "password_change_required",
            Self::PatExpired { .. } => "token_expired",
            Self::PatRevoked { .. } => "token_revoked",
            Self::Throttled { .. } => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
            Self::UsernameMismatch => "username_mismatch",
            Self::WrongPassword { .. } => "wrong_password",
        }
    }

    /// Whether the peer has shown that it holds a real credential, and so may be told what is wrong with it.
    pub const fn is_telling(self) -> bool {
        !matches!(
            self,
            Self::Ambiguous
                | Self::Garbled
                | Self::Internal
                | Self::LockedOut
                | Self::Unknown
                | Self::UsernameMismatch
                | Self::WrongPassword { .. }
        )
    }

    /// The token, where it is known.
    pub const fn token(self) -> Option<PatId> {
        match self {
            Self::AccountDisabled { token } | Self::AddressNotAllowed { token } => token,
            Self::PatExpired { token } | Self::PatRevoked { token } => Some(token),
            _ => None,
        }
    }

    /// The account, where it alone is known. Not for the peer.
    pub(super) const fn account(self) -> Option<AccountId> {
        match self {
            Self::PasswordProvisional { account } | Self::WrongPassword { account } => {
                Some(account)
            }
            _ => None,
        }
    }

    /// The serial number of the certificate, where it is known.
    pub const fn serial(self) -> Option<Serial> {
        match self {
            Self::CertificateExpired { serial }
            | Self::CertificateNotYetValid { serial }
            | Self::CertificateOrphaned { serial }
            | Self::CertificateRevoked { serial } => Some(serial),
            _ => None,
        }
    }

    /// When to try again, where that helps.
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

/// One text for everything that would tell a guesser more than yes or no.
const REFUSED: &str = "invalid credentials";
