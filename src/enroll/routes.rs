//! The room's place on the gateway's port.

use axum::Router;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::MethodRouter;
use axum::routing::get;
use axum::routing::post;

use crate::openapi::Document;
use crate::openapi::Method;
use crate::openapi::Operation;

use super::Service;
use super::error::Refusal;
use super::est;
use super::frame::frame;
use super::operations as op;
use super::publish;
use super::revoke;
use super::sign;

/// An operation and who does it.
type Route = (Operation, MethodRouter<Service>);

impl Service {
    /// What is offered.
    pub fn operations() -> Vec<Operation> {
        routes()
            .into_iter()
            .map(|(operation, _)| operation)
            .collect()
    }

    /// What holds for all of it.
    pub const fn document() -> Document {
        op::DOCUMENT
    }

    /// Everything below `/distribution`, `/.well-known/est` and `/api/v2/auth/certificates`.
    pub fn into_router(self) -> Router {
        let add = |router: Router<Self>, (operation, handler): Route| {
            router.route(operation.path, handler)
        };
        routes()
            .into_iter()
            .fold(Router::new(), add)
            .method_not_allowed_fallback(wrong_method)
            .layer(from_fn(frame))
            .with_state(self)
    }
}

fn routes() -> Vec<Route> {
    vec![
        route(op::SIGN, sign::sign_csr),
        route(op::CA, publish::ca),
        route(op::LIST, publish::current_list),
        route(op::LIST_OF, publish::list_of),
        route(op::EST_CA, est::ca_certificates),
        route(op::EST_ATTRIBUTES, est::csr_attributes),
        route(op::EST_ENROLL, est::enroll),
        route(op::EST_REENROLL, est::reenroll),
        route(op::CERTIFICATES, revoke::list),
        route(op::REVOKE_MANY, revoke::revoke_many),
        route(op::CERTIFICATE, revoke::read),
        route(op::REVOKE_ONE, revoke::revoke_one),
    ]
}

fn route<H: Handler<T, Service>, T: 'static>(operation: Operation, handler: H) -> Route {
    let handler = match operation.method {
        Method::Post => post(handler),
        _ => get(handler),
    };
    (operation, handler)
}

async fn wrong_method() -> Refusal {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refusal::new(
        status,
        "method_not_allowed",
        "this page does not take that method",
    )
}
