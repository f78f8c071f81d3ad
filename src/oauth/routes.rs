//! The endpoints and where they are.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::post;

use crate::openapi::Document;
use crate::openapi::Operation;

use super::Service;
use super::error::Error;
use super::frame::frame;
use super::introspect::introspect;
use super::operations as op;
use super::token::token;

/// On the gateway's port.
pub(super) fn gateway(service: Service) -> Router {
    let endpoints = Router::new().route(op::INTROSPECT.path, post(introspect));
    framed(service, endpoints)
}

/// On the IAM port.
pub(super) fn iam(service: Service) -> Router {
    let endpoints = Router::new()
        .route(op::TOKEN.path, post(token))
        .route(op::IAM_INTROSPECT.path, post(introspect));
    framed(service, endpoints)
}

impl Service {
    /// What is offered on the gateway's port.
    pub fn gateway_operations() -> Vec<Operation> {
        vec![op::INTROSPECT]
    }

    /// What is offered on the IAM port.
    pub fn iam_operations() -> Vec<Operation> {
        vec![op::TOKEN, op::IAM_INTROSPECT]
    }

    /// What holds for all of it.
    pub const fn document() -> Document {
        op::DOCUMENT
    }
}

fn framed(service: Service, endpoints: Router<Service>) -> Router {
    endpoints
        .method_not_allowed_fallback(async || Error::Method)
        .layer(from_fn(frame))
        .with_state(service)
}
