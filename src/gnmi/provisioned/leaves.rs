//! Entries of the datastore as leaves of the tree.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Map;
use serde_json::Value as Json;

use crate::datastore::keys_of;
use crate::datastore::tree::step_of;
use crate::model::Elem;
use crate::model::Nature;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Update;
use crate::model::Value;
use crate::schema::Collection;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Number;
use crate::schema::Schema;
use crate::wire::RFC7951;

/// Where an entry is in the tree. `key` is as it stands in a URL.
pub(super) fn entry_path(schema: &Schema, collection: &Collection, key: &str) -> Path {
    let container = Elem::new(schema.node(collection.container).name.as_str());
    let entry = elem(schema, collection.list, keys_of(key));
    Path::new(Origin::new(RFC7951), vec![container, entry])
}

/// The leaves of an entry, keys included: an entry may have nothing else.
pub(super) fn of(
    schema: &Schema,
    collection: &Collection,
    key: &str,
    entry: &Json,
) -> Vec<(Nature, Update)> {
    let mut walk = Walk {
        schema,
        at: entry_path(schema, collection, key),
        found: Vec::new(),
    };
    if let Json::Object(members) = entry {
        walk.members(collection.list, members);
    }
    walk.found
}

struct Walk<'a> {
    schema: &'a Schema,
    at: Path,
    found: Vec<(Nature, Update)>,
}

impl Walk<'_> {
    fn members(&mut self, node: NodeId, members: &Map<String, Json>) {
        for (name, value) in members {
            let Some(child) = self.schema.find(Some(node), name) else {
                continue;
            };
            let kind = self.schema.node(child).kind;
            match (kind, value) {
                (Kind::Container, Json::Object(inner)) => {
                    self.within(elem(self.schema, child, Vec::new()), |walk| {
                        walk.members(child, inner);
                    });
                }
                (Kind::List, Json::Array(entries)) if !self.schema.node(child).keys.is_empty() => {
                    for entry in entries {
                        let keys = step_of(self.schema, child, entry).keys;
                        let Json::Object(inner) = entry else { continue };
                        self.within(elem(self.schema, child, keys), |walk| {
                            walk.members(child, inner);
                        });
                    }
                }
                _ => self.leaf(child, value),
            }
        }
    }

    fn within(&mut self, elem: Elem, visit: impl FnOnce(&mut Self)) {
        self.at.elems.push(elem);
        visit(self);
        self.at.elems.pop();
    }

    fn leaf(&mut self, node: NodeId, value: &Json) {
        let schema = self.schema.node(node);
        let nature = if schema.is_config {
            Nature::Config
        } else {
            Nature::State
        };
        let value = match (schema.kind, value) {
            (Kind::LeafList, Json::Array(values)) => Value::LeafList(
                values
                    .iter()
                    .map(|value| scalar(value, schema.number))
                    .collect(),
            ),
            _ => scalar(value, schema.number),
        };
        let mut path = self.at.clone();
        path.elems.push(elem(self.schema, node, Vec::new()));
        self.found.push((nature, Update { path, value }));
    }
}

fn elem(schema: &Schema, node: NodeId, keys: Vec<String>) -> Elem {
    let node = schema.node(node);
    let names = node.keys.iter().map(|key| schema.node(*key).name.as_str());
    Elem::with_keys(node.name.as_str(), names.zip(keys))
}

/// A value of RFC 7951, in its canonical form.
fn scalar(value: &Json, number: Option<Number>) -> Value {
    let typed = match (value, number) {
        (Json::Bool(value), _) => Some(Value::Bool(*value)),
        (Json::Number(value), _) => value.as_i64().map(Value::Narrow),
        (Json::String(text), None) => Some(Value::String(Arc::from(text.as_str()))),
        (Json::String(text), Some(Number::Int)) => text.parse().ok().map(Value::Int),
        (Json::String(text), Some(Number::Uint)) => text.parse().ok().map(Value::Uint),
        (Json::String(text), Some(Number::Decimal)) => decimal(text),
        (Json::Array(values), _) if matches!(values.as_slice(), [Json::Null]) => Some(Value::Empty),
        _ => None,
    };
    typed.unwrap_or_else(|| Value::Json(Bytes::from(value.to_string())))
}

fn decimal(text: &str) -> Option<Value> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    Some(Value::Decimal {
        digits: format!("{whole}{fraction}").parse().ok()?,
        precision: u8::try_from(fraction.len()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Source;

    #[test]
    fn entry_becomes_leaves_with_the_keys_of_its_lists_in_their_paths() {
        let schema = Schema::load(Source::Embedded).unwrap();
        let collection = schema.collection_named("Accedian-session:sessions");
        let entry = json!({
            "session-id": "a,b",
            "session-type": "Accedian-session-type:throughput",
            "service-endpoints": [{ "endpoint-id": "e", "session-protocol": {
                "Accedian-session-throughput:throughput": { "session-sender": {
                    "duration": 5, "network-rtt": "1.5", "network-max-rate": "7",
                }},
            }}],
            "metadata": { "topology": ["x", "y"] },
            "status": { "status": "running", "errors": { "error": [{ "tag": "t" }] } },
        });
        let leaves = of(&schema, collection.unwrap(), "a%2Cb", &entry);
        let shown: Vec<String> = leaves
            .iter()
            .map(|(nature, update)| {
                let nature = if *nature == Nature::Config { 'c' } else { 's' };
                format!("{nature} {} {:?}", update.path, update.value)
            })
            .collect();
        let at = "rfc7951:/sessions/session[session-id=a,b]";
        let sender = format!(
            "{at}/service-endpoints[endpoint-id=e]/session-protocol/throughput/session-sender"
        );
        assert_eq!(shown[0], format!("c {at}/session-id String(\"a,b\")"));
        assert!(shown.contains(&format!("c {sender}/duration Narrow(5)")));
        assert!(shown.contains(&format!(
            "c {sender}/network-rtt Decimal {{ digits: 15, precision: 1 }}"
        )));
        assert!(shown.contains(&format!(
            "c {at}/metadata/topology LeafList([String(\"x\"), String(\"y\")])"
        )));
        assert!(shown.contains(&format!("s {at}/status/status String(\"running\")")));
        assert!(shown.contains(&format!(
            "s {at}/status/errors/error Json(b\"[{{\\\"tag\\\":\\\"t\\\"}}]\")"
        )));
    }
}
