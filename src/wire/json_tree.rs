//! JSON text as a tree, within limits: a small message must not become a large structure.

use std::cell::Cell;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use super::encoding::Encoding;
use super::error::ValueError;
use super::json_write::write_json;
use super::text::Text;
use crate::model::Value;

/// Objects and arrays within each other. Models stay below twenty; the parser itself recurses.
pub(super) const MAX_DEPTH: usize = 64;

/// Scalars in one value, and as many objects and arrays: about a tenth of a gateway's whole tree.
pub(super) const MAX_LEAVES: usize = 100_000;

/// A parsed JSON value. Members are in the order of the text, duplicates included.
#[derive(Debug)]
pub(super) enum Tree {
    Array(Vec<Self>),
    Null,
    Object(Vec<(String, Self)>),
    Scalar(Value),
}

impl Tree {
    /// Parses a whole text.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ValueError> {
        let limits = Limits::default();
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        Seed {
            limits: &limits,
            depth: 0,
        }
        .deserialize(&mut deserializer)
        .and_then(|tree| deserializer.end().map(|()| tree))
        .map_err(|error| {
            limits.hit.take().unwrap_or(ValueError::Json {
                line: error.line(),
                column: error.column(),
            })
        })
    }

    /// Writes the tree as compact JSON.
    pub(super) fn write(&self, out: &mut Text) {
        match self {
            Self::Null => out.raw(b"null"),
            Self::Scalar(value) => write_json(out, value, Encoding::Json),
            Self::Array(items) => {
                out.raw(b"[");
                for (index, item) in items.iter().enumerate() {
                    out.raw(if index == 0 { b"" } else { b"," });
                    item.write(out);
                }
                out.raw(b"]");
            }
            Self::Object(members) => {
                out.raw(b"{");
                for (index, (name, member)) in members.iter().enumerate() {
                    out.raw(if index == 0 { b"" } else { b"," });
                    out.json(name.as_str());
                    out.raw(b":");
                    member.write(out);
                }
                out.raw(b"}");
            }
        }
    }
}

/// What has been used up, and which limit was hit: serde's errors cannot carry it.
#[derive(Default)]
struct Limits {
    leaves: Cell<usize>,
    containers: Cell<usize>,
    hit: Cell<Option<ValueError>>,
}

impl Limits {
    fn count<E: Error>(&self, counter: &Cell<usize>) -> Result<(), E> {
        counter.set(counter.get() + 1);
        if counter.get() > MAX_LEAVES {
            return Err(self.fail(ValueError::TooManyLeaves));
        }
        Ok(())
    }

    fn fail<E: Error>(&self, error: ValueError) -> E {
        self.hit.set(Some(error));
        E::custom("limit")
    }
}

#[derive(Clone, Copy)]
struct Seed<'l> {
    limits: &'l Limits,
    depth: usize,
}

impl Seed<'_> {
    fn scalar<E: Error>(self, value: Value) -> Result<Tree, E> {
        self.limits.count(&self.limits.leaves)?;
        Ok(Tree::Scalar(value))
    }

    /// The seed for what is within a container that starts here.
    fn inner<E: Error>(self) -> Result<Self, E> {
        self.limits.count(&self.limits.containers)?;
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(self.limits.fail(ValueError::TooDeep));
        }
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        self.scalar(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        self.scalar(integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        self.scalar(i64::try_from(value).map_or(Value::Uint(value), integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        self.scalar(Value::Double(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        self.scalar(Value::string(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        self.limits.count(&self.limits.leaves)?;
        Ok(Tree::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let inner = self.inner()?;
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            members.push((name, access.next_value_seed(inner)?));
        }
        Ok(Tree::Object(members))
    }
}

/// RFC 7951 6.1 writes integers of up to 32 bits as numbers, so only those come back as numbers.
fn integer(value: i64) -> Value {
    if (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&value) {
        Value::Narrow(value)
    } else {
        Value::Int(value)
    }
}
