//! What is answered when there is no certificate: RFC 9457 problem documents with stable codes.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderName;
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
use crate::pki;
use crate::pki::CsrError;
use crate::pki::port::CertificatesError;

/// A refusal. `frame` writes its body, because it knows the request's id.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// The machine word: what clients match, and what the audit trail has as the reason.
    pub(super) code: &'static str,
    pub(super) detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            headers: Vec::new(),
        }
    }

    pub(super) fn malformed(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(super) fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    pub(super) fn parameter(name: &str, problem: &str) -> Self {
        Self::malformed("invalid_parameter", format!("{name} {problem}"))
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("no such {what}"),
        )
    }

    /// No credential was shown (RFC 6750 3.1: then no error is named).
    pub(super) fn missing_credentials() -> Self {
        let detail = "send `Authorization: Bearer <token>`, or a certificate that may be renewed";
        Self::new(StatusCode::UNAUTHORIZED, "missing_credentials", detail).challenge(CHALLENGE)
    }

    pub(super) fn throttled(retry_after: Duration) -> Self {
        let detail = "certificates are asked for too often";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
            .retry_after(retry_after.as_secs_f64().ceil())
    }

    pub(super) fn unavailable() -> Self {
        let detail = "the store does not answer now, so nothing was issued or revoked";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1.0)
    }

    pub(super) fn internal() -> Self {
        let detail = "the gateway could not do it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(super) fn challenge(mut self, challenge: &'static str) -> Self {
        let value = HeaderValue::from_static(challenge);
        self.headers.push((WWW_AUTHENTICATE, value));
        self
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest whole number that there is"
    )]
    fn retry_after(mut self, seconds: f64) -> Self {
        let value = HeaderValue::from((seconds as u64).max(1));
        self.headers.push((RETRY_AFTER, value));
        self
    }

    /// The document (RFC 9457 3).
    pub(super) fn document(&self, request: &str) -> String {
        json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "request": request,
        })
        .to_string()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let invalid = || {
            let detail = "credential is not valid";
            Self::new(StatusCode::UNAUTHORIZED, "invalid_token", detail).challenge(INVALID)
        };
        match error {
            AuthError::PatExpired { .. } => {
                Self::forbidden("token_expired", error.to_string()).challenge(EXPIRED)
            }
            AuthError::AddressNotAllowed { .. } | AuthError::CertificateMismatch => {
                Self::forbidden(error.reason(), error.to_string())
            }
            AuthError::Throttled { retry_after } => Self::throttled(retry_after),
            // The TLS layer has verified it: its holder may know what is wrong.
            other if other.serial().is_some() => {
                Self::new(StatusCode::UNAUTHORIZED, other.reason(), other.to_string())
                    .challenge(CHALLENGE)
            }
            other => match other.class() {
                Class::Unavailable => Self::unavailable(),
                Class::Unauthenticated => invalid(),
                _ => Self::internal(),
            },
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::forbidden(denied.reason(), denied.to_string())
    }
}

impl From<NotPermitted> for Refusal {
    fn from(error: NotPermitted) -> Self {
        match error {
            NotPermitted::Auth(error) => error.into(),
            NotPermitted::Denied(denied) => denied.into(),
        }
    }
}

impl From<AccountsError> for Refusal {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Denied(denied) => denied.into(),
            AccountsError::Records(RecordsError::NotFound(what)) => Self::not_found(what),
            _ => Self::unavailable(),
        }
    }
}

impl From<CsrError> for Refusal {
    fn from(error: CsrError) -> Self {
        let status = match error.class() {
            Class::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.reason(), error.to_string())
    }
}

impl From<CertificatesError> for Refusal {
    fn from(error: CertificatesError) -> Self {
        match error {
            CertificatesError::KeyCompromised => Self::malformed("key_blocked", error.to_string()),
            CertificatesError::KeyOfAnother => {
                Self::new(StatusCode::CONFLICT, "key_in_use", error.to_string())
            }
            CertificatesError::NotFound => Self::not_found("certificate"),
            _ => Self::unavailable(),
        }
    }
}

/// What the issuer could not do is for the operator to know.
impl From<pki::Error> for Refusal {
    fn from(error: pki::Error) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "certificate not issued"
        );
        match error {
            pki::Error::NoIssuer => Self::unavailable(),
            pki::Error::NoSuchIssuer => Self::not_found("certificate authority"),
            _ => Self::internal(),
        }
    }
}

const CHALLENGE: &str = r#"Bearer realm="tollgate""#;
const INVALID: &str =
    r#"Bearer realm="tollgate", error="invalid_token", error_description="the token is not valid""#;
pub(super) const EXPIRED: &str =
    r#"Bearer realm="tollgate", error="invalid_token", error_description="the token has expired""#;

/// EST clients are used to HTTP's own (RFC 7030 3.2.3).
pub(super) const EST_CHALLENGE: &str = r#"Basic realm="tollgate""#;
