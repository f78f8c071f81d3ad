//! Values of a Set as data of the model, in the canonical form of RFC 7951.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Map;
use serde_json::Value as Json;

use crate::datastore::tree::text_of;
use crate::schema::Format;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Number;
use crate::schema::Schema;
use crate::schema::Step;
use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi::typed_value::Value as Form;

use super::refusal::Refusal;
use super::steps::child;

/// What a value says that is at `steps`; `None` for null. Blocks for some tens of microseconds.
pub(super) fn read(
    schema: &Schema,
    steps: &[Step],
    value: &pb::TypedValue,
) -> Result<Option<Json>, Refusal> {
    let node = steps.last().map(|step| step.node);
    let value = match raw(schema, node, value)? {
        Json::Null => return Ok(None),
        value => value,
    };
    let Some((last, parent)) = steps.split_last() else {
        let members = schema.parse(&[], &value.to_string(), Format::Json)?;
        return Ok(Some(Json::Object(members)));
    };
    let is_entry = schema.node(last.node).kind == Kind::List;
    let value = if is_entry {
        Json::Array(vec![with_keys(schema, last, value)?])
    } else {
        value
    };
    let mut body = Map::new();
    body.insert(schema.qualified(last.node), value);
    let body = Json::Object(body).to_string();
    let mut members = schema.parse(parent, &body, Format::Json)?;
    match members.remove(&schema.member(last.node)) {
        Some(Json::Array(mut entries)) if is_entry => Ok(entries.pop()),
        // An empty container is not printed in all cases.
        None if schema.node(last.node).kind == Kind::Container => {
            Ok(Some(Json::Object(Map::new())))
        }
        found => Ok(found),
    }
}

/// A scalar's text, as it stands in a path; `None` for null.
pub(super) fn text(
    schema: &Schema,
    step: &Step,
    value: &pb::TypedValue,
) -> Result<Option<String>, Refusal> {
    let value = raw(schema, Some(step.node), value)?;
    Ok((!value.is_null()).then(|| text_of(&value)))
}

/// The members of an entry with nothing but its keys.
pub(super) fn keys(schema: &Schema, step: &Step) -> Map<String, Json> {
    let keys = schema.node(step.node).keys.iter().zip(&step.keys);
    keys.map(|(key, text)| {
        let bare = schema.node(*key).is_bare;
        let parsed = bare.then(|| serde_json::from_str(text).ok()).flatten();
        let value = parsed.unwrap_or_else(|| Json::String(text.clone()));
        (schema.member(*key), value)
    })
    .collect()
}

/// An entry with the keys of its path. Where the value has them too, they must agree (gNMI spec 3.4.5).
fn with_keys(schema: &Schema, step: &Step, value: Json) -> Result<Json, Refusal> {
    let Json::Object(mut given) = value else {
        return Err(Refusal::NotAnObject);
    };
    let mut members = keys(schema, step);
    for (key, text) in schema.node(step.node).keys.iter().zip(&step.keys) {
        for name in [schema.member(*key), schema.qualified(*key)] {
            let found = given.shift_remove(&name);
            if found.is_some_and(|found| text_of(&found) != *text) {
                return Err(Refusal::KeyConflict);
            }
        }
    }
    members.extend(given);
    Ok(Json::Object(members))
}

fn raw(schema: &Schema, node: Option<NodeId>, value: &pb::TypedValue) -> Result<Json, Refusal> {
    let json = |text: &[u8]| serde_json::from_slice::<Json>(text).map_err(|_| Refusal::NotJson);
    match &value.value {
        Some(Form::JsonIetfVal(text)) => json(text),
        Some(Form::JsonVal(text)) => Ok(plain(schema, node, json(text)?)),
        Some(Form::LeaflistVal(list)) => {
            let values = list.element.iter().map(|element| match &element.value {
                Some(form) => scalar(schema, node, form),
                None => Err(Refusal::NotAValue),
            });
            values.collect::<Result<_, _>>().map(Json::Array)
        }
        Some(form) => scalar(schema, node, form),
        None => Err(Refusal::NotAValue),
    }
}

/// Plain JSON as RFC 7951 writes it: members of any module by their name alone, and long numbers as numbers.
fn plain(schema: &Schema, node: Option<NodeId>, value: Json) -> Json {
    match value {
        Json::Object(members) => {
            let member = |(name, value): (String, Json)| {
                let bare = name.split_once(':').map_or(name.as_str(), |(_, bare)| bare);
                match child(schema, node, bare) {
                    Some(child) => (schema.qualified(child), plain(schema, Some(child), value)),
                    None => (name, value),
                }
            };
            Json::Object(members.into_iter().map(member).collect())
        }
        Json::Array(values) => {
            let values = values.into_iter();
            Json::Array(values.map(|value| plain(schema, node, value)).collect())
        }
        Json::Number(number) if is_written_as_text(schema, node) => {
            Json::String(number.to_string())
        }
        other => other,
    }
}

#[expect(deprecated, reason = "deprecated forms are accepted on input")]
fn scalar(schema: &Schema, node: Option<NodeId>, form: &Form) -> Result<Json, Refusal> {
    let number = |text: String, number: Option<serde_json::Number>| match number
        .filter(|_| !is_written_as_text(schema, node))
    {
        Some(number) => Json::Number(number),
        None => Json::String(text),
    };
    Ok(match form {
        Form::BoolVal(value) => Json::Bool(*value),
        Form::BytesVal(value) => Json::String(STANDARD.encode(value)),
        Form::DecimalVal(_) | Form::DoubleVal(_) | Form::FloatVal(_) => {
            Json::String(decimal(form).ok_or(Refusal::NotAValue)?)
        }
        Form::IntVal(value) => number(value.to_string(), Some((*value).into())),
        Form::StringVal(value) => Json::String(value.clone()),
        Form::UintVal(value) => number(value.to_string(), Some((*value).into())),
        _ => return Err(Refusal::NotAValue),
    })
}

#[expect(deprecated, reason = "deprecated forms are accepted on input")]
fn decimal(form: &Form) -> Option<String> {
    match form {
        Form::DoubleVal(value) => value.is_finite().then(|| value.to_string()),
        Form::FloatVal(value) => value.is_finite().then(|| value.to_string()),
        Form::DecimalVal(value) => {
            let precision = usize::try_from(value.precision).ok()?;
            let sign = if value.digits < 0 { "-" } else { "" };
            let width = precision.checked_add(1).filter(|it| *it <= MOST_DIGITS)?;
            let digits = format!("{:0width$}", value.digits.unsigned_abs());
            let (whole, fraction) = digits.split_at(digits.len() - precision);
            Some(match fraction {
                "" => format!("{sign}{whole}"),
                fraction => format!("{sign}{whole}.{fraction}"),
            })
        }
        _ => None,
    }
}

fn is_written_as_text(schema: &Schema, node: Option<NodeId>) -> bool {
    let number: Option<Number> = node.and_then(|node| schema.node(node).number);
    number.is_some()
}

/// Those of decimal64 (RFC 7950 9.3.4), and one before the point.
const MOST_DIGITS: usize = 19;
