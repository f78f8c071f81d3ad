//! Values and subtrees as JSON text, RFC 7159 or RFC 7951; a text is wholly of one kind.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::encoding::Encoding;
use super::origin::Origins;
use super::proto::gnmi as pb;
use super::text::Text;
use super::value::write_value;
use crate::model::Elem;
use crate::model::Path;
use crate::model::Value;

/// Everything at and below `base` as one JSON value, for Get. Leaves elsewhere are left out.
///
/// A leaf at `base` itself is a bare scalar. Entries of a list become objects in an array, their
/// keys first; so does everything below `base` where `base` names a list without keys. Members are
/// sorted. A leaf at a list entry itself, which only schema-less data has, is the entry's member
/// `value`. In JSON_IETF the members of the outermost objects carry the module's name where the
/// origin has a known one (RFC 7951 4). With PROTO, which has no subtrees, a leaf is a scalar and
/// anything else JSON.
///
/// Costs one sort and one pass.
pub fn write_subtree(base: &Path, leaves: &[(Path, Value)], encoding: Encoding) -> pb::TypedValue {
    let module = Origins::gateway().module_of(&base.origin);
    write_subtree_of(base, leaves, encoding, &|_| module)
}

/// The same where the elements of one tree are of several modules: `modules` tells of which one the last is. In
/// JSON_IETF a member carries the module's name where that is another than its parent's, too.
pub fn write_subtree_of(
    base: &Path,
    leaves: &[(Path, Value)],
    encoding: Encoding,
    modules: &Modules<'_>,
) -> pb::TypedValue {
    let mut below: Vec<&(Path, Value)> = leaves
        .iter()
        .filter(|(path, _)| path.is_under(base) || is_entry_under(path, base))
        .collect();
    below.sort_by(|(a, _), (b, _)| a.elems.cmp(&b.elems));
    if let [(path, value)] = below.as_slice()
        && path == base
    {
        return write_value(value, encoding);
    }
    let mut writer = Writer {
        out: Text::default(),
        encoding,
        modules: (encoding == Encoding::JsonIetf).then_some(modules),
    };
    match base.elems.split_last() {
        Some((last, above)) if last.keys().is_empty() && !below.is_empty() => {
            writer.entries(&below, above.len(), true);
        }
        last => {
            let keys = last.map_or(&[][..], |(last, _)| last.keys());
            writer.object(&below, base.elems.len(), keys, true);
        }
    }
    json_value(writer.out.into_bytes(), encoding)
}

/// Tells the YANG module of the last of some elements, where that is known.
pub type Modules<'m> = dyn Fn(&[Elem]) -> Option<&'m str> + 'm;

/// A JSON text in the field that says which kind it is.
pub(super) fn json_value(text: Bytes, encoding: Encoding) -> pb::TypedValue {
    let value = match encoding {
        Encoding::JsonIetf => pb::typed_value::Value::JsonIetfVal(text),
        Encoding::Json | Encoding::Proto => pb::typed_value::Value::JsonVal(text),
    };
    pb::TypedValue { value: Some(value) }
}

/// Writes one value. In JSON_IETF 64-bit integers and decimals are strings (RFC 7951 6.1).
pub(super) fn write_json(out: &mut Text, value: &Value, encoding: Encoding) {
    let is_ietf = encoding == Encoding::JsonIetf;
    match value {
        Value::Bool(value) => out.json(value),
        Value::Bytes(value) => out.json(&STANDARD.encode(value)),
        Value::Decimal { digits, precision } if is_ietf => {
            out.json(&decimal_text(*digits, *precision));
        }
        Value::Decimal { digits, precision } => {
            out.raw(decimal_text(*digits, *precision).as_bytes());
        }
        Value::Double(value) if value.is_finite() => out.json(value),
        // JSON has no such numbers; these are the names of the protobuf JSON mapping.
        Value::Double(value) if value.is_nan() => out.raw(br#""NaN""#),
        Value::Double(value) if value.is_sign_negative() => out.raw(br#""-Infinity""#),
        Value::Double(_) => out.raw(br#""Infinity""#),
        Value::Empty => out.raw(b"[null]"),
        Value::Int(value) if is_ietf => quoted(out, value),
        Value::Int(value) | Value::Narrow(value) => out.json(value),
        Value::Json(text) => out.raw(text),
        Value::LeafList(values) => {
            out.raw(b"[");
            for (index, value) in values.iter().enumerate() {
                out.raw(if index == 0 { b"" } else { b"," });
                write_json(out, value, encoding);
            }
            out.raw(b"]");
        }
        Value::String(value) => out.json(&**value),
        Value::Uint(value) if is_ietf => quoted(out, value),
        Value::Uint(value) => out.json(value),
    }
}

/// The canonical form of decimal64 (RFC 7950 9.3.2): a digit on each side of the point, no other
/// zeros.
pub(super) fn decimal_text(digits: i64, precision: u8) -> String {
    let scale = 10_u128.pow(u32::from(precision.min(MAX_PRECISION)));
    let magnitude = u128::from(digits.unsigned_abs());
    let width = usize::from(precision.min(MAX_PRECISION));
    let fraction = format!("{:0width$}", magnitude % scale);
    let fraction = match fraction.trim_end_matches('0') {
        "" => "0",
        fraction => fraction,
    };
    let sign = if digits < 0 { "-" } else { "" };
    format!("{sign}{}.{fraction}", magnitude / scale)
}

/// Whether `base` names a list without keys, and `path` lies in one of its entries.
fn is_entry_under(path: &Path, base: &Path) -> bool {
    let Some((last, above)) = base.elems.split_last() else {
        return false;
    };
    path.origin == base.origin
        && last.keys().is_empty()
        && path.elems.starts_with(above)
        && elem_at(path, above.len()).is_some_and(|elem| elem.name() == last.name())
}

fn quoted(out: &mut Text, number: &impl serde::Serialize) {
    out.raw(b"\"");
    out.json(number);
    out.raw(b"\"");
}

fn elem_at(path: &Path, depth: usize) -> Option<&Elem> {
    path.elems.get(depth)
}

/// A leaf with the path that leads to it.
type Leaf = (Path, Value);

/// Writes sorted leaves. `depth` is the number of elements that all the given leaves share; what is outermost carries
/// its module's name in any case.
struct Writer<'a, 'm> {
    out: Text,
    encoding: Encoding,
    modules: Option<&'a Modules<'m>>,
}

impl<'m> Writer<'_, 'm> {
    /// All nodes of one name, whose elements stand at `depth`: one container or leaf, or the
    /// entries of a list.
    fn entries(&mut self, leaves: &[&Leaf], depth: usize, is_outer: bool) {
        let mut entries = leaves
            .chunk_by(|(a, _), (b, _)| elem_at(a, depth) == elem_at(b, depth))
            .map(|entry| (entry, entry_keys(entry, depth)))
            .peekable();
        let Some((first, keys)) = entries.next() else {
            return;
        };
        if entries.peek().is_none() && keys.is_empty() {
            return self.node(first, depth + 1, keys, is_outer);
        }
        self.out.raw(b"[");
        self.node(first, depth + 1, keys, is_outer);
        for (entry, keys) in entries {
            self.out.raw(b",");
            self.node(entry, depth + 1, keys, is_outer);
        }
        self.out.raw(b"]");
    }

    /// One node: the value of a leaf, or an object.
    fn node(&mut self, leaves: &[&Leaf], depth: usize, keys: &[Key], is_outer: bool) {
        match leaves {
            [.., (path, value)] if path.elems.len() == depth && keys.is_empty() => {
                write_json(&mut self.out, value, self.encoding);
            }
            _ => self.object(leaves, depth, keys, is_outer),
        }
    }

    /// The object of a container or an entry: its keys, then what is below it.
    fn object(&mut self, leaves: &[&Leaf], depth: usize, keys: &[Key], is_outer: bool) {
        let mut start: &[u8] = b"{";
        let parent = leaves
            .first()
            .and_then(|(path, _)| self.module(path, depth));
        for (key, value) in keys {
            self.member(&mut start, parent.filter(|_| is_outer), key);
            self.out.json(&**value);
        }
        let below = leaves.partition_point(|(path, _)| path.elems.len() == depth);
        let (here, below) = leaves.split_at(below);
        // Sorted, a leaf stands before what is below it. A tree never holds both.
        if let Some((_, value)) = here.last().filter(|_| below.is_empty()) {
            self.member(&mut start, parent.filter(|_| is_outer), LEAF_MEMBER);
            write_json(&mut self.out, value, self.encoding);
        }
        let name_at = |path: &Path| elem_at(path, depth).map(|elem| Arc::clone(elem.name()));
        for group in below.chunk_by(|(a, _), (b, _)| name_at(a) == name_at(b)) {
            let Some((path, name)) = group
                .first()
                .and_then(|(path, _)| Some((path, name_at(path)?)))
            else {
                continue;
            };
            // A source may report a key as a leaf of its entry, too.
            if keys.iter().any(|(key, _)| *key == name) {
                continue;
            }
            let module = self.module(path, depth + 1);
            self.member(
                &mut start,
                module.filter(|_| is_outer || module != parent),
                &name,
            );
            self.entries(group, depth, false);
        }
        if start == b"{" {
            self.out.raw(b"{");
        }
        self.out.raw(b"}");
    }

    /// The module of the element at which the first `depth` end.
    fn module(&self, path: &Path, depth: usize) -> Option<&'m str> {
        (self.modules?)(path.elems.get(..depth)?)
    }

    /// A member's name, after what separates it from the one before.
    fn member(&mut self, start: &mut &[u8], module: Option<&str>, name: &str) {
        self.out.raw(start);
        *start = b",";
        match module {
            Some(module) => self.out.json(&format!("{module}:{name}")),
            None => self.out.json(name),
        }
        self.out.raw(b":");
    }
}

/// A key's name and value.
type Key = (Arc<str>, Arc<str>);

fn entry_keys<'l>(entry: &[&'l Leaf], depth: usize) -> &'l [Key] {
    entry
        .first()
        .and_then(|(path, _)| elem_at(path, depth))
        .map_or(&[], Elem::keys)
}

/// Digits after the point that decimal64 can have (RFC 7950 9.3.4).
pub(super) const MAX_PRECISION: u8 = 18;

/// Where an entry's own value stands beside its keys.
const LEAF_MEMBER: &str = "value";
