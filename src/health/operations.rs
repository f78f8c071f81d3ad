//! The pages on the ports that clients use: their router and their OpenAPI description are made from this.

use crate::openapi::Document;
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
    path: "/healthz",
    id: "isAlive",
    summary: "Says that the process answers.",
    ..Operation::OPEN_PAGE
};

pub(super) const READYZ: Operation = Operation {
    path: "/readyz",
    id: "isReady",
    summary: "Says whether every component is ready, or with 503 which ones are not.",
    failures: &[503],
    ..Operation::OPEN_PAGE
};
