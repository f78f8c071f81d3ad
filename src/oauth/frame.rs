//! What holds for every request and every answer.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::PRAGMA;
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use axum::response::Response;

use crate::iam::RequestId;
use crate::model::Peer;

use super::error::Error;

/// Names the request, refuses it without TLS, and sees to it that nobody keeps the answer (RFC 6749 5.1).
pub(super) async fn frame(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let peer = request.extensions().get::<Peer>();
    let mut response = if peer.is_some_and(|peer| peer.is_encrypted) {
        next.run(request).await
    } else {
        Error::InvalidRequest("credentials are not taken over plain text").into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    id.put(headers);
    response
}
