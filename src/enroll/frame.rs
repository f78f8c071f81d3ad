//! What holds for every request and every answer of the room.

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::iam::TokenKind;
use crate::model::Peer;

use super::error::Refusal;

/// The id by which logs, audit and problem documents name a request.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Names the request, refuses plain text and doubled credentials, and finishes the answer.
pub(super) async fn frame(mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let mut response = match check(&request) {
        Ok(()) => {
            request.extensions_mut().insert(RequestId(id.clone()));
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    };
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        *response.body_mut() = Body::from(refusal.document(&id));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    }
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

fn check(request: &Request) -> Result<(), Refusal> {
    let peer = request.extensions().get::<Peer>();
    if !peer.is_some_and(|peer| peer.is_encrypted) {
        let detail = "credentials are not taken over plain text";
        return Err(Refusal::forbidden("tls_required", detail));
    }
    if request.headers().get_all(AUTHORIZATION).iter().count() > 1 {
        let detail = "Authorization is given more than once";
        return Err(Refusal::malformed("invalid_header", detail));
    }
    Ok(())
}

/// The client's own id, if it is one that a log can hold, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let given = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    given
        .filter(|id| !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(fits))
        .filter(|id| TokenKind::of(id).is_none())
        .map_or_else(
            // Without random numbers requests go unnamed; nothing depends on it.
            || format!("{:016x}", getrandom::u64().unwrap_or_default()),
            str::to_owned,
        )
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids would be a way to fill logs.
const LONGEST_ID: usize = 128;

const PROBLEM: &str = "application/problem+json";
