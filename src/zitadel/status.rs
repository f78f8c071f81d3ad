//! Answers: protojson bodies, and errors in the envelope of the gRPC gateway.

use axum::Json;
use axum::response::IntoResponse;
use axum::response::Response;
use http::HeaderValue;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use http::header::PRAGMA;
use http::header::RETRY_AFTER;
use http::header::WWW_AUTHENTICATE;
use serde_json::Value;
use serde_json::json;

use crate::iam::AccountsError;

use super::error::Error;
use super::reply::without_zeros;

/// The gRPC codes that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    InvalidArgument = 3,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl Code {
    /// The gRPC gateway's table (iam 2.5).
    pub(super) const fn http(self) -> StatusCode {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::AlreadyExists | Self::Aborted => StatusCode::CONFLICT,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Self::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
        }
    }
}

/// A success: always 200, zero values left out.
pub(super) fn success(message: Value) -> Response {
    unstored(Json(without_zeros(message)).into_response())
}

/// A failure.
pub(super) fn failure(error: Error) -> Response {
    let status = match error {
        // The gateway's own exception for a wrong method, and ours: 429 would invite to send the same again.
        Error::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Error::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        error => error.code().http(),
    };
    let mut response = unstored((status, Json(envelope(error))).into_response());
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, challenge(error));
    }
    let seconds = match error {
        Error::Refused(error) => error.retry_after(),
        Error::Accounts(AccountsError::Throttled { retry_after }) => Some(retry_after),
        _ => None,
    };
    let seconds = seconds.map(|wait| wait.as_secs().max(1));
    let seconds = seconds.or_else(|| (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY));
    if let Some(seconds) = seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn envelope(error: Error) -> Value {
    let code = error.code() as u8;
    match error.id() {
        None => json!({ "code": code, "message": error.to_string() }),
        Some(id) => json!({
            "code": code,
            "message": format!("{error} ({id})"),
            "details": [{ "@type": DETAIL, "id": id, "message": error.to_string() }],
        }),
    }
}

/// RFC 6750 3: what is wrong is told only to those who showed a token.
fn challenge(error: Error) -> HeaderValue {
    let Error::Refused(refusal) = error else {
        return HeaderValue::from_static(REALM);
    };
    let text = format!(r#"{REALM}, error="invalid_token", error_description="{refusal}""#);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(REALM))
}

/// Answers carry tokens and people's data: nobody keeps them.
fn unstored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

const REALM: &str = r#"Bearer realm="tollgate""#;
const DETAIL: &str = "type.googleapis.com/zitadel.v1.ErrorDetail";
/// Seconds: a store that is busy is not so for long.
const RETRY: u64 = 1;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::iam::AccountsError;
    use crate::iam::AuthError;
    use crate::iam::port::Fault;
    use crate::iam::port::RecordsError;

    use super::*;

    #[track_caller]
    fn check(error: Error, status: u16, code: u8, id: Option<&str>) -> Response {
        let envelope = envelope(error);
        assert_eq!(envelope["code"], code, "{error:?}");
        assert_eq!(envelope["details"][0]["id"].as_str(), id, "{error:?}");
        let response = failure(error);
        assert_eq!(response.status().as_u16(), status, "{error:?}");
        response
    }

    #[test]
    fn what_no_client_can_provoke_has_its_status_too() {
        let records = |error| Error::from(AccountsError::Records(error));
        let down = RecordsError::Unavailable(Fault::Busy);
        let response = check(records(down), 503, 14, Some("GW-Unavailable"));
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let refused = Error::Refused(AuthError::Unavailable);
        let response = check(refused, 503, 14, Some("GW-Unavailable"));
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
        let retry_after = Duration::from_secs(7);
        let throttled = Error::Refused(AuthError::Throttled { retry_after });
        let response = check(throttled, 429, 8, Some("GW-Throttled"));
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        let address = Error::Refused(AuthError::AddressNotAllowed { token: None });
        check(address, 403, 7, Some("GW-Address"));
        let lifetime = AccountsError::LifetimeExceeds.into();
        check(lifetime, 400, 9, Some("GW-Lifetime"));
        check(records(RecordsError::Changed), 409, 10, Some("GW-Changed"));
        check(
            records(RecordsError::PatNameTaken),
            409,
            6,
            Some("GW-Exists"),
        );
        check(
            records(RecordsError::NotFound("account")),
            404,
            5,
            Some("GW-NotFound"),
        );
        check(
            AccountsError::NoRandomness.into(),
            500,
            13,
            Some("GW-Internal"),
        );
        check(Error::Internal, 500, 13, Some("GW-Internal"));
    }
}
