//! Walking and changing JSON data along a schema.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Map;
use serde_json::Value;

use crate::schema::Fault;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

/// Where among its neighbours a new entry of a user-ordered list goes (RFC 8040 4.8.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// After the neighbour with these keys.
    After(Vec<String>),
    /// Before it.
    Before(Vec<String>),
    /// At the beginning.
    First,
    /// At the end.
    Last,
}

/// What the steps lead to below `at`; `None` when it is not there.
pub fn locate<'a>(schema: &Schema, at: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(at, |at, step| {
        let found = at.get(schema.member(step.node))?;
        if step.keys.is_empty() {
            return Some(found);
        }
        let entries = found.as_array()?;
        entries.iter().find(|entry| has_keys(schema, step, entry))
    })
}

/// The same, to be changed.
pub fn locate_mut<'a>(schema: &Schema, at: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    steps.iter().try_fold(at, |at, step| {
        let found = at.get_mut(schema.member(step.node))?;
        if step.keys.is_empty() {
            return Some(found);
        }
        let entries = found.as_array_mut()?;
        entries
            .iter_mut()
            .find(|entry| has_keys(schema, step, entry))
    })
}

/// Puts `value` where the steps lead, in the place of what is there. Containers on the way are made; entries of lists
/// must be there. Returns whether it is new.
pub fn put(
    schema: &Schema,
    root: &mut Value,
    steps: &[Step],
    value: Value,
    position: Option<&Position>,
) -> Result<bool, Fault> {
    let Some((last, way)) = steps.split_last() else {
        *root = value;
        return Ok(false);
    };
    let parent = make_way(schema, root, way)?;
    let Value::Object(members) = parent else {
        return Err(absent());
    };
    let name = schema.member(last.node);
    if last.keys.is_empty() {
        return Ok(members.insert(name, value).is_none());
    }
    let entries = members
        .entry(name)
        .or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(entries) = entries else {
        return Err(absent());
    };
    let old = entries.iter().position(|it| has_keys(schema, last, it));
    match (old, position) {
        (Some(at), None) => {
            if let Some(entry) = entries.get_mut(at) {
                *entry = value;
            }
        }
        (Some(at), Some(position)) => {
            entries.remove(at);
            insert(schema, last, entries, value, position)?;
        }
        (None, position) => {
            insert(
                schema,
                last,
                entries,
                value,
                position.unwrap_or(&Position::Last),
            )?;
        }
    }
    Ok(old.is_none())
}

/// Takes away what the steps lead to. Returns whether it was there.
pub fn remove(schema: &Schema, root: &mut Value, steps: &[Step]) -> bool {
    let Some((last, way)) = steps.split_last() else {
        return false;
    };
    let Some(Value::Object(members)) = locate_mut(schema, root, way) else {
        return false;
    };
    let name = schema.member(last.node);
    if last.keys.is_empty() {
        return members.shift_remove(&name).is_some();
    }
    let Some(Value::Array(entries)) = members.get_mut(&name) else {
        return false;
    };
    let before = entries.len();
    entries.retain(|entry| !has_keys(schema, last, entry));
    let is_gone = entries.len() < before;
    if entries.is_empty() {
        members.shift_remove(&name);
    }
    is_gone
}

/// Merges `source` into `target`, which are both instances of `node` (RFC 8040 4.6.1).
pub fn merge(schema: &Schema, node: NodeId, target: &mut Value, source: Value) {
    match (target, source) {
        (Value::Object(target), Value::Object(source)) => {
            for (name, value) in source {
                match (target.get_mut(&name), schema.find(Some(node), &name)) {
                    (Some(old), Some(child)) => merge(schema, child, old, value),
                    _ => {
                        target.insert(name, value);
                    }
                }
            }
        }
        (Value::Array(target), Value::Array(source)) => {
            let mut places = HashMap::new();
            for (place, entry) in target.iter().enumerate() {
                let keys = step_of(schema, node, entry).keys;
                places.entry(keys).or_insert(place);
            }
            for entry in source {
                let keys = step_of(schema, node, &entry).keys;
                let place = *places.entry(keys).or_insert(target.len());
                match target.get_mut(place) {
                    Some(old) => merge(schema, node, old, entry),
                    None => target.push(entry),
                }
            }
        }
        (target, source) => *target = source,
    }
}

/// Whether an entry is the one that a step means.
pub fn has_keys(schema: &Schema, step: &Step, entry: &Value) -> bool {
    step_of(schema, step.node, entry).keys == step.keys
}

/// The step that means this entry.
pub fn step_of(schema: &Schema, node: NodeId, entry: &Value) -> Step {
    let keys = match schema.node(node).kind {
        Kind::List => {
            let keys = schema.node(node).keys.iter();
            keys.filter_map(|key| entry.get(schema.member(*key)))
                .map(text_of)
                .collect()
        }
        _ => vec![text_of(entry)],
    };
    Step { node, keys }
}

/// A scalar's text, as it stands in a path.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The instance-identifier that the steps are (RFC 7951 6.11).
pub fn identifier(schema: &Schema, steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        text.push('/');
        text.push_str(&schema.member(step.node));
        let node = schema.node(step.node);
        if node.kind == Kind::LeafList {
            for value in &step.keys {
                // Writing to a String does not fail.
                let _ = write!(text, "[.={}]", literal(value));
            }
        }
        for (key, value) in node.keys.iter().zip(&step.keys) {
            let _ = write!(text, "[{}={}]", schema.member(*key), literal(value));
        }
    }
    text
}

fn literal(value: &str) -> String {
    let quote = if value.contains('\'') { '"' } else { '\'' };
    format!("{quote}{value}{quote}")
}

fn make_way<'a>(
    schema: &Schema,
    root: &'a mut Value,
    way: &[Step],
) -> Result<&'a mut Value, Fault> {
    way.iter().try_fold(root, |at, step| {
        let Value::Object(members) = at else {
            return Err(absent());
        };
        let name = schema.member(step.node);
        if step.keys.is_empty() {
            return Ok(members
                .entry(name)
                .or_insert_with(|| Value::Object(Map::new())));
        }
        let entries = members.get_mut(&name).and_then(Value::as_array_mut);
        entries
            .and_then(|entries| entries.iter_mut().find(|it| has_keys(schema, step, it)))
            .ok_or_else(absent)
    })
}

fn insert(
    schema: &Schema,
    step: &Step,
    entries: &mut Vec<Value>,
    value: Value,
    position: &Position,
) -> Result<(), Fault> {
    let find = |keys: &Vec<String>| {
        let neighbour = Step {
            node: step.node,
            keys: keys.clone(),
        };
        let found = entries
            .iter()
            .position(|it| has_keys(schema, &neighbour, it));
        found.ok_or_else(|| Fault::new(Tag::InvalidValue, "point is not there"))
    };
    let at = match position {
        Position::After(keys) => find(keys)? + 1,
        Position::Before(keys) => find(keys)?,
        Position::First => 0,
        Position::Last => entries.len(),
    };
    entries.insert(at, value);
    Ok(())
}

/// What an edit needs to be there, and is not.
pub fn absent() -> Fault {
    Fault::new(Tag::DataMissing, "parent resource does not exist")
}
