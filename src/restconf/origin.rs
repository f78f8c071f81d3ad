//! Where the values of an entry in force come from: the annotation of RFC 8342 section 5.3.4.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::datastore::port::Record;
use crate::datastore::tree;
use crate::schema::Fault;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

/// An entry as it was configured, and as it is in force.
pub(super) struct Origins<'a> {
    schema: &'a Schema,
    configured: Value,
    in_force: Value,
}

impl<'a> Origins<'a> {
    pub(super) fn new(
        schema: &'a Schema,
        record: &Record,
        in_force: Option<&Record>,
    ) -> Result<Self, Fault> {
        let parse = |record: &Record| {
            let parsed = serde_json::from_str(&record.body);
            parsed.map_err(|_| Fault::new(Tag::Internal, "internal error"))
        };
        Ok(Self {
            schema,
            configured: parse(record)?,
            in_force: parse(in_force.unwrap_or(record))?,
        })
    }

    /// Annotates what is shown of the entry's node where `inside` leads. What is not of its parent's origin says so.
    pub(super) fn annotate(&self, node: NodeId, inside: &[Step], shown: &mut Value) {
        let configured = tree::locate(self.schema, &self.configured, inside);
        let in_force = tree::locate(self.schema, &self.in_force, inside);
        if let Value::Object(members) = shown {
            self.members(node, members, (configured, in_force));
        }
    }

    /// The origin of the node where `inside` leads.
    pub(super) fn of(&self, inside: &[Step]) -> &'static str {
        let configured = tree::locate(self.schema, &self.configured, inside);
        let in_force = tree::locate(self.schema, &self.in_force, inside);
        origin(configured, in_force)
    }

    fn members(
        &self,
        at: NodeId,
        members: &mut Map<String, Value>,
        (configured, in_force): (Option<&Value>, Option<&Value>),
    ) {
        let mut annotations = Vec::new();
        for (name, value) in members.iter_mut() {
            let Some(child) = self.schema.find(Some(at), name) else {
                continue;
            };
            if !self.schema.node(child).is_config || self.schema.node(at).keys.contains(&child) {
                continue;
            }
            let below = (
                configured.and_then(|it| it.get(name)),
                in_force.and_then(|it| it.get(name)),
            );
            match (value, self.schema.node(child).kind) {
                (Value::Object(members), _) => self.members(child, members, below),
                (Value::Array(entries), Kind::List) => self.entries(child, entries, below),
                (Value::Array(values), _) if below.0.is_none() => {
                    let each = annotation(origin(below.0, below.1));
                    annotations.push((name.clone(), Value::Array(vec![each; values.len()])));
                }
                (_, _) if below.0.is_none() => {
                    annotations.push((name.clone(), annotation(origin(below.0, below.1))));
                }
                _ => {}
            }
        }
        for (name, annotation) in annotations {
            let name = format!("@{name}");
            match (members.get_mut(&name), annotation) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
                (_, annotation) => {
                    members.insert(name, annotation);
                }
            }
        }
    }

    fn entries(
        &self,
        list: NodeId,
        entries: &mut [Value],
        (configured, in_force): (Option<&Value>, Option<&Value>),
    ) {
        for entry in entries {
            let step = tree::step_of(self.schema, list, entry);
            let same = |of: Option<&'_ Value>| {
                let found = of?.as_array()?.iter();
                let mut found = found.filter(|it| tree::has_keys(self.schema, &step, it));
                found.next().cloned()
            };
            let (configured, in_force) = (same(configured), same(in_force));
            if let Value::Object(members) = entry {
                self.members(list, members, (configured.as_ref(), in_force.as_ref()));
            }
        }
    }
}

/// What was configured is intended; what an endpoint has lent comes from the system; the rest is the schema's.
const fn origin(configured: Option<&Value>, in_force: Option<&Value>) -> &'static str {
    match (configured, in_force) {
        (Some(_), _) => INTENDED,
        (None, Some(_)) => "ietf-origin:system",
        (None, None) => "ietf-origin:default",
    }
}

/// The annotation itself, as JSON has it (RFC 7952 section 5.2).
pub(super) fn annotation(origin: &str) -> Value {
    json!({ "ietf-origin:origin": origin })
}

pub(super) const INTENDED: &str = "ietf-origin:intended";
