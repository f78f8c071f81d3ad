//! The room's place on the gateway's port.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::get;
use axum::routing::post;

use super::Service;
use super::error::Refusal;
use super::est;
use super::frame::frame;
use super::publish;
use super::revoke;
use super::sign;

impl Service {
    /// Everything below `/distribution`, `/.well-known/est` and `/api/v2/auth/certificates`.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/distribution/sign-csr", post(sign::sign_csr))
            .route("/distribution/ca.pem", get(publish::ca))
            .route("/distribution/crl", get(publish::current_list))
            .route("/distribution/crl/{issuer}", get(publish::list_of))
            .route("/.well-known/est/cacerts", get(est::ca_certificates))
            .route("/.well-known/est/csrattrs", get(est::csr_attributes))
            .route("/.well-known/est/simpleenroll", post(est::enroll))
            .route("/.well-known/est/simplereenroll", post(est::reenroll))
            .route("/api/v2/auth/certificates", get(revoke::list))
            .route(
                "/api/v2/auth/certificates/revoke",
                post(revoke::revoke_many),
            )
            .route("/api/v2/auth/certificates/{serial}", get(revoke::read))
            .route(
                "/api/v2/auth/certificates/{serial}/revoke",
                post(revoke::revoke_one),
            )
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn(frame))
            .with_state(self)
    }
}

async fn wrong_method() -> Refusal {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refusal::new(
        status,
        "method_not_allowed",
        "this page does not take that method",
    )
}
