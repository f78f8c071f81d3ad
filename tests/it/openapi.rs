//! The OpenAPI descriptions: every exchange of the contract tests is held against them, and so are the routers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;
use serde_json::json;
use tollgate::app::gateway_description;
use tollgate::app::iam_description;
use tollgate::schema::Schema;
use tollgate::schema::Source;

use crate::gateway::Gateway;

static GATEWAY: LazyLock<Value> =
    LazyLock::new(|| gateway_description(&Schema::load(Source::Embedded).unwrap()));
static IAM: LazyLock<Value> = LazyLock::new(iam_description);

/// One request and what was answered.
pub struct Exchange<'e> {
    pub on_iam_port: bool,
    pub method: &'e str,
    pub path: &'e str,
    pub request: &'e [u8],
    pub status: u16,
    pub answer: &'e Value,
}

/// Fails when a page, a status, or a member of an answer or of an accepted request is not in the description.
#[track_caller]
pub fn check(exchange: &Exchange<'_>) {
    let document = if exchange.on_iam_port {
        &*IAM
    } else {
        &*GATEWAY
    };
    let path = exchange.path.split('?').next().unwrap();
    let what = format!("{} {path} -> {}", exchange.method, exchange.status);
    let Some(page) = page(document, path) else {
        let is_undescribed = UNDESCRIBED.contains(&path) || exchange.status == 404;
        assert!(is_undescribed, "{what}: page is not described");
        return;
    };
    // A HEAD is a GET without its body.
    let method = exchange.method.replace("HEAD", "GET").to_lowercase();
    let Some(operation) = page.get(method) else {
        // Who may not come in is not told which methods there are.
        let is_refused = matches!(exchange.status, 400 | 401 | 403 | 405 | 429);
        assert!(is_refused, "{what}: method is not described");
        return;
    };
    let answer = &operation["responses"][exchange.status.to_string()];
    assert!(answer.is_object(), "{what}: status is not described");
    if let Some(schema) = schema_of(answer) {
        conforms(document, schema, exchange.answer, &what);
    }
    let body: Value = serde_json::from_slice(exchange.request).unwrap_or_default();
    if (200..300).contains(&exchange.status)
        && let Some(members) = body.as_object()
        && let Some(schema) = schema_of(&operation["requestBody"])
    {
        let known = &resolve(document, schema)["properties"];
        // What may be a file is not looked into.
        let members = known.is_object().then_some(members).into_iter().flatten();
        for (name, _) in members.filter(|(name, _)| !is_foreign(name)) {
            assert!(known.get(name).is_some(), "{what}: request has `{name}`");
        }
    }
}

/// Both spellings of protojson are understood, one is described; and what tests make up to see it passed over.
fn is_foreign(name: &str) -> bool {
    name.contains('_') || MADE_UP.contains(&name)
}

/// The page whose path fits best: literal parts before variable ones.
fn page<'d>(document: &'d Value, path: &str) -> Option<&'d Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let of: Vec<&str> = template.split('/').collect();
        of.len() == parts.len()
            && of
                .iter()
                .zip(&parts)
                .all(|(of, part)| of.starts_with('{') || of == part)
    };
    let pages = document["paths"].as_object().unwrap();
    let fitting = pages.iter().filter(|(template, _)| fits(template));
    fitting
        .min_by_key(|(template, _)| template.matches('{').count())
        .map(|(_, page)| page)
}

fn schema_of(answer: &Value) -> Option<&Value> {
    let content = answer.get("content")?.as_object()?;
    content.values().next()?.get("schema")
}

fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// Whether a value is as described, with no member that is not.
#[track_caller]
fn conforms(document: &Value, schema: &Value, value: &Value, what: &str) {
    let schema = resolve(document, schema);
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        if !value.is_null() {
            conforms(document, &choices[0], value, what);
        }
        return;
    }
    let kinds = match &schema["type"] {
        Value::Null => return,
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(
        kinds.contains(&json!(kind)),
        "{what}: {value} is no {kinds:?}"
    );
    match value {
        Value::Array(items) => {
            for item in items {
                conforms(document, &schema["items"], item, what);
            }
        }
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                assert!(members.contains_key(name), "{what}: `{name}` is missing");
            }
            for (name, member) in members {
                let described = schema["properties"].get(name);
                let described = described.unwrap_or_else(|| panic!("{what}: answer has `{name}`"));
                conforms(document, described, member, &format!("{what} {name}"));
            }
        }
        _ => {}
    }
}

/// Pages for programs, which no person describes.
const UNDESCRIBED: &[&str] = &["/openapi.json"];

const MADE_UP: &[&str] = &["unheardOf", "unknown"];

#[tokio::test(flavor = "multi_thread")]
async fn descriptions_are_served_to_everybody_on_both_ports() {
    let gateway = Gateway::start().await;
    let served = |answer: String| {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str::<Value>(body).unwrap()
    };
    assert_eq!(served(gateway.https_get("/openapi.json").await), *GATEWAY);
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: iam\r\nconnection: close\r\n\r\n";
    assert_eq!(served(gateway.iam_exchange(request).await), *IAM);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_described_operation_is_there_and_refuses_strangers() {
    let gateway = Gateway::start().await;
    for (document, on_iam_port) in [(&*GATEWAY, false), (&*IAM, true)] {
        let mut ids = BTreeMap::new();
        for (path, page) in document["paths"].as_object().unwrap() {
            for (method, operation) in page.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id, path).is_none(), "{id} is there twice");
                let is_open = operation["security"].as_array().unwrap().is_empty();
                let path = path.replace(['{', '}'], "");
                let request = format!(
                    "{} {path} HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n\
                     content-type: application/x-www-form-urlencoded\r\ncontent-length: 0\r\n\r\n",
                    method.to_uppercase()
                );
                let answer = if on_iam_port {
                    gateway.iam_exchange(request.as_bytes()).await
                } else {
                    gateway.exchange(request.as_bytes()).await
                };
                let status = answer.split(' ').nth(1).unwrap();
                let wants_nothing = is_open && operation["requestBody"].is_null();
                let expected = if wants_nothing && path.ends_with("/issuer") {
                    "404"
                } else if wants_nothing {
                    "200"
                } else if is_open || id == "token" {
                    "400"
                } else {
                    "401"
                };
                assert_eq!(status, expected, "{method} {path}: {answer}");
            }
        }
    }
}

#[test]
fn check_sees_what_is_not_described() {
    let exchange = |method, path, status, answer| Exchange {
        on_iam_port: true,
        method,
        path,
        request: b"",
        status,
        answer,
    };
    let fine = json!({ "org": { "id": "1", "details": {}, "state": "s", "name": "n", "primaryDomain": "d" } });
    check(&exchange("GET", "/management/v1/orgs/me", 200, &fine));
    let mut more = fine.clone();
    more["org"]["new"] = json!(1);
    let mut less = fine.clone();
    less["org"].as_object_mut().unwrap().remove("id");
    for (method, path, status, answer) in [
        ("GET", "/management/v1/orgs/me", 200, &more),
        ("GET", "/management/v1/orgs/me", 200, &less),
        ("GET", "/management/v1/orgs/me", 202, &fine),
        ("POST", "/management/v1/orgs/me", 200, &fine),
        ("GET", "/management/v1/orgs/you", 200, &fine),
    ] {
        let exchange = exchange(method, path, status, answer);
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&exchange)));
        assert!(seen.is_err(), "{method} {path} {status}");
    }
}
