//! Data that is the gateway's own: the YANG library and what RESTCONF says about itself.

use serde_json::Value;
use serde_json::json;

use crate::model::TenantId;
use crate::schema::NodeId;
use crate::schema::modules_state;
use crate::schema::yang_library;

use super::Service;
use super::events::streams;

/// The content of a top-level node that is state; `None` when nothing is known of it. Modules can be fetched at `host`.
pub(super) fn content(
    service: &Service,
    tenant: &TenantId,
    (top, host): (NodeId, &str),
) -> Option<Value> {
    let schema = service.schema();
    let base = format!("https://{host}/restconf/yang");
    match schema.qualified(top).as_str() {
        "ietf-yang-library:yang-library" => Some(yang_library(schema, &base)),
        "ietf-yang-library:modules-state" => Some(modules_state(schema, &base)),
        "ietf-restconf-monitoring:restconf-state" => Some(json!({
            "capabilities": { "capability": CAPABILITIES },
            "streams": streams(service, host, service.datastore.notices().began(tenant)),
        })),
        _ => None,
    }
}

/// RFC 8040 9.1.1, RFC 6243 5, RFC 8527 3.2: each of them has tests.
const CAPABILITIES: &[&str] = &[
    "urn:ietf:params:restconf:capability:defaults:1.0?basic-mode=explicit",
    "urn:ietf:params:restconf:capability:depth:1.0",
    "urn:ietf:params:restconf:capability:fields:1.0",
    "urn:ietf:params:restconf:capability:filter:1.0",
    "urn:ietf:params:restconf:capability:replay:1.0",
    "urn:ietf:params:restconf:capability:with-defaults:1.0",
    "urn:ietf:params:restconf:capability:with-operational-defaults:1.0",
    "urn:ietf:params:restconf:capability:with-origin:1.0",
    "urn:ietf:params:restconf:capability:yang-patch:1.0",
];
