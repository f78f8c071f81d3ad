//! Changing an entry, an entry of one of its lists, or something else in it.

use serde_json::Value;

use crate::schema::Fault;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

use super::edit::Op;
use super::lists::Lists;
use super::tree;

/// Whether an operation on a list's entry is done.
pub(super) enum Done {
    Fully(Result<bool, Fault>),
    /// The entry is to be removed.
    Not,
}

/// Changes an entry of an inner list, without a position.
pub(super) fn in_list(
    schema: &Schema,
    lists: &mut Lists,
    (way, step): (&[Step], &Step),
    entries: &mut Vec<Value>,
    op: Op,
) -> Done {
    let place = lists.place(schema, (way, step), entries);
    let old = place.and_then(|place| entries.get_mut(place));
    Done::Fully(match (op, old) {
        (Op::Create(..), Some(_)) => Err(exists()),
        (Op::Delete | Op::Merge(_, true) | Op::Move(_), None) => Err(missing()),
        (Op::Remove | Op::Move(_), _) if place.is_none() => Ok(false),
        (Op::Delete | Op::Remove | Op::Move(_), _) => {
            let at = place.unwrap_or_default();
            if !lists.remove((way, step), entries, at) {
                return Done::Not;
            }
            Ok(false)
        }
        (Op::Replace(value, _), Some(old)) => {
            *old = value;
            Ok(false)
        }
        (Op::Merge(value, _), Some(old)) => {
            tree::merge(schema, step.node, old, value);
            Ok(false)
        }
        (Op::Create(value, _) | Op::Replace(value, _) | Op::Merge(value, _), None) => {
            lists.push((way, step), entries, value);
            Ok(true)
        }
    })
}

/// Changes what the steps lead to, which is an instance of `node`.
pub(super) fn below(
    schema: &Schema,
    root: &mut Value,
    (node, steps): (NodeId, &[Step]),
    op: Op,
) -> Result<bool, Fault> {
    let is_there = tree::locate(schema, root, steps).is_some();
    match op {
        Op::Create(..) if is_there => Err(exists()),
        Op::Create(value, position) | Op::Replace(value, position) => {
            tree::put(schema, root, steps, value, position.as_ref())
        }
        Op::Delete | Op::Move(_) | Op::Merge(_, true) if !is_there => Err(missing()),
        Op::Delete | Op::Remove => {
            tree::remove(schema, root, steps);
            Ok(false)
        }
        Op::Move(position) => {
            let value = tree::locate(schema, root, steps).cloned();
            let value = value.ok_or_else(missing)?;
            tree::put(schema, root, steps, value, Some(&position))
        }
        Op::Merge(value, _) => match tree::locate_mut(schema, root, steps) {
            Some(old) => {
                tree::merge(schema, node, old, value);
                Ok(false)
            }
            None => tree::put(schema, root, steps, value, None),
        },
    }
}

/// Changes an entry as a whole.
pub(super) fn whole(
    schema: &Schema,
    entry: &Step,
    now: &mut Option<Value>,
    op: Op,
) -> Result<bool, Fault> {
    match (op, now) {
        (Op::Create(..), Some(_)) => Err(exists()),
        (Op::Create(_, Some(_)) | Op::Replace(_, Some(_)) | Op::Move(_), _) => Err(Fault::new(
            Tag::InvalidValue,
            "list is not ordered by its user",
        )),
        (Op::Delete | Op::Merge(_, true), None) => Err(missing()),
        (Op::Remove, None) => Ok(false),
        (Op::Delete | Op::Remove, now) => {
            *now = None;
            Ok(false)
        }
        (Op::Merge(value, _), Some(old)) => {
            tree::merge(schema, entry.node, old, value);
            Ok(false)
        }
        (Op::Create(value, None) | Op::Replace(value, None) | Op::Merge(value, false), now) => {
            Ok(now.replace(value).is_none())
        }
    }
}

pub(super) fn missing() -> Fault {
    Fault::new(Tag::DataMissing, "resource does not exist")
}

fn exists() -> Fault {
    Fault::new(Tag::DataExists, "resource exists already")
}
