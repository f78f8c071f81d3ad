//! What an entity tag stands for.

use crate::datastore::Place;
use crate::schema::Collection;
use crate::schema::Schema;

use super::query::Content;
use super::query::View;

/// Whether all that is shown of a place is what its mark is of: configuration. State changes without it, and what is in
/// force changes with other entries, so that the same mark does not say that nothing is new.
pub(super) fn is_marked(schema: &Schema, place: &Place<'_>, view: &View) -> bool {
    // What has actions has a state that they change.
    let changes_itself = |collection: &Collection| !schema.node(collection.list).actions.is_empty();
    let has_state = match place {
        Place::Collection(collection) | Place::Entry { collection, .. } => {
            changes_itself(collection)
        }
        Place::Datastore | Place::Nowhere => schema.collections().iter().any(changes_itself),
    };
    !view.in_force && (view.content == Content::Config || !has_state)
}
