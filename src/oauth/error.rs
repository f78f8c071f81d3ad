//! Refusals in the words of RFC 6749 5.2 and RFC 6750 3.1.

use std::time::Duration;

use axum::Json;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;

use crate::iam::AccountsError;
use crate::iam::AuthError;
use crate::iam::Denied;
use crate::iam::NotPermitted;
use crate::iam::port::RecordsError;
use crate::model::Class;

/// Why there is no token, or no answer about one. The text is fit for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// The caller may not ask.
    #[error("{0}")]
    Denied(Denied),
    /// The client is not who it says, or says nothing.
    #[error("client authentication failed")]
    InvalidClient,
    /// The person's user name or password is not right.
    #[error("user name or password is wrong")]
    InvalidGrant,
    /// The request is none.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// A scope that there is not.
    #[error("a scope is not well-formed")]
    InvalidScope,
    /// The bearer token by which the caller has come counts no longer, or never did.
    #[error("token is not valid")]
    InvalidToken,
    /// A fault of ours.
    #[error("internal error")]
    Internal,
    /// Another method than the endpoint's.
    #[error("only POST is taken here")]
    Method,
    /// Too many failures.
    #[error("too many failed attempts")]
    Throttled(Duration),
    /// The store cannot be asked.
    #[error("credentials cannot be checked now")]
    Unavailable,
    /// A grant that is not offered.
    #[error("grant type is not offered")]
    UnsupportedGrantType,
}

impl Error {
    /// The word of the RFCs; where they have none, the nearest.
    const fn word(self) -> &'static str {
        match self {
            Self::Denied(_) => "insufficient_scope",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest(_) | Self::Method => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidToken => "invalid_token",
            Self::Internal => "server_error",
            Self::Throttled(_) | Self::Unavailable => "temporarily_unavailable",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Denied(_) => StatusCode::FORBIDDEN,
            Self::InvalidClient | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InvalidGrant
            | Self::InvalidRequest(_)
            | Self::InvalidScope
            | Self::UnsupportedGrantType => StatusCode::BAD_REQUEST,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What a refused credential comes to: `refused`, unless it is not the peer's fault.
    pub(super) fn of_auth(error: AuthError, refused: Self) -> Self {
        match error.class() {
            Class::Throttled => Self::Throttled(error.retry_after().unwrap_or(Duration::ZERO)),
            Class::Unavailable => Self::Unavailable,
            Class::Unauthenticated | Class::Denied => refused,
            _ => Self::Internal,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.word(), "error_description": self.to_string() }));
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        match self {
            // RFC 6749 5.2: in the scheme that the client has used; RFC 9110 11.6.1: in any case one.
            Self::InvalidClient => {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
            }
            Self::InvalidToken => {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER));
            }
            Self::Throttled(wait) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from(RETRY));
            }
            _ => {}
        }
        response
    }
}

impl From<NotPermitted> for Error {
    fn from(error: NotPermitted) -> Self {
        match error {
            NotPermitted::Denied(denied) => Self::Denied(denied),
            NotPermitted::Auth(error) => Self::of_auth(error, Self::InvalidToken),
        }
    }
}

/// Whoever was changed or deleted since its credential was judged shows one that is no longer right.
impl From<AccountsError> for Error {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Records(RecordsError::Changed | RecordsError::NotFound(_)) => {
                Self::InvalidClient
            }
            other if other.class() == Class::Unavailable => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

const BASIC: &str = r#"Basic realm="tollgate", charset="UTF-8""#;
const BEARER: &str = r#"Bearer realm="tollgate", error="invalid_token""#;
/// Seconds: a store that is busy is not so for long.
const RETRY: u64 = 1;
