//! The API's place on the gateway's port.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use axum::routing::get;
use axum::routing::post;
use axum::routing::put;

use super::Service;
use super::account;
use super::admission::Gate;
use super::admission::admit;
use super::audit;
use super::certificate;
use super::error::Refusal;
use super::frame::frame;
use super::login;
use super::pat;
use super::policy;
use super::revoke;

impl Service {
    /// Everything below `/api/v2/auth` and `/api/v1/auth`, and `/oauth2/revoke`.
    pub fn into_router(self) -> Router {
        let managing = managing()
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn_with_state(Gate::manager(&self), admit));
        let own = Router::new()
            .route("/api/v2/auth/serviceaccount/self", get(account::myself))
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn_with_state(Gate::anybody(&self), admit));
        let open = Router::new()
            .route("/api/v1/auth/login", post(login::login))
            .route("/api/v1/auth/logout", post(login::logout))
            .route("/api/v1/auth/session", get(login::session))
            .route(
                "/api/v1/auth/validate",
                get(login::validate).post(login::validate),
            )
            .route(CERTIFICATE, any(certificate::validate))
            // Envoy appends the path that it asks about.
            .route(
                &format!("{CERTIFICATE}/{{*asked}}"),
                any(certificate::validate),
            )
            .route("/oauth2/revoke", post(revoke::revoke))
            .method_not_allowed_fallback(wrong_method);
        managing
            .merge(own)
            .merge(open)
            .layer(from_fn_with_state(self.config, frame))
            .with_state(self)
    }
}

fn managing() -> Router<Service> {
    Router::new()
        .route("/api/v2/auth/audit", get(audit::list))
        .route("/api/v2/auth/serviceaccount", post(account::create))
        .route("/api/v2/auth/serviceaccount/search", post(account::search))
        .route(
            "/api/v2/auth/serviceaccount/{account}",
            get(account::read)
                .patch(account::rename)
                .delete(account::remove),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/disable",
            post(account::disable),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/enable",
            post(account::enable),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/roles",
            put(account::set_roles),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/policy",
            get(policy::read_account).patch(policy::change_account),
        )
        .route(
            "/api/v2/auth/tenant/policy",
            get(policy::read_tenant).patch(policy::change_tenant),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/pat",
            post(pat::create),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/pat/search",
            post(pat::search),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/pat/revoke-all",
            post(pat::revoke_all),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/pat/{pat}",
            get(pat::read).delete(pat::remove),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/pat/{pat}/rotate",
            post(pat::rotate),
        )
        .route("/api/v2/auth/serviceaccount/{account}/{page}", any(nowhere))
        .route(
            "/api/v2/auth/serviceaccount/{account}/{page}/{item}",
            any(nowhere),
        )
        .route(
            "/api/v2/auth/serviceaccount/{account}/{page}/{item}/{*rest}",
            any(nowhere),
        )
}

/// The vendor's page for proxies and for holders of certificates.
const CERTIFICATE: &str = "/api/v1/auth/cert/validate/authorization";

async fn wrong_method() -> Refusal {
    Refusal::wrong_method()
}

async fn nowhere() -> Refusal {
    Refusal::not_found("page")
}
