//! The API's place on the gateway's port.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodFilter;
use axum::routing::MethodRouter;
use axum::routing::any;
use axum::routing::get;
use axum::routing::on;

use crate::openapi::Document;
use crate::openapi::Method;
use crate::openapi::Operation;

use super::Service;
use super::account;
use super::admission::Gate;
use super::admission::admit;
use super::assertion;
use super::audit;
use super::certificate;
use super::error::Refusal;
use super::frame::frame;
use super::lockout;
use super::login;
use super::operations as op;
use super::password;
use super::pat;
use super::policy;
use super::revoke;
use super::sweep;

/// An operation and who does it.
type Route = (Operation, MethodRouter<Service>);

impl Service {
    /// What is offered.
    pub fn operations() -> Vec<Operation> {
        let all = managing().into_iter().chain(own()).chain(open());
        all.map(|(operation, _)| operation)
            .chain([op::VALIDATE_CERTIFICATE, op::KEYS])
            .collect()
    }

    /// What holds for all of it.
    pub const fn document() -> Document {
        op::DOCUMENT
    }

    /// Everything below `/api/v2/auth` and `/api/v1/auth`, `/oauth2/revoke`, and the keys of assertions.
    pub fn into_router(self) -> Router {
        let managing = elsewhere(router(managing()))
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn_with_state(Gate::manager(&self), admit));
        let own = router(own())
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn_with_state(Gate::anybody(&self), admit));
        let open = router(open())
            .merge(certificate())
            .method_not_allowed_fallback(wrong_method);
        managing
            .merge(own)
            .merge(open)
            .layer(from_fn_with_state(self.config, frame))
            // For everybody, and cacheable, as the rest is not.
            .route(op::KEYS.path, get(assertion::keys))
            .with_state(self)
    }
}

fn managing() -> Vec<Route> {
    vec![
        route(op::AUDIT, audit::list),
        route(op::CREATE, account::create),
        route(op::SEARCH, account::search),
        route(op::READ, account::read),
        route(op::RENAME, account::rename),
        route(op::REMOVE, account::remove),
        route(op::DISABLE, account::disable),
        route(op::ENABLE, account::enable),
        route(op::SET_ROLES, account::set_roles),
        route(op::READ_POLICY, policy::read_account),
        route(op::CHANGE_POLICY, policy::change_account),
        route(op::READ_TENANT, policy::read_tenant),
        route(op::CHANGE_TENANT, policy::change_tenant),
        route(op::SWEEP, sweep::sweep),
        route(op::LOCKED_OUT, lockout::list),
        route(op::LIFT_LOCKOUT, lockout::lift),
        route(op::CREATE_PAT, pat::create),
        route(op::SEARCH_PATS, pat::search),
        route(op::REVOKE_ALL, pat::revoke_all),
        route(op::READ_PAT, pat::read),
        route(op::REMOVE_PAT, pat::remove),
        route(op::ROTATE, pat::rotate),
    ]
}

fn own() -> Vec<Route> {
    vec![route(op::SELF, account::myself)]
}

fn open() -> Vec<Route> {
    vec![
        route(op::LOGIN, login::login),
        route(op::PASSWORD, password::change),
        route(op::LOGOUT, login::logout),
        route(op::SESSION, login::session),
        route(op::VALIDATE, login::validate),
        route(op::VALIDATE_POST, login::validate),
        route(op::REVOKE, revoke::revoke),
    ]
}

/// The page for proxies, which ask with the method of the request that they ask about; Envoy appends its path, too.
fn certificate() -> Router<Service> {
    let page = op::VALIDATE_CERTIFICATE.path;
    Router::new()
        .route(page, any(certificate::validate))
        .route(&format!("{page}/{{*asked}}"), any(certificate::validate))
}

fn route<H: Handler<T, Service>, T: 'static>(operation: Operation, handler: H) -> Route {
    let method = match operation.method {
        Method::Delete => MethodFilter::DELETE,
        Method::Get => MethodFilter::GET,
        Method::Patch => MethodFilter::PATCH,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
    };
    (operation, on(method, handler))
}

fn router(routes: Vec<Route>) -> Router<Service> {
    let add = |router: Router<Service>, (operation, handler): Route| {
        router.route(operation.path, handler)
    };
    routes.into_iter().fold(Router::new(), add)
}

/// Pages that there are not, below those that there are: who may not manage is not told.
fn elsewhere(router: Router<Service>) -> Router<Service> {
    router
        .route(
            "/api/v2/auth/serviceaccount/{machineUserId}/{page}",
            any(nowhere),
        )
        .route(
            "/api/v2/auth/serviceaccount/{machineUserId}/{page}/{item}",
            any(nowhere),
        )
        .route(
            "/api/v2/auth/serviceaccount/{machineUserId}/{page}/{item}/{*rest}",
            any(nowhere),
        )
}

async fn wrong_method() -> Refusal {
    Refusal::wrong_method()
}

async fn nowhere() -> Refusal {
    Refusal::not_found("page")
}
