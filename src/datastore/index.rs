//! What an entry's content means for the indexes: its key, what it refers to, what must be unique.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::schema::Collection;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;

use super::port::Id;
use super::port::Reference;
use super::port::Unique;
use super::tree::identifier;
use super::tree::step_of;
use super::tree::text_of;

/// Keys as they stand in a URL: percent-encoded, with commas between (RFC 8040 3.5.3).
pub fn key_text(keys: &[String]) -> String {
    let mut text = String::new();
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        for byte in key.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                text.push(char::from(byte));
            } else {
                // Writing to a String does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// The keys again that [`key_text`] has written.
pub fn keys_of(text: &str) -> Vec<String> {
    let key = |part| percent_decode_str(part).decode_utf8_lossy().into_owned();
    text.split(',').map(key).collect()
}

/// The key of a collection's entry.
pub fn key_of(schema: &Schema, collection: &Collection, entry: &Value) -> String {
    key_text(&step_of(schema, collection.list, entry).keys)
}

/// All that an entry refers to outside of itself.
pub(super) fn references(
    schema: &Schema,
    collection: &Collection,
    entry: &Value,
) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut way = vec![
        Step {
            node: collection.container,
            keys: Vec::new(),
        },
        step_of(schema, collection.list, entry),
    ];
    collect(schema, collection.list, entry, &mut way, &mut found);
    found
}

fn collect(
    schema: &Schema,
    node: NodeId,
    value: &Value,
    way: &mut Vec<Step>,
    found: &mut Vec<Reference>,
) {
    for &child in &schema.node(node).children {
        let Some(inner) = value.get(schema.member(child)) else {
            continue;
        };
        let entries: &[Value] = match inner {
            Value::Array(entries) => entries,
            other => std::slice::from_ref(other),
        };
        for entry in entries {
            let step = match schema.node(child).kind {
                Kind::List | Kind::LeafList => step_of(schema, child, entry),
                _ => Step {
                    node: child,
                    keys: Vec::new(),
                },
            };
            way.push(step);
            if let Some(to) = target(schema, child, entry) {
                let path = identifier(schema, way);
                found.push(Reference { path, to });
            } else {
                collect(schema, child, entry, way, found);
            }
            way.pop();
        }
    }
}

/// The entry that a leaf refers to: its value is that entry's only key.
fn target(schema: &Schema, leaf: NodeId, value: &Value) -> Option<Id> {
    let key = schema.node(leaf).target?;
    let collection = schema.collection_of(schema.node(key).parent?)?;
    (schema.node(collection.list).keys == [key]).then(|| Id {
        collection: schema.collection_name(collection),
        key: key_text(&[text_of(value)]),
    })
}

/// What nobody else in the collection may have. An entry without one of the leaves takes no part (RFC 7950 7.8.3).
pub(super) fn uniques(schema: &Schema, collection: &Collection, entry: &Value) -> Vec<Unique> {
    let value = |leaf: &NodeId| {
        let way = schema.ancestry(*leaf);
        let below = way.into_iter().skip_while(|id| *id != collection.list);
        below
            .skip(1)
            .try_fold(entry, |at, id| at.get(schema.member(id)))
            .map(text_of)
    };
    let name = |leaf: &NodeId| schema.node(*leaf).name.clone();
    collection
        .uniques
        .iter()
        .filter_map(|leaves| {
            let values: Option<Vec<String>> = leaves.iter().map(value).collect();
            let names: Vec<String> = leaves.iter().map(name).collect();
            Some(Unique {
                leaves: names.join(" "),
                value: key_text(&values?),
            })
        })
        .collect()
}
