//! The pages on the ports that clients use: their router and their OpenAPI description are made from this.

use crate::openapi::Access;
use crate::openapi::Body;
use crate::openapi::Document;
use crate::openapi::Method;
use crate::openapi::Operation;
use crate::openapi::Schema;

/// What holds for both.
pub const DOCUMENT: Document = Document {
    failures: &[],
    failure: &Schema {
        name: "NotReady",
        members: &[],
    },
    failure_media: &["text/plain"],
    media: &["text/plain"],
};

/// Both.
pub const OPERATIONS: [Operation; 2] = [HEALTHZ, READYZ];

pub(super) const HEALTHZ: Operation = Operation {
    method: Method::Get,
    path: "/healthz",
    id: "isAlive",
    summary: "Says that the process answers.",
    access: Access::Open,
    query: &[],
    body: Body::None,
    success: 200,
    answer: None,
    failures: &[],
};

pub(super) const READYZ: Operation = Operation {
    path: "/readyz",
    id: "isReady",
    summary: "Says whether every component is ready, or with 503 which ones are not.",
    failures: &[503],
    ..HEALTHZ
};
