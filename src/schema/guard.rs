//! What is looked at before libyang sees any data: the binding panics on NUL bytes, and nothing must be without end.

use std::collections::HashSet;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error as _;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use super::Fault;
use super::Tag;

/// The longest document that is looked at, in bytes: an entry is some kilobytes, a datastore that is replaced whole
/// some megabytes.
const LONGEST: usize = 16 << 20;

/// Refuses what must not reach libyang.
pub(super) fn check(text: &str) -> Result<(), Fault> {
    if text.len() > LONGEST {
        return Err(Fault::new(Tag::TooBig, "document is too long"));
    }
    if text.contains('\0') {
        return Err(Fault::new(Tag::MalformedMessage, "document has a NUL byte"));
    }
    Ok(())
}

/// Whether a text is one JSON object, no deeper than serde's 128 levels. What it is made of, libyang says.
pub(super) fn check_object(text: &str) -> Result<(), Fault> {
    let malformed = |what| Fault::new(Tag::MalformedMessage, what);
    if !text.trim_start_matches(JSON_SPACE).starts_with('{') {
        return Err(malformed("body is not a JSON object"));
    }
    serde_json::from_str::<WellFormed>(text)
        .map(drop)
        .map_err(|_| malformed("body is not well-formed JSON"))
}

/// JSON in which no object has a member twice: readers would disagree about which one counts.
struct WellFormed;

impl<'de> Deserialize<'de> for WellFormed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

macro_rules! scalars {
    ($($name:ident $kind:ty),*) => {
        $(fn $name<E>(self, _: $kind) -> Result<Self, E> {
            Ok(self)
        })*
    };
}

impl<'de> Visitor<'de> for WellFormed {
    type Value = Self;

    scalars!(visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Self)) = members.next_entry::<String, Self>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("member is there twice"));
            }
        }
        Ok(self)
    }
}

/// Calls into libyang; a panic of the binding is an internal error.
pub(super) fn contained<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        tracing::error!("the YANG library panicked");
        Err(Fault::new(Tag::Internal, "internal error"))
    })
}

/// Refuses what is not one JSON object, too long, too deep, or has a member twice.
pub fn check_json(text: &str) -> Result<(), Fault> {
    check(text)?;
    check_object(text)
}

pub(super) const JSON_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
