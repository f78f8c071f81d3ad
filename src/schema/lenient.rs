//! Bodies that clients send although RFC 7951 refuses them, put right along the schema.

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;

use super::Fault;
use super::Format;
use super::Kind;
use super::NodeId;
use super::Schema;
use super::Step;
use super::guard::check_object;

/// What is put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lenience {
    /// Numbers in quotes become numbers.
    pub numbers: bool,
    /// Members that are passed over where no module has them: the path of what they stand in, and their name.
    pub ignored: &'static [(&'static str, &'static str)],
}

impl Schema {
    /// The same as [`Schema::parse`]; JSON that is refused gets a second chance with what `lenience` allows put right.
    /// What is right is taken as it is.
    pub fn parse_leniently(
        &self,
        parent: &[Step],
        body: &str,
        (format, lenience): (Format, Lenience),
    ) -> Result<Map<String, Value>, Fault> {
        let strict = match self.parse(parent, body, format) {
            Err(fault) if format == Format::Json && lenience != Lenience::default() => fault,
            other => return other,
        };
        // One that is refused as JSON stays refused.
        let body: Map<String, Value> = match check_object(body) {
            Ok(()) => serde_json::from_str(body).map_err(|_| strict.clone())?,
            Err(_) => return Err(strict),
        };
        let wanted = Right {
            schema: self,
            lenience,
        };
        let right = wanted.object(parent.last().map(|step| step.node), body.clone());
        if right == body {
            return Err(strict);
        }
        self.parse(parent, &Value::Object(right).to_string(), format)
    }
}

struct Right<'a> {
    schema: &'a Schema,
    lenience: Lenience,
}

impl Right<'_> {
    fn object(&self, at: Option<NodeId>, members: Map<String, Value>) -> Map<String, Value> {
        let mut right = Map::new();
        for (name, value) in members {
            match (self.schema.find(at, &name), at) {
                (Some(child), _) => {
                    right.insert(name, self.value(child, value));
                }
                (None, Some(at)) if self.is_ignored(at, &name) => {}
                (None, _) => {
                    right.insert(name, value);
                }
            }
        }
        right
    }

    fn value(&self, at: NodeId, value: Value) -> Value {
        let node = self.schema.node(at);
        match (node.kind, value) {
            (Kind::AnyData, value) => value,
            (_, Value::Object(members)) => Value::Object(self.object(Some(at), members)),
            (_, Value::Array(entries)) => {
                let entries = entries.into_iter().map(|entry| self.value(at, entry));
                Value::Array(entries.collect())
            }
            (_, Value::String(text)) if node.is_bare && self.lenience.numbers => {
                let number = serde_json::from_str::<Number>(&text);
                number.map_or(Value::String(text), Value::Number)
            }
            (_, value) => value,
        }
    }

    fn is_ignored(&self, at: NodeId, name: &str) -> bool {
        let mut ignored = self.lenience.ignored.iter();
        ignored.any(|(path, member)| {
            let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
            *member == name && *path == self.schema.path(at)
        })
    }
}
