//! The description as OpenAPI 3.1.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Access;
use super::Body;
use super::Operation;
use super::Schema;

/// What holds for all operations of a group.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Failures that every operation has.
    pub failures: &'static [u16],
    /// The body of a failure.
    pub failure: &'static Schema,
    /// The media types of failures.
    pub failure_media: &'static [&'static str],
    /// The media types of answers.
    pub media: &'static [&'static str],
}

/// Writes the description of a port on which these groups are.
pub fn document(title: &str, groups: &[(Document, Vec<Operation>)]) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let operations = groups
        .iter()
        .flat_map(|(of, operations)| operations.iter().map(move |operation| (of, operation)));
    for (of, operation) in operations {
        let page = paths
            .entry(operation.path.to_owned())
            .or_insert_with(|| json!({}));
        let described = describe(of, operation, &mut schemas);
        if let Some(page) = page.as_object_mut() {
            page.insert(operation.method.as_str().to_lowercase(), described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "certificate": { "type": "mutualTLS" },
                "client": { "type": "http", "scheme": "basic" },
            },
        },
    })
}

fn describe(of: &Document, operation: &Operation, schemas: &mut Map<String, Value>) -> Value {
    let mut described = Map::new();
    let mut put = |name: &str, value: Value| described.insert(name.to_owned(), value);
    put("operationId", operation.id.into());
    put("summary", operation.summary.into());
    let parameters = parameters(operation);
    if !parameters.is_empty() {
        put("parameters", parameters.into());
    }
    if let Some(body) = body(operation.body, schemas) {
        put("requestBody", body);
    }
    put("responses", answers(of, operation, schemas));
    put(
        "security",
        match operation.access {
            Access::Open => json!([]),
            Access::Bearer | Access::Tenant => json!([{ "bearer": [] }, { "certificate": [] }]),
            Access::Certificate => json!([{ "certificate": [] }]),
            Access::Client => json!([{ "bearer": [] }, { "client": [] }]),
        },
    );
    Value::Object(described)
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let text = || json!({ "type": "string" });
    let in_path = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text() }));
    let in_query = operation
        .query
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": text() }));
    let tenant = (operation.access == Access::Tenant)
        .then(|| json!({ "name": TENANT, "in": "header", "required": true, "schema": text() }));
    in_path.chain(in_query).chain(tenant).collect()
}

fn body(body: Body, schemas: &mut Map<String, Value>) -> Option<Value> {
    if let Body::Raw(media) = body {
        let file = || json!({ "schema": { "type": "string" } });
        let content: Map<String, Value> = media
            .iter()
            .map(|media| ((*media).to_owned(), file()))
            .collect();
        return Some(json!({ "required": true, "content": content }));
    }
    let schema = body.schema()?;
    schema.write(schemas);
    let media = match body {
        Body::Form(_) => "application/x-www-form-urlencoded",
        _ => "application/json",
    };
    Some(json!({
        "required": !matches!(body, Body::Optional(_)),
        "content": { (media): { "schema": schema.reference() } },
    }))
}

fn answers(of: &Document, operation: &Operation, schemas: &mut Map<String, Value>) -> Value {
    let mut answers = Map::new();
    of.failure.write(schemas);
    let success = operation.answer.map_or_else(
        || json!({ "description": "Done." }),
        |schema| {
            schema.write(schemas);
            answer(of.media, "Done.", schema)
        },
    );
    answers.insert(operation.success.to_string(), success);
    for status in of.failures.iter().chain(operation.failures) {
        let reason = http::StatusCode::from_u16(*status).ok();
        let reason = reason.and_then(|status| status.canonical_reason());
        let failed = answer(of.failure_media, reason.unwrap_or("Failed"), of.failure);
        answers.insert(status.to_string(), failed);
    }
    Value::Object(answers)
}

fn answer(media: &[&str], description: &str, schema: &Schema) -> Value {
    let content: Map<String, Value> = media
        .iter()
        .map(|media| ((*media).to_owned(), json!({ "schema": schema.reference() })))
        .collect();
    json!({ "description": description, "content": content })
}

const TENANT: &str = "X-Forwarded-Tenant-Id";
