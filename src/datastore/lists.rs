//! Long lists within an entry, found by their keys without a search each time: a patch has a thousand edits, and a list
//! may have tens of thousands of entries.

use std::collections::HashMap;

use serde_json::Value;

use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;

use super::tree;

/// Where the entries of lists stand. What changes a list in another way than through this must [`Lists::close`] it before.
#[derive(Debug, Default)]
pub(super) struct Lists {
    open: Vec<Open>,
}

/// One list.
#[derive(Debug)]
struct Open {
    way: Vec<Step>,
    node: NodeId,
    places: HashMap<Vec<String>, usize>,
    /// Some entries are taken away: null stands in their places, so that the others keep theirs.
    has_gaps: bool,
}

impl Lists {
    /// What the steps lead to below `root`; `None` when it is not there.
    pub(super) fn locate_mut<'a>(
        &mut self,
        schema: &Schema,
        root: &'a mut Value,
        steps: &[Step],
    ) -> Option<&'a mut Value> {
        let mut at = root;
        for (depth, step) in steps.iter().enumerate() {
            at = at.get_mut(schema.member(step.node))?;
            if !step.keys.is_empty() {
                let entries = at.as_array_mut()?;
                let way = steps.get(..depth).unwrap_or_default();
                let place = self.place(schema, (way, step), entries)?;
                at = entries.get_mut(place)?;
            }
        }
        Some(at)
    }

    /// Where among `entries`, to which `way` and then the step's node lead, the step's entry is.
    pub(super) fn place(
        &mut self,
        schema: &Schema,
        (way, step): (&[Step], &Step),
        entries: &[Value],
    ) -> Option<usize> {
        if let Some(open) = self.find(way, step.node) {
            return open.places.get(&step.keys).copied();
        }
        if entries.len() < LONG {
            return entries
                .iter()
                .position(|it| tree::has_keys(schema, step, it));
        }
        let mut places = HashMap::with_capacity(entries.len());
        for (place, entry) in entries.iter().enumerate() {
            let keys = tree::step_of(schema, step.node, entry).keys;
            places.entry(keys).or_insert(place);
        }
        let found = places.get(&step.keys).copied();
        self.open.push(Open {
            way: way.to_vec(),
            node: step.node,
            places,
            has_gaps: false,
        });
        found
    }

    /// Adds the step's entry, which is not there, at the end.
    pub(super) fn push(
        &mut self,
        (way, step): (&[Step], &Step),
        entries: &mut Vec<Value>,
        value: Value,
    ) {
        if let Some(open) = self.find(way, step.node) {
            open.places.insert(step.keys.clone(), entries.len());
        }
        entries.push(value);
    }

    /// Takes the step's entry away, which is at `place`. False where the list is not open: then nothing is done.
    pub(super) fn remove(
        &mut self,
        (way, step): (&[Step], &Step),
        entries: &mut [Value],
        place: usize,
    ) -> bool {
        let (Some(open), Some(entry)) = (self.find(way, step.node), entries.get_mut(place)) else {
            return false;
        };
        open.places.remove(&step.keys);
        open.has_gaps = true;
        *entry = Value::Null;
        true
    }

    /// Forgets the lists that are at or below `target`, and that of its last step where `and_own` says so.
    pub(super) fn close(
        &mut self,
        schema: &Schema,
        root: &mut Value,
        (target, and_own): (&[Step], bool),
    ) {
        let own = target.split_last().filter(|_| and_own);
        let is_meant = |open: &mut Open| {
            open.way.starts_with(target)
                || own.is_some_and(|(last, way)| last.node == open.node && open.way == way)
                // The list as a whole.
                || target.split_last().is_some_and(|(last, way)| {
                    last.keys.is_empty() && last.node == open.node && open.way == way
                })
        };
        let closed: Vec<Open> = self.open.extract_if(.., is_meant).collect();
        for open in closed.iter().filter(|open| open.has_gaps) {
            let member = schema.member(open.node);
            let parent = tree::locate_mut(schema, root, &open.way);
            let Some(Value::Object(members)) = parent else {
                continue;
            };
            let Some(Value::Array(entries)) = members.get_mut(&member) else {
                continue;
            };
            entries.retain(|entry| !entry.is_null());
            if entries.is_empty() {
                members.shift_remove(&member);
            }
        }
    }

    fn find(&mut self, way: &[Step], node: NodeId) -> Option<&mut Open> {
        let mut open = self.open.iter_mut();
        open.find(|open| open.node == node && open.way == way)
    }
}

/// Shorter lists are searched in less time than it takes to open them.
const LONG: usize = 64;
