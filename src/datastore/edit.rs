//! What a writer wants changed, and the entries that this means.

use serde_json::Map;
use serde_json::Value;

use crate::schema::Collection;
use crate::schema::Schema;
use crate::schema::Step;

use super::tree::Position;
use super::tree::step_of;

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// What is changed: the datastore without steps, a collection's container, an entry, or something in an entry.
    pub target: Vec<Step>,
    /// How.
    pub op: Op,
}

/// How something is changed. Values are in canonical form, without the member's name.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// It must not be there yet.
    Create(Value, Option<Position>),
    /// It must be there.
    Delete,
    /// It must be there, and gets a new place.
    Move(Position),
    /// It is merged into what is there; the flag says that it must be there.
    Merge(Value, bool),
    /// It is deleted if it is there.
    Remove,
    /// It takes the place of what is there.
    Replace(Value, Option<Position>),
}

/// What a target is, seen from the store.
#[derive(Clone, Debug)]
pub enum Place<'a> {
    /// All of a collection.
    Collection(&'a Collection),
    /// Everything.
    Datastore,
    /// An entry, and where in it.
    Entry {
        /// Its collection.
        collection: &'a Collection,
        /// Its keys.
        entry: &'a Step,
        /// The way in it.
        inside: &'a [Step],
    },
    /// Nothing that is stored.
    Nowhere,
}

impl<'a> Place<'a> {
    /// What `target` is.
    pub fn of(schema: &'a Schema, target: &'a [Step]) -> Self {
        let found = |container: &Step| {
            let mut all = schema.collections().iter();
            all.find(|it| it.container == container.node)
        };
        match target {
            [] => Self::Datastore,
            [container] => found(container).map_or(Self::Nowhere, Self::Collection),
            [container, entry, inside @ ..] => match found(container) {
                Some(collection) if collection.list == entry.node && !entry.keys.is_empty() => {
                    Self::Entry {
                        collection,
                        entry,
                        inside,
                    }
                }
                _ => Self::Nowhere,
            },
        }
    }
}

/// The entries in a collection's content, with their steps.
pub(super) fn entries_of(
    schema: &Schema,
    collection: &Collection,
    content: Value,
) -> Vec<(Step, Value)> {
    let Value::Object(mut content) = content else {
        return Vec::new();
    };
    match content.remove(&schema.member(collection.list)) {
        Some(Value::Array(entries)) => entries
            .into_iter()
            .map(|entry| (step_of(schema, collection.list, &entry), entry))
            .collect(),
        _ => Vec::new(),
    }
}

/// The collections in a datastore's content.
pub(super) fn collections_of<'a>(
    schema: &'a Schema,
    content: &mut Map<String, Value>,
) -> Vec<(&'a Collection, Value)> {
    let all = schema.collections().iter();
    all.filter_map(|it| Some((it, content.remove(&schema.collection_name(it))?)))
        .collect()
}
