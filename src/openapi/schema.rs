//! The form of JSON objects.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// An object with named members. Others may come: clients pass over what they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its name, unique in a document.
    pub name: &'static str,
    /// Its members.
    pub members: &'static [Member],
}

/// A member of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is always there.
    pub is_required: bool,
    /// Whether it may be null.
    pub is_nullable: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whatever.
    Any,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// An array.
    List(&'static Self),
    /// An object of this form.
    Object(&'static Schema),
    /// Text.
    Text,
    /// An RFC 3339 time.
    Time,
}

/// A member that is always there.
pub const fn must(name: &'static str, kind: Kind) -> Member {
    Member {
        name,
        kind,
        is_required: true,
        is_nullable: false,
    }
}

/// A member that may be left out.
pub const fn may(name: &'static str, kind: Kind) -> Member {
    Member {
        is_required: false,
        ..must(name, kind)
    }
}

/// A member that may be left out or null.
pub const fn nullable(name: &'static str, kind: Kind) -> Member {
    Member {
        is_nullable: true,
        ..may(name, kind)
    }
}

impl Schema {
    /// The schema in JSON, and all that it refers to, into `into`.
    pub(super) fn write(&self, into: &mut Map<String, Value>) {
        if into.contains_key(self.name) {
            return;
        }
        // A place for itself first: what it refers to may refer to it.
        into.insert(self.name.to_owned(), Value::Null);
        let mut properties = Map::new();
        for member in self.members {
            properties.insert(member.name.to_owned(), member.write(into));
        }
        let required: Vec<&str> = self
            .members
            .iter()
            .filter(|member| member.is_required)
            .map(|member| member.name)
            .collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        if let Some(members) = schema.as_object_mut()
            && !required.is_empty()
        {
            members.insert("required".to_owned(), required.into());
        }
        into.insert(self.name.to_owned(), schema);
    }

    /// Where the schema is in a document.
    pub(super) fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name) })
    }
}

impl Member {
    fn write(&self, into: &mut Map<String, Value>) -> Value {
        let value = self.kind.write(into);
        match (self.is_nullable, value.get("type").cloned()) {
            (false, _) => value,
            (true, Some(kind)) => {
                let mut value = value;
                if let Some(members) = value.as_object_mut() {
                    members.insert("type".to_owned(), json!([kind, "null"]));
                }
                value
            }
            (true, None) => json!({ "anyOf": [value, { "type": "null" }] }),
        }
    }
}

impl Kind {
    fn write(self, into: &mut Map<String, Value>) -> Value {
        match self {
            Self::Any => json!({}),
            Self::Bool => json!({ "type": "boolean" }),
            Self::Int => json!({ "type": "integer" }),
            Self::List(of) => json!({ "type": "array", "items": of.write(into) }),
            Self::Object(schema) => {
                schema.write(into);
                schema.reference()
            }
            Self::Text => json!({ "type": "string" }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
        }
    }
}
