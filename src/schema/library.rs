//! The modules as data: the YANG library of RFC 8525 and the older one of RFC 7895.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;

use super::Module;
use super::Schema;

/// A name for the set of modules that changes when, and only when, a module does.
pub fn content_id(schema: &Schema) -> String {
    let mut hash = Sha256::new();
    for module in schema.modules() {
        for part in [&module.name, &module.revision, &module.text] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.update([u8::from(module.is_implemented)]);
    }
    let digest = hash.finalize();
    let start = digest.iter().take(8);
    let number = start.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}

/// The content of `ietf-yang-library:yang-library`. Modules can be fetched below `base`.
pub fn yang_library(schema: &Schema, base: &str) -> Value {
    let list = |implemented: bool| -> Vec<Value> {
        let modules = schema.modules().iter();
        modules
            .filter(|module| module.is_implemented == implemented)
            .map(|module| {
                let mut entry = description(module);
                entry.insert("location".to_owned(), json!([location(module, base)]));
                Value::Object(entry)
            })
            .collect()
    };
    let datastore =
        |name: &str| json!({ "name": format!("ietf-datastores:{name}"), "schema": ALL });
    json!({
        "module-set": [{ "name": ALL, "module": list(true), "import-only-module": list(false) }],
        "schema": [{ "name": ALL, "module-set": [ALL] }],
        "datastore": [datastore("running"), datastore("intended"), datastore("operational")],
        "content-id": content_id(schema),
    })
}

/// The content of `ietf-yang-library:modules-state`.
pub fn modules_state(schema: &Schema, base: &str) -> Value {
    let modules: Vec<Value> = schema
        .modules()
        .iter()
        .map(|module| {
            let mut entry = description(module);
            entry
                .entry("revision")
                .or_insert_with(|| Value::String(String::new()));
            entry.insert("schema".to_owned(), json!(location(module, base)));
            let kind = if module.is_implemented {
                "implement"
            } else {
                "import"
            };
            entry.insert("conformance-type".to_owned(), json!(kind));
            Value::Object(entry)
        })
        .collect();
    json!({ "module-set-id": content_id(schema), "module": modules })
}

fn description(module: &Module) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(module.name));
    if !module.revision.is_empty() {
        entry.insert("revision".to_owned(), json!(module.revision));
    }
    entry.insert("namespace".to_owned(), json!(module.namespace));
    entry
}

fn location(module: &Module, base: &str) -> String {
    format!("{base}/{}", module.file_name())
}

impl Module {
    /// `name@revision.yang`, or `name.yang` where there is no revision.
    pub fn file_name(&self) -> String {
        if self.revision.is_empty() {
            format!("{}.yang", self.name)
        } else {
            format!("{}@{}.yang", self.name, self.revision)
        }
    }
}

const ALL: &str = "all";
