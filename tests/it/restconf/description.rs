//! RESTCONF in the OpenAPI description: what is described is there, with these methods.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Api;
use crate::gateway::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn described_resources_take_the_described_methods() {
    let gateway = Gateway::start().await;
    let api = Api::admin(&gateway);
    let document = api.get("/openapi.json").await.ok();
    let paths = document["paths"].as_object().unwrap();
    let paths: Vec<(&String, &Value)> = paths
        .iter()
        .filter(|(path, _)| path.starts_with("/restconf"))
        .collect();
    let names = [
        "/restconf/data",
        "/restconf/operations/Accedian-service:delete-service",
    ];
    for name in names {
        assert!(paths.iter().any(|(path, _)| *path == name), "{name}");
    }
    assert!(paths.len() > 70, "{}", paths.len());
    for (path, page) in paths {
        let described: BTreeSet<String> = page
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        // What a wrong method is told is what it would take.
        let at = path.replace(['{', '}'], "");
        let refused = api.send("TRACE", &at, b"").await;
        refused.has_status(405);
        let allow = refused.header("allow").unwrap();
        let allowed: BTreeSet<String> = allow
            .split(", ")
            .filter(|method| *method != "OPTIONS")
            .map(str::to_owned)
            .collect();
        assert_eq!(described, allowed, "{path}");
    }
    let references: BTreeSet<&str> = references(&document).collect();
    for reference in references {
        let schema = document.pointer(reference.trim_start_matches('#'));
        assert!(schema.is_some_and(Value::is_object), "{reference}");
    }
}

fn references(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::Array(values) => Box::new(values.iter().flat_map(references)),
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            Box::new(own.into_iter().chain(members.values().flat_map(references)))
        }
        _ => Box::new(std::iter::empty()),
    }
}
