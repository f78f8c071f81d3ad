//! Why a call was refused, and as what that goes on the wire.

use crate::iam::AccountsError;
use crate::iam::AuthError;
use crate::iam::Denied;
use crate::iam::NotPermitted;
use crate::iam::port::RecordsError;
use crate::model::Class;

use super::status::Code;

/// Why a call was refused. The text is fit for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// The accounts say no.
    #[error("{0}")]
    Accounts(AccountsError),
    /// More than [`super::call::BODY_BYTES`].
    #[error("body is too large")]
    BodyTooLarge,
    /// Known, but not allowed.
    #[error("{0}")]
    Denied(Denied),
    /// The message says something wrong.
    #[error("{field} {problem}")]
    Field {
        /// Where.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The connection has no peer: a fault of ours.
    #[error("internal error")]
    Internal,
    /// The path exists, but not for this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// No credential.
    #[error("auth header missing")]
    MissingCredentials,
    /// No such path.
    #[error("not found")]
    Nowhere,
    /// No such thing.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Right in itself, but not as things are.
    #[error("{text}")]
    Precondition {
        /// Ours, for machines.
        id: &'static str,
        /// For people.
        text: &'static str,
    },
    /// The credential is refused.
    #[error("{0}")]
    Refused(AuthError),
    /// A user has its authorization already.
    #[error("user grant exists")]
    GrantExists,
    /// Not a bearer token.
    #[error("auth header is not a bearer token")]
    WrongScheme,
}

impl Error {
    /// Why somebody known may not, where that is what it says.
    pub(super) const fn denied(&self) -> Option<Denied> {
        match self {
            Self::Denied(denied) | Self::Accounts(AccountsError::Denied(denied)) => Some(*denied),
            _ => None,
        }
    }

    /// A message that says something wrong.
    pub(super) const fn field(field: &'static str, problem: &'static str) -> Self {
        Self::Field { field, problem }
    }

    /// Right in itself, but not as things are.
    pub(super) const fn precondition(id: &'static str, text: &'static str) -> Self {
        Self::Precondition { id, text }
    }

    /// Whether the thing is not there, whoever says so.
    pub(super) const fn is_not_found(self) -> bool {
        matches!(self.code(), Code::NotFound)
    }

    /// The gRPC code (iam 2.3, 2.5).
    pub(super) const fn code(self) -> Code {
        match self {
            Self::Accounts(error) => code_of(error),
            Self::BodyTooLarge => Code::ResourceExhausted,
            Self::Denied(_) => Code::PermissionDenied,
            Self::Field { .. } => Code::InvalidArgument,
            Self::GrantExists => Code::AlreadyExists,
            Self::Internal => Code::Internal,
            Self::MethodNotAllowed => Code::Unimplemented,
            Self::MissingCredentials | Self::WrongScheme => Code::Unauthenticated,
            Self::Nowhere | Self::NotFound(_) => Code::NotFound,
            Self::Precondition { .. } => Code::FailedPrecondition,
            Self::Refused(error) => Code::of_class(error.class()),
        }
    }

    /// The id of the detail. Wrong fields and a missing header come without one, as in Zitadel.
    pub(super) const fn id(self) -> Option<&'static str> {
        match self {
            Self::Accounts(error) => id_of(error),
            Self::BodyTooLarge => Some("GW-TooLarge"),
            Self::Denied(denied) => Some(id_of_denied(denied)),
            Self::Field { .. }
            | Self::MethodNotAllowed
            | Self::MissingCredentials
            | Self::Nowhere
            | Self::WrongScheme => None,
            Self::GrantExists => Some("GW-GrantExists"),
            Self::Internal => Some("GW-Internal"),
            Self::NotFound(_) => Some("GW-NotFound"),
            Self::Precondition { id, .. } => Some(id),
            Self::Refused(error) => Some(id_of_refusal(error)),
        }
    }
}

const fn code_of(error: AccountsError) -> Code {
    match error {
        AccountsError::LifetimeExceeds | AccountsError::Records(RecordsError::QuotaExceeded(_)) => {
            Code::FailedPrecondition
        }
        AccountsError::Records(RecordsError::Changed) => Code::Aborted,
        error => Code::of_class(error.class()),
    }
}

const fn id_of(error: AccountsError) -> Option<&'static str> {
    Some(match error {
        AccountsError::Denied(denied) => id_of_denied(denied),
        AccountsError::InvalidField { .. } => return None,
        AccountsError::LifetimeExceeds => "GW-Lifetime",
        AccountsError::Password(error) => id_of_refusal(error),
        AccountsError::Records(RecordsError::Changed) => "GW-Changed",
        AccountsError::Records(RecordsError::QuotaExceeded(_)) => "GW-Quota",
        AccountsError::Records(RecordsError::UsernameTaken(_)) => "GW-UserExists",
        AccountsError::Records(RecordsError::Unavailable(_)) => "GW-Unavailable",
        AccountsError::Records(_) => "GW-Exists",
        AccountsError::Throttled { .. } => "GW-Throttled",
        _ => "GW-Internal",
    })
}

const fn id_of_denied(denied: Denied) -> &'static str {
    match denied {
        Denied::ForeignTenant => "GW-Org",
        Denied::MintingOff => "GW-Minting",
        Denied::RolesExceed => "GW-RolesExceed",
        _ => "GW-Permission",
    }
}

/// Tells apart only what the error's own text does (iam 2.3).
const fn id_of_refusal(error: AuthError) -> &'static str {
    match error {
        AuthError::AccountDisabled { .. } => "GW-AccountDisabled",
        AuthError::AccountExpired => "GW-AccountExpired",
        AuthError::AddressNotAllowed { .. } => "GW-Address",
        AuthError::PasswordProvisional { .. } => "GW-PasswordChange",
        AuthError::PatExpired { .. } => "GW-TokenExpired",
        AuthError::PatRevoked { .. } => "GW-TokenRevoked",
        AuthError::Throttled { .. } => "GW-Throttled",
        AuthError::Unavailable => "GW-Unavailable",
        AuthError::Internal => "GW-Internal",
        _ => "GW-Credentials",
    }
}

impl From<NotPermitted> for Error {
    fn from(error: NotPermitted) -> Self {
        match error {
            NotPermitted::Denied(denied) => Self::Denied(denied),
            NotPermitted::Auth(error) => Self::Refused(error),
        }
    }
}

/// Accounts are users here, whoever does not find them.
impl From<AccountsError> for Error {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Records(RecordsError::NotFound("account")) => Self::NotFound("user"),
            AccountsError::Records(RecordsError::NotFound(what)) => Self::NotFound(what),
            error => Self::Accounts(error),
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl Code {
    const fn of_class(class: Class) -> Self {
        match class {
            Class::Conflict => Self::AlreadyExists,
            Class::Denied => Self::PermissionDenied,
            Class::Internal => Self::Internal,
            Class::Malformed => Self::InvalidArgument,
            Class::NotFound => Self::NotFound,
            Class::Throttled | Class::TooLarge => Self::ResourceExhausted,
            Class::Unauthenticated => Self::Unauthenticated,
            Class::Unavailable => Self::Unavailable,
            Class::Unsupported => Self::Unimplemented,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::iam::port::Fault;

    use super::*;

    #[test]
    fn store_that_cannot_be_asked_is_unavailable_whoever_asks_it() {
        let down = RecordsError::Unavailable(Fault::Other);
        for error in [
            Error::Refused(AuthError::Unavailable),
            Error::Accounts(down.into()),
            Error::Accounts(AccountsError::Password(AuthError::Unavailable)),
        ] {
            let code = error.code();
            assert_eq!((code as i32, code.http().as_u16()), (14, 503));
            assert_eq!(error.id(), Some("GW-Unavailable"));
        }
    }
}
