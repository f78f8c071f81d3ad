//! The endpoints and where they are.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::post;

use super::Service;
use super::error::Error;
use super::frame::frame;
use super::introspect::introspect;
use super::token::token;

/// On the gateway's port.
pub(super) fn gateway(service: Service) -> Router {
    framed(
        service,
        Router::new().route("/oauth2/introspect", post(introspect)),
    )
}

/// On the IAM port.
pub(super) fn iam(service: Service) -> Router {
    let endpoints = Router::new()
        .route("/oauth/v2/token", post(token))
        .route("/oauth/v2/introspect", post(introspect));
    framed(service, endpoints)
}

fn framed(service: Service, endpoints: Router<Service>) -> Router {
    endpoints
        .method_not_allowed_fallback(async || Error::Method)
        .layer(from_fn(frame))
        .with_state(service)
}
