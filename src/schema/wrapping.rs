//! Putting a body into the entries that it stands in, so that libyang sees a document from the top; and taking it out.

use std::fmt::Write as _;

use serde_json::Map;
use serde_json::Value;

use super::Fault;
use super::Schema;
use super::Step;
use super::Tag;
use super::guard::JSON_SPACE;

/// The document around a JSON object, which is known to be well-formed.
pub(super) fn json(schema: &Schema, parent: &[Step], body: &str) -> Result<String, Fault> {
    let body = body.trim_matches(JSON_SPACE);
    let inside = body
        .strip_prefix('{')
        .and_then(|body| body.strip_suffix('}'))
        .ok_or_else(|| Fault::new(Tag::MalformedMessage, "body is not a JSON object"))?;
    let mut before = String::from("{");
    let mut after = String::from("}");
    for step in parent {
        before.push_str(&quoted(&schema.qualified(step.node)));
        if step.keys.is_empty() {
            before.push_str(":{");
            after.insert(0, '}');
            continue;
        }
        before.push_str(":[{");
        after.insert_str(0, "}]");
        for (key, value) in schema.node(step.node).keys.iter().zip(&step.keys) {
            let node = schema.node(*key);
            let value = if node.is_bare {
                bare(value)?
            } else {
                quoted(value)
            };
            // Writing to a String does not fail.
            let _ = write!(before, "{}:{value},", quoted(&node.name));
        }
    }
    if inside.trim_matches(JSON_SPACE).is_empty() {
        before.truncate(before.trim_end_matches(',').len());
    }
    Ok(format!("{before}{inside}{after}"))
}

/// The document around an XML element. That it does not end the elements around it, [`unwrap`] sees.
pub(super) fn xml(schema: &Schema, parent: &[Step], body: &str) -> Result<String, Fault> {
    let body = body.trim_start_matches('\u{feff}').trim();
    let body = match body.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, rest)| rest),
        None => body,
    };
    if !body.trim_start().starts_with('<') {
        return Err(Fault::new(Tag::MalformedMessage, "body is not XML"));
    }
    let mut before = String::new();
    let mut after = String::new();
    for step in parent {
        let node = schema.node(step.node);
        let namespace = schema.module(&node.module).map(|it| it.namespace.as_str());
        let _ = write!(
            before,
            "<{} xmlns=\"{}\">",
            node.name,
            namespace.unwrap_or_default()
        );
        for (key, value) in node.keys.iter().zip(&step.keys) {
            let name = &schema.node(*key).name;
            let value = escaped(value);
            before.extend(["<", name, ">", &value, "</", name, ">"]);
        }
        after.insert_str(0, &format!("</{}>", node.name));
    }
    Ok(format!("{before}{body}{after}"))
}

/// What stands in `parent` in a document that was wrapped, and nothing else must be in it.
pub(super) fn unwrap(
    schema: &Schema,
    parent: &[Step],
    mut whole: Map<String, Value>,
) -> Result<Map<String, Value>, Fault> {
    let stray = || Fault::new(Tag::MalformedMessage, "body is more than one element");
    for step in parent {
        let mut inner = whole.remove(&schema.member(step.node)).ok_or_else(stray)?;
        if !whole.is_empty() {
            return Err(stray());
        }
        if let Value::Array(entries) = &mut inner {
            let one = entries.pop().ok_or_else(stray)?;
            if !entries.is_empty() {
                return Err(stray());
            }
            inner = one;
        }
        let Value::Object(members) = inner else {
            return Err(stray());
        };
        whole = members;
        for (key, value) in schema.node(step.node).keys.iter().zip(&step.keys) {
            let found = whole.shift_remove(&schema.member(*key));
            if found.as_ref().map(text_of).as_deref() != Some(value) {
                return Err(Fault::new(
                    Tag::InvalidValue,
                    "keys are not those of the path",
                ));
            }
        }
    }
    Ok(whole)
}

/// A scalar's text, as it stands in a path.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number or boolean that comes from a path.
fn bare(value: &str) -> Result<String, Fault> {
    match serde_json::from_str::<Value>(value) {
        Ok(Value::Bool(_) | Value::Number(_)) => Ok(value.to_owned()),
        _ => Err(Fault::new(Tag::InvalidValue, "key is not of its type")),
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    escaped
}
