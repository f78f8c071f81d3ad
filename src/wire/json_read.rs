//! JSON values of a Set become leaves. Without a schema: an object is a container, an array of
//! scalars a leaf-list, any other array a leaf that holds its text.

use std::collections::HashMap;

use super::error::ValueError;
use super::json_tree::Tree;
use super::origin::bare_name;
use super::path::MAX_ELEMS;
use super::path::MAX_PATH_BYTES;
use super::path::is_wildcard;
use super::text::Text;
use crate::model::Elem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Update;
use crate::model::Value;

/// One update per leaf, in the order of the text; of two members with one name the last counts.
///
/// `null` and `{}` are no leaf. Where the last element of `base` has keys, members that repeat them
/// must agree, and are no leaves: keys live in the path, and `write_subtree` writes them back as
/// members.
pub(super) fn read_json(base: &Path, text: &[u8]) -> Result<Vec<Update>, ValueError> {
    match Tree::parse(text)? {
        Tree::Null => Ok(Vec::new()),
        Tree::Object(members) => {
            let mut walk = Walk {
                origin: &base.origin,
                bytes: base.elems.iter().map(elem_bytes).sum(),
                elems: base.elems.clone(),
                leaf_elems: 0,
                updates: Vec::new(),
            };
            let keyed = base.elems.last();
            walk.members(members, keyed)?;
            Ok(walk.updates)
        }
        _ if base.elems.is_empty() => Err(ValueError::RootLeaf),
        leaf => Ok(vec![Update {
            path: base.clone(),
            value: leaf_value(leaf),
        }]),
    }
}

/// Where the walk through the tree is, and what it has found.
struct Walk<'b> {
    origin: &'b Origin,
    elems: Vec<Elem>,
    /// Of all that `elems` holds.
    bytes: usize,
    /// Of all updates together.
    leaf_elems: usize,
    updates: Vec<Update>,
}

impl Walk<'_> {
    /// All members of the object at the current place; `keyed` is its element where that comes from
    /// the path.
    fn members(
        &mut self,
        members: Vec<(String, Tree)>,
        keyed: Option<&Elem>,
    ) -> Result<(), ValueError> {
        let mut last: HashMap<String, usize> = HashMap::with_capacity(members.len());
        for (index, (name, _)) in members.iter().enumerate() {
            last.insert(bare_name(name).to_owned(), index);
        }
        for (index, (name, member)) in members.into_iter().enumerate() {
            let name = bare_name(&name);
            if name.is_empty() || is_wildcard(name) {
                return Err(ValueError::MemberName);
            }
            if last.get(name) != Some(&index) {
                continue;
            }
            match keyed.and_then(|elem| elem.key(name)) {
                Some(key) if is_text(&member, key) => {}
                Some(_) => return Err(ValueError::KeyConflict { key: name.into() }),
                None => self.member(name, member)?,
            }
        }
        Ok(())
    }

    fn member(&mut self, name: &str, member: Tree) -> Result<(), ValueError> {
        let bytes = self.bytes;
        self.bytes += name.len();
        if self.bytes > MAX_PATH_BYTES {
            return Err(ValueError::PathTooLong);
        }
        self.elems.push(Elem::new(name));
        if self.elems.len() > MAX_ELEMS {
            return Err(ValueError::TooManyElems);
        }
        match member {
            Tree::Null => {}
            Tree::Object(members) => self.members(members, None)?,
            leaf => self.leaf(leaf)?,
        }
        self.elems.pop();
        self.bytes = bytes;
        Ok(())
    }

    fn leaf(&mut self, leaf: Tree) -> Result<(), ValueError> {
        self.leaf_elems += self.elems.len();
        if self.leaf_elems > MAX_LEAF_ELEMS {
            return Err(ValueError::PathsTooLarge);
        }
        self.updates.push(Update {
            path: Path::new(self.origin.clone(), self.elems.clone()),
            value: leaf_value(leaf),
        });
        Ok(())
    }
}

/// What a leaf holds. `[null]` is YANG's `empty` (RFC 7951 6.9).
fn leaf_value(tree: Tree) -> Value {
    match tree {
        Tree::Scalar(value) => value,
        Tree::Array(items) if matches!(items.as_slice(), [Tree::Null]) => Value::Empty,
        Tree::Array(items) if items.iter().all(|item| matches!(item, Tree::Scalar(_))) => {
            let scalar = |item| match item {
                Tree::Scalar(value) => Some(value),
                _ => None,
            };
            Value::LeafList(items.into_iter().filter_map(scalar).collect())
        }
        other => {
            let mut text = Text::default();
            other.write(&mut text);
            Value::Json(text.into_bytes())
        }
    }
}

/// Whether a member says the same as a key, which is text whatever its type (path-conventions).
fn is_text(member: &Tree, key: &str) -> bool {
    match member {
        Tree::Scalar(Value::String(text)) => **text == *key,
        Tree::Scalar(_) => {
            let mut text = Text::default();
            member.write(&mut text);
            text.as_bytes() == key.as_bytes()
        }
        _ => false,
    }
}

fn elem_bytes(elem: &Elem) -> usize {
    let keys = elem.keys().iter();
    elem.name().len()
        + keys
            .map(|(key, value)| key.len() + value.len())
            .sum::<usize>()
}

/// Elements of the paths of all leaves of one value: ten levels for each leaf that is allowed. A
/// short text can put many leaves far down, and each has a path of its own.
pub(super) const MAX_LEAF_ELEMS: usize = 1_000_000;
