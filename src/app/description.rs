//! What is on the ports, as OpenAPI 3.1: made from what the routers are made from.

use axum::Json;
use axum::Router;
use axum::routing::get;
use serde_json::Value;

use crate::accounts;
use crate::enroll;
use crate::health;
use crate::oauth;
use crate::openapi::document;
use crate::restconf;
use crate::schema::Schema;
use crate::zitadel;

/// The HTTP faces on the gateway's port; RESTCONF serves the modules of `schema`.
pub fn gateway_description(schema: &Schema) -> Value {
    let accounts = accounts::Service::operations();
    let mut described = document(
        "Tollgate account API and RESTCONF",
        &[
            (accounts::Service::document(), accounts),
            (
                oauth::Service::document(),
                oauth::Service::gateway_operations(),
            ),
            (enroll::Service::document(), enroll::Service::operations()),
            (health::DOCUMENT, health::OPERATIONS.to_vec()),
        ],
    );
    let (paths, schemas) = restconf::Service::description(schema);
    for (at, members) in [("/paths", paths), ("/components/schemas", schemas)] {
        if let Some(Value::Object(known)) = described.pointer_mut(at) {
            known.extend(members);
        }
    }
    described
}

/// The HTTP faces on the IAM port.
pub fn iam_description() -> Value {
    let calls = zitadel::Service::operations();
    document(
        "Tollgate IAM API, Zitadel-compatible",
        &[
            (zitadel::Service::document(), calls),
            (oauth::Service::document(), oauth::Service::iam_operations()),
            (health::DOCUMENT, health::OPERATIONS.to_vec()),
        ],
    )
}

/// Serves a description to everybody.
pub(super) fn page(description: Value) -> Router {
    let answer = async move || Json(description);
    Router::new().route("/openapi.json", get(answer))
}
