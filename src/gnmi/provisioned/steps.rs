//! Paths of the tree as steps of the schema.

use crate::datastore::Place;
use crate::model::Elem;
use crate::model::Path;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;

use super::refusal::Refusal;

/// The steps to what a path names. Keys of the last element may all be left out, which means the whole list; those of
/// an element before must be there.
pub(super) fn steps(schema: &Schema, path: &Path) -> Result<Vec<Step>, Refusal> {
    let mut at = None;
    let mut steps = Vec::with_capacity(path.elems.len());
    for (index, elem) in path.elems.iter().enumerate() {
        let node = child(schema, at, elem.name()).ok_or(Refusal::NotInModel)?;
        let keys = keys(schema, node, elem)?;
        let is_list = schema.node(node).kind == Kind::List && !schema.node(node).keys.is_empty();
        if is_list && keys.is_empty() && index + 1 < path.elems.len() {
            return Err(Refusal::KeysMissing);
        }
        steps.push(Step { node, keys });
        at = Some(node);
    }
    if at.is_some_and(|node| !schema.node(node).is_config) {
        return Err(Refusal::ReadOnly);
    }
    // The list of a collection's entries is not stored as such: it is the collection.
    if let [container, list] = steps.as_slice()
        && list.keys.is_empty()
        && matches!(
            Place::of(schema, std::slice::from_ref(container)),
            Place::Collection(_)
        )
    {
        return Ok(steps);
    }
    match Place::of(schema, &steps) {
        Place::Nowhere => Err(Refusal::ReadOnly),
        _ => Ok(steps),
    }
}

/// The module of the last of some elements, as the tree has them.
pub(in crate::gnmi) fn module<'s>(schema: &'s Schema, elems: &[Elem]) -> Option<&'s str> {
    let mut at = None;
    for elem in elems {
        at = Some(child(schema, at, elem.name())?);
    }
    Some(schema.node(at?).module.as_str())
}

/// The child of that name: in the tree, names are without their module.
pub(super) fn child(schema: &Schema, parent: Option<NodeId>, name: &str) -> Option<NodeId> {
    let among = parent.map_or(schema.tops(), |parent| &schema.node(parent).children);
    among
        .iter()
        .copied()
        .find(|id| schema.node(*id).name == name)
}

fn keys(schema: &Schema, node: NodeId, elem: &Elem) -> Result<Vec<String>, Refusal> {
    let wanted = &schema.node(node).keys;
    let known = |name: &str| wanted.iter().any(|key| schema.node(*key).name == name);
    if elem.keys().iter().any(|(name, _)| !known(name)) {
        return Err(Refusal::NotInModel);
    }
    if elem.keys().is_empty() {
        return Ok(Vec::new());
    }
    // No type has such a character, and libyang's binding does not bear it.
    if elem.keys().iter().any(|(_, value)| value.contains('\0')) {
        return Err(Refusal::NotAKey);
    }
    wanted
        .iter()
        .map(|key| elem.key(&schema.node(*key).name).map(ToString::to_string))
        .collect::<Option<_>>()
        .ok_or(Refusal::KeysMissing)
}
