//! Reading a body, within bounds.

use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use http_body_util::LengthLimitError;
use http_body_util::Limited;

use crate::pki::CsrError;

use super::error::Refusal;

/// The whole body; 413 beyond `limit` bytes.
pub(super) async fn collect(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let collecting = Limited::new(body, limit).collect();
    let Ok(collected) = tokio::time::timeout(BODY_DEADLINE, collecting).await else {
        let detail = "body did not arrive in time";
        let status = StatusCode::REQUEST_TIMEOUT;
        return Err(Refusal::new(status, "timeout", detail));
    };
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(CsrError::TooLarge.into()),
        Err(_) => Err(Refusal::malformed("body_cut_off", "body broke off")),
    }
}

/// The media type without its parameters, in lower case; empty where there is none.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let name = value.unwrap_or_default().split(';').next();
    name.unwrap_or_default().trim().to_ascii_lowercase()
}

/// 415.
pub(super) fn unsupported(expected: &'static str) -> Refusal {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Refusal::new(status, "unsupported_media_type", expected)
}

/// A body of a few packets, over a bad line.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
