//! Metadata labels: predicates on `meta/data[name=<label>]/val` of a list entry (restconf-pki 2.5, the vendor's
//! public example `monitored-object[meta/data/name/usage=europe-east]`).

use crate::model::Elem;
use crate::model::Glob;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Value;

use super::tree::Node;

/// Whether the entry at `node` has the label with that value.
pub(super) fn has(node: &Node, label: &str, value: &str) -> bool {
    let found = node
        .below(&Elem::new(META))
        .and_then(|meta| meta.below(&Elem::with_keys(DATA, [(NAME, label)])))
        .and_then(|data| data.below(&Elem::new(VAL)))
        .and_then(Node::leaf);
    found.is_some_and(|leaf| is_text(&leaf.state().value, value))
}

/// The entry that a leaf labels; `None` for any other leaf.
pub(super) fn labelled_entry(path: &Path) -> Option<Path> {
    let [entry @ .., meta, data, val] = path.elems.as_slice() else {
        return None;
    };
    let is_label = &**meta.name() == META && &**data.name() == DATA && &**val.name() == VAL;
    (is_label && data.key(NAME).is_some()).then(|| Path::new(path.origin.clone(), entry.to_vec()))
}

/// Whether a pattern asks for a label anywhere.
pub(super) fn in_pattern(pattern: &Pattern) -> bool {
    let mut elems = pattern.elems.iter();
    elems.any(|glob| matches!(glob, Glob::One(elem) if !elem.labels.is_empty()))
}

fn is_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(held) => **held == *text,
        Value::Bool(held) => text == if *held { "true" } else { "false" },
        Value::Int(held) => text.parse() == Ok(*held),
        Value::Uint(held) => text.parse() == Ok(*held),
        _ => false,
    }
}

const META: &str = "meta";
const DATA: &str = "data";
const NAME: &str = "name";
const VAL: &str = "val";
