//! Records and values in the form that the client wants. All of it blocks for some tens of microseconds.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use crate::datastore::port::Record;
use crate::datastore::tree;
use crate::schema::Collection;
use crate::schema::Fault;
use crate::schema::Format;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

use super::origin::INTENDED;
use super::origin::Origins;
use super::origin::annotation;
use super::prune::prune;
use super::query::View;

/// Writes the entries of one collection.
#[derive(Clone, Debug)]
pub(super) struct EntryWriter {
    pub(super) schema: Arc<Schema>,
    pub(super) collection: Collection,
    pub(super) view: View,
    pub(super) format: Format,
    /// Nothing of the answer is above the entries.
    pub(super) is_top: bool,
}

impl EntryWriter {
    /// An entry as an element of its list's array, or as an XML element; `None` when nothing of it is wanted.
    pub(super) fn entry(
        &self,
        record: &Record,
        in_force: Option<&Record>,
    ) -> Result<Option<String>, Fault> {
        if self.format == Format::Json && self.view == View::ALL {
            return Ok(Some(whole(record)));
        }
        let shown = in_force.unwrap_or(record);
        let entry = shown.value(&self.schema, &self.collection, self.view.defaults)?;
        let Some(mut entry) = prune(&self.schema, self.collection.list, entry, &self.view) else {
            return Ok(None);
        };
        if self.view.origin {
            let origins = Origins::new(&self.schema, record, in_force)?;
            origins.annotate(self.collection.list, &[], &mut entry);
            if self.is_top {
                mark(&mut entry, INTENDED);
            }
        }
        if self.format == Format::Json {
            return Ok(Some(entry.to_string()));
        }
        let path = [
            Step {
                node: self.collection.container,
                keys: Vec::new(),
            },
            Step {
                node: self.collection.list,
                keys: vec![String::new()],
            },
        ];
        let document = wrapped(&self.schema, &path, entry);
        self.schema.xml(&document, &path).map(Some)
    }
}

/// Says of a container or an entry where it comes from.
pub(super) fn mark(value: &mut Value, origin: &str) {
    if let Value::Object(members) = value {
        members.shift_insert(0, "@".to_owned(), annotation(origin));
    }
}

/// An entry without a look inside: configuration and state are both JSON objects.
fn whole(record: &Record) -> String {
    let state = record
        .state
        .as_deref()
        .and_then(|state| state.strip_prefix('{'));
    match (state, record.body.strip_suffix('}')) {
        (Some(state), Some(body)) => format!("{body},{state}"),
        _ => record.body.clone(),
    }
}

/// The document that leads to a value: the entries on the way have their keys alone.
pub(super) fn wrapped(schema: &Schema, path: &[Step], value: Value) -> Map<String, Value> {
    let mut inner = value;
    for (index, step) in path.iter().enumerate().rev() {
        let node = schema.node(step.node);
        let is_last = index + 1 == path.len();
        let is_entry = matches!(node.kind, Kind::List | Kind::LeafList) && !step.keys.is_empty();
        if let (true, Value::Object(members)) = (is_entry && !is_last, &mut inner) {
            let old = std::mem::take(members);
            for (key, text) in node.keys.iter().zip(&step.keys) {
                members.insert(schema.member(*key), bare_or_text(schema, *key, text));
            }
            members.extend(old);
        }
        if is_entry {
            inner = Value::Array(vec![inner]);
        }
        let mut outer = Map::new();
        outer.insert(schema.member(step.node), inner);
        inner = Value::Object(outer);
    }
    match inner {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn bare_or_text(schema: &Schema, key: NodeId, text: &str) -> Value {
    let bare = schema.node(key).is_bare;
    let parsed = bare.then(|| serde_json::from_str(text).ok()).flatten();
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A value as the answer to a request for the last step of `path`; with its origin where that is told.
pub(super) fn resource(
    schema: &Schema,
    path: &[Step],
    (mut value, origin): (Value, Option<&str>),
    format: Format,
) -> Result<String, Fault> {
    if let Some(origin) = origin {
        mark(&mut value, origin);
    }
    // A leaf is annotated beside itself.
    let beside = origin.filter(|_| !value.is_object() && !value.is_array());
    let Some(last) = path.last() else {
        return Err(Fault::new(Tag::Internal, "internal error"));
    };
    if format == Format::Json {
        let is_entry = !last.keys.is_empty();
        let value = if is_entry {
            Value::Array(vec![value])
        } else {
            value
        };
        let name = schema.qualified(last.node);
        let beside = beside.map(|origin| (format!("@{name}"), annotation(origin)));
        let members = std::iter::once((name, value)).chain(beside);
        return Ok(Value::Object(members.collect()).to_string());
    }
    let mut document = Value::Object(wrapped(schema, path, value));
    if let (Some(origin), Some((_, way))) = (beside, path.split_last())
        && let Some(Value::Object(parent)) = tree::locate_mut(schema, &mut document, way)
    {
        let name = format!("@{}", schema.member(last.node));
        parent.insert(name, annotation(origin));
    }
    let Value::Object(document) = document else {
        return Err(Fault::new(Tag::Internal, "internal error"));
    };
    schema.xml(&document, path)
}
