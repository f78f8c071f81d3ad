//! What is on the ports: gRPC services, the IAM API and pages, one router each.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::clock::Clock;
use crate::health;
use crate::iam::Identity;
use crate::oauth;
use crate::wire;
use crate::zitadel;

use super::Error;
use super::description::gateway_description;
use super::description::iam_description;
use super::description::page;
use super::faces::Faces;

/// The gateway's router: gNMI, gRPC health and reflection, RESTCONF, the account API, introspection, certificates, `/healthz` and
/// `/readyz`.
pub(super) async fn gateway_router(
    faces: Faces,
    readiness: health::Readiness,
) -> Result<Router, Error> {
    let (reporter, grpc_health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status(wire::GNMI_SERVICE, tonic_health::ServingStatus::Serving)
        .await;
    let reflection = |error| Error::Reflection(Box::new(error));
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(wire::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let v1 = described().build_v1().map_err(reflection)?;
    let v1alpha = described().build_v1alpha().map_err(reflection)?;
    let grpc = tonic::service::Routes::new(grpc_health)
        .add_service(v1)
        .add_service(v1alpha)
        .prepare()
        .into_axum_router();
    let description = gateway_description(faces.restconf.schema());
    Ok(grpc
        .merge(faces.gnmi.into_router())
        .merge(faces.restconf.into_router())
        .merge(faces.accounts.into_router())
        .merge(faces.oauth.gateway_router())
        .merge(faces.enroll.into_router())
        .merge(page(description))
        .merge(health::health_routes(readiness))
        .fallback(nowhere))
}

/// The IAM port's router: the Zitadel-compatible API, the token endpoint, `/healthz` and `/readyz`.
pub(super) fn iam_router(
    identity: &Identity,
    oauth: oauth::Service,
    clock: Clock,
    readiness: health::Readiness,
) -> Router {
    let accounts = identity.accounts.clone();
    zitadel::Service::new(accounts, identity.authenticator.clone(), clock)
        .into_router()
        .merge(oauth.iam_router())
        .merge(page(iam_description()))
        .merge(health::health_routes(readiness))
}

/// An unknown RPC is UNIMPLEMENTED, an unknown page is not found.
async fn nowhere(headers: HeaderMap) -> Response {
    let is_grpc = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if is_grpc {
        return tonic::Status::unimplemented("no such method").into_http::<axum::body::Body>();
    }
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}
