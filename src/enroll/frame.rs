//! What holds for every request and every answer of the room.

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::iam::RequestId;
use crate::model::Peer;

use super::error::Refusal;

/// Names the request, refuses plain text and doubled credentials, and finishes the answer.
pub(super) async fn frame(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let mut response = match check(&request) {
        Ok(()) => {
            request.extensions_mut().insert(id.clone());
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    };
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        *response.body_mut() = Body::from(refusal.document(id.as_str()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    }
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    id.put(headers);
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

const PROBLEM: &str = "application/problem+json";
