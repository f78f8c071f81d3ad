//! The entries that an edit touches, while it is being made.

use std::collections::BTreeMap;
use std::collections::HashMap;

use serde_json::Map;
use serde_json::Value;

use crate::schema::Collection;
use crate::schema::Fault;
use crate::schema::Schema;
use crate::schema::Step;
use crate::schema::Tag;

use super::Edit;
use super::EditError;
use super::Place;
use super::changing::Done;
use super::changing::below;
use super::changing::in_list;
use super::changing::missing;
use super::changing::whole;
use super::edit::Op;
use super::error::internal;
use super::index::key_of;
use super::index::key_text;
use super::index::references;
use super::index::uniques;
use super::lists::Lists;
use super::port::Batch;
use super::port::Content;
use super::port::Id;
use super::port::Mark;
use super::port::Record;
use super::port::Write;
use super::service::numbered;
use super::state::initial;
use super::tree;

/// Entries by id: what was stored, and what is to become of them.
#[derive(Debug, Default)]
pub(super) struct Working {
    entries: BTreeMap<Id, Entry>,
    /// The edit that is being made, counted from zero.
    pub(super) edit: usize,
}

#[derive(Debug)]
struct Entry {
    stored: Option<Record>,
    now: Option<Value>,
    /// Its lists that were searched.
    lists: Lists,
    /// The last edit that changed it.
    changed_by: Option<usize>,
}

impl Working {
    pub(super) fn knows(&self, id: &Id) -> bool {
        self.entries.contains_key(id)
    }

    /// When the entry was last changed, as it was read.
    pub(super) fn mark(&self, id: &Id) -> Option<Mark> {
        let stored = self.entries.get(id)?.stored.as_ref();
        stored.map(|record| record.mark)
    }

    /// Takes up an entry as it is stored.
    pub(super) fn take(&mut self, id: Id, stored: Option<Record>) -> Result<(), Fault> {
        let now = match &stored {
            Some(record) => Some(serde_json::from_str(&record.body).map_err(|_| internal())?),
            None => None,
        };
        let entry = Entry {
            stored,
            now,
            lists: Lists::default(),
            changed_by: None,
        };
        self.entries.insert(id, entry);
        Ok(())
    }

    /// The ids of a collection's entries that are there now.
    pub(super) fn present(&self, collection: &str) -> Vec<Id> {
        let present = self.entries.iter().filter(|(_, entry)| entry.now.is_some());
        present
            .map(|(id, _)| id)
            .filter(|id| id.collection == collection)
            .cloned()
            .collect()
    }

    /// Bytes of the entries as they are stored.
    pub(super) fn bytes(&self) -> usize {
        let stored = self.entries.values().filter_map(|it| it.stored.as_ref());
        stored.map(|record| record.body.len()).sum()
    }

    /// Makes edits of entries that are taken up. Returns whether the target of the last is new. Blocks.
    pub(super) fn apply_all(&mut self, schema: &Schema, edits: &[Edit]) -> Result<bool, EditError> {
        let mut is_new = false;
        for (index, edit) in edits.iter().enumerate() {
            self.edit = index;
            let Place::Entry {
                collection,
                entry,
                inside,
            } = Place::of(schema, &edit.target)
            else {
                return Err(internal().into());
            };
            let id = Id {
                collection: schema.collection_name(collection),
                key: key_text(&entry.keys),
            };
            is_new = self
                .apply_one(schema, &id, (entry, inside), edit)
                .map_err(|fault| numbered(fault.into(), Some(index)))?;
        }
        Ok(is_new)
    }

    /// Makes an edit of an entry. What is wrong is at the edit's target, where it is not known better.
    pub(super) fn apply_one(
        &mut self,
        schema: &Schema,
        id: &Id,
        target: (&Step, &[Step]),
        edit: &Edit,
    ) -> Result<bool, Fault> {
        self.apply(schema, id, target, edit.op.clone())
            .map_err(|fault| {
                let path = fault.path.clone();
                fault.at(path.unwrap_or_else(|| tree::identifier(schema, &edit.target)))
            })
    }

    /// Changes an entry, or something in it. Returns whether the target is new.
    pub(super) fn apply(
        &mut self,
        schema: &Schema,
        id: &Id,
        target: (&Step, &[Step]),
        op: Op,
    ) -> Result<bool, Fault> {
        let (entry, inside) = target;
        let working = self.entries.get_mut(id).ok_or_else(internal)?;
        working.changed_by = Some(self.edit);
        let Entry { now, lists, .. } = working;
        let Some((last, way)) = inside.split_last() else {
            if let Some(root) = now {
                lists.close(schema, root, (&[], false));
            }
            return whole(schema, entry, now, op);
        };
        let Some(root) = now else {
            return match op {
                Op::Remove => Ok(false),
                Op::Delete | Op::Merge(_, true) | Op::Move(_) => Err(missing()),
                _ => Err(tree::absent()),
            };
        };
        let has_position = matches!(
            op,
            Op::Create(_, Some(_)) | Op::Replace(_, Some(_)) | Op::Move(_)
        );
        lists.close(schema, root, (inside, has_position));
        // Up to the last entry of a list on the way, places are known.
        let known = way.iter().rposition(|step| !step.keys.is_empty());
        let (outer, rest) = inside.split_at(known.map_or(0, |at| at + 1));
        let Some(base) = lists.locate_mut(schema, root, outer) else {
            return match op {
                Op::Remove => Ok(false),
                Op::Delete | Op::Merge(_, true) | Op::Move(_) => Err(missing()),
                _ => Err(tree::absent()),
            };
        };
        let inner = rest.split_last().map_or(rest, |(_, inner)| inner);
        let parent = tree::locate_mut(schema, base, inner);
        let found = parent.and_then(|it| it.get_mut(schema.member(last.node)));
        match found.and_then(Value::as_array_mut) {
            Some(entries) if !last.keys.is_empty() && !has_position => {
                match in_list(schema, lists, (way, last), entries, op) {
                    Done::Fully(outcome) => outcome,
                    // It may have been the last.
                    Done::Not => {
                        tree::remove(schema, base, rest);
                        Ok(false)
                    }
                }
            }
            _ => below(schema, base, (last.node, rest), op),
        }
    }

    /// Which edit changed an entry last.
    pub(super) fn edits(&self) -> HashMap<Id, usize> {
        let changed = self.entries.iter();
        changed
            .filter_map(|(id, entry)| Some((id.clone(), entry.changed_by?)))
            .collect()
    }

    /// Validates what has changed, and says what to store. Blocks.
    pub(super) fn into_batch(self, schema: &Schema) -> Result<Batch, EditError> {
        let mut batch = Batch::default();
        for (id, mut entry) in self.entries {
            if let Some(now) = &mut entry.now {
                entry.lists.close(schema, now, (&[], false));
            }
            let revision = entry.stored.as_ref().map(|record| record.mark.revision);
            batch.expected.push((id.clone(), revision));
            let Some(edit) = entry.changed_by else {
                continue;
            };
            let collection = schema
                .collection_named(&id.collection)
                .ok_or_else(internal)?;
            let content = match entry.now {
                Some(now) => {
                    let content = content(schema, collection, &id, now);
                    Some(content.map_err(|fault| EditError::Fault {
                        edit: Some(edit),
                        fault,
                    })?)
                }
                None => None,
            };
            let old = entry.stored.as_ref().map(|record| &record.body);
            if old != content.as_ref().map(|content| &content.body) {
                batch.writes.push(Write { id, content });
            }
        }
        Ok(batch)
    }
}

/// Validates an entry, alone in its document.
pub(super) fn content(
    schema: &Schema,
    collection: &Collection,
    id: &Id,
    entry: Value,
) -> Result<Content, Fault> {
    let list = schema.member(collection.list);
    let mut container = Map::new();
    container.insert(list.clone(), Value::Array(vec![entry]));
    let mut document = Map::new();
    document.insert(schema.collection_name(collection), Value::Object(container));
    let mut valid = schema.validate(&document)?;
    let entry = valid
        .get_mut(&schema.collection_name(collection))
        .and_then(|container| container.get_mut(&list))
        .and_then(|entries| entries.get_mut(0))
        .map(Value::take)
        .ok_or_else(internal)?;
    if key_of(schema, collection, &entry) != id.key {
        return Err(Fault::new(
            Tag::InvalidValue,
            "keys are not those of the path",
        ));
    }
    Ok(Content {
        references: references(schema, collection, &entry),
        uniques: uniques(schema, collection, &entry),
        initial_state: initial(schema, &id.collection),
        body: entry.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::tree::Position;
    use super::*;
    use crate::schema::Source;

    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::load(Source::Embedded).unwrap());

    /// A session's endpoints, one of them, or a leaf of one; and what is done with it.
    fn edit(kind: u8, key: usize, other: usize) -> (Vec<Step>, Op) {
        let step = |parent, name, keys| Step {
            node: SCHEMA.find(Some(parent), name).unwrap(),
            keys,
        };
        let collection = SCHEMA
            .collection_named("Accedian-session:sessions")
            .unwrap();
        let id = format!("e{key}");
        let endpoint = step(collection.list, "service-endpoints", vec![id.clone()]);
        let leaf = step(endpoint.node, "session-protocol", Vec::new());
        let value = json!({ "endpoint-id": id, "n": other });
        let metadata = step(collection.list, "metadata", Vec::new());
        let topology = step(metadata.node, "topology", vec![id.clone()]);
        let after = Position::After(vec![format!("e{other}")]);
        match kind {
            0 => (vec![endpoint], Op::Create(value, None)),
            1 => (vec![endpoint], Op::Delete),
            2 => (vec![endpoint], Op::Remove),
            3 => (vec![endpoint], Op::Replace(value, None)),
            4 => (vec![endpoint], Op::Merge(value, other.is_multiple_of(2))),
            5 => (
                vec![endpoint, leaf],
                Op::Replace(json!({ "x": other }), None),
            ),
            6 => (vec![endpoint, leaf], Op::Delete),
            7 => (vec![metadata, topology], Op::Create(json!(id), Some(after))),
            8 => (vec![metadata, topology], Op::Move(after)),
            9 => (vec![metadata, topology], Op::Remove),
            10 => (vec![metadata, topology], Op::Merge(json!(id), false)),
            11 => (
                vec![metadata],
                Op::Merge(json!({ "topology": [id] }), false),
            ),
            _ => (
                Vec::new(),
                Op::Merge(json!({ "service-endpoints": [value] }), false),
            ),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is known of lists, it changes nothing of what is done.
        #[test]
        fn edits_of_long_lists_do_what_edits_do(
            kinds in prop::collection::vec((0_u8..13, 0_usize..120, 0_usize..120), 1..60)
        ) {
            let endpoints: Vec<_> = (0..100).map(|it| json!({ "endpoint-id": format!("e{it}") })).collect();
            let topology: Vec<_> = (0..100).map(|it| format!("e{it}")).collect();
            let entry = json!({
                "session-id": "s", "service-endpoints": endpoints,
                "metadata": { "topology": topology },
            });
            let id = Id { collection: "Accedian-session:sessions".to_owned(), key: "s".to_owned() };
            let list = SCHEMA.collection_named(&id.collection).unwrap().list;
            let own = Step { node: list, keys: vec!["s".to_owned()] };
            let record = Record {
                key: "s".to_owned(), body: entry.to_string(), state: None, mark: Mark::default(),
            };
            let mut working = Working::default();
            working.take(id.clone(), Some(record)).unwrap();
            let mut plain = Some(entry);
            for (kind, key, other) in kinds {
                let (inside, op) = edit(kind, key, other);
                let expected = match inside.last() {
                    None => whole(&SCHEMA, &own, &mut plain, op.clone()),
                    Some(last) => {
                        below(&SCHEMA, plain.as_mut().unwrap(), (last.node, &inside), op.clone())
                    }
                };
                let done = working.apply(&SCHEMA, &id, (&own, &inside), op);
                prop_assert_eq!(done, expected);
            }
            let entry = working.entries.get_mut(&id).unwrap();
            entry.lists.close(&SCHEMA, entry.now.as_mut().unwrap(), (&[], false));
            prop_assert_eq!(&entry.now, &plain);
        }
    }
}
