//! What there is: host-meta, the API resource, the list of operations, the texts of modules (RFC 8040 3.1 to 3.7).

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::schema::Format;
use crate::schema::Schema;

use super::error::Refusal;
use super::media::Media;

/// RFC 6415: an XRD with one link.
pub(super) async fn host_meta() -> Response {
    let body = "<XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\
                <Link rel=\"restconf\" href=\"/restconf\"/></XRD>\n";
    with_type(body, "application/xrd+xml")
}

/// The same in JSON (RFC 6415 3).
pub(super) async fn host_meta_json() -> Response {
    let body = json!({ "links": [{ "rel": "restconf", "href": "/restconf" }] });
    with_type(body.to_string(), "application/json")
}

/// `/restconf`.
pub(super) fn root(schema: &Schema, media: Media) -> Response {
    let body = match media.format() {
        Format::Json => json!({ "ietf-restconf:restconf": {
            "data": {},
            "operations": operations_json(schema),
            "yang-library-version": LIBRARY,
        }})
        .to_string(),
        Format::Xml => format!(
            "<restconf xmlns=\"{NAMESPACE}\"><data/><operations>{}</operations>\
             <yang-library-version>{LIBRARY}</yang-library-version></restconf>",
            operations_xml(schema)
        ),
    };
    with_type(body, media.as_str())
}

/// `/restconf/operations`: actions are not in it.
pub(super) fn operations(schema: &Schema, media: Media) -> Response {
    let body = match media.format() {
        Format::Json => json!({ "ietf-restconf:operations": operations_json(schema) }).to_string(),
        Format::Xml => {
            let operations = operations_xml(schema);
            format!("<operations xmlns=\"{NAMESPACE}\">{operations}</operations>")
        }
    };
    with_type(body, media.as_str())
}

/// `/restconf/yang-library-version`.
pub(super) fn library_version(media: Media) -> Response {
    let body = match media.format() {
        Format::Json => json!({ "ietf-restconf:yang-library-version": LIBRARY }).to_string(),
        Format::Xml => {
            format!("<yang-library-version xmlns=\"{NAMESPACE}\">{LIBRARY}</yang-library-version>")
        }
    };
    with_type(body, media.as_str())
}

/// The text of a module, byte for byte.
pub(super) fn module(schema: &Schema, file: &str) -> Result<Response, Refusal> {
    let module = schema
        .modules()
        .iter()
        .find(|module| module.file_name() == file);
    let module = module.ok_or_else(|| Refusal::not_found("there is no such module"))?;
    Ok(with_type(module.text.clone(), "application/yang"))
}

fn operations_json(schema: &Schema) -> Value {
    let operations = schema.operations().iter();
    let entry = |id: &_| (schema.qualified(*id), json!([null]));
    Value::Object(operations.map(entry).collect::<Map<_, _>>())
}

fn operations_xml(schema: &Schema) -> String {
    let operations = schema.operations().iter().map(|id| {
        let node = schema.node(*id);
        let namespace = schema.module(&node.module).map(|it| it.namespace.as_str());
        format!(
            "<{} xmlns=\"{}\"/>",
            node.name,
            namespace.unwrap_or_default()
        )
    });
    operations.collect()
}

fn with_type(body: impl Into<Body>, media: &'static str) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The revision of ietf-yang-library (RFC 8525).
const LIBRARY: &str = "2019-01-04";
const NAMESPACE: &str = "urn:ietf:params:xml:ns:yang:ietf-restconf";
