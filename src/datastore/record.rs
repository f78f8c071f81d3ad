//! An entry in whole: configuration, default values and state.

use serde_json::Value;
use serde_json::json;

use crate::schema::Collection;
use crate::schema::Defaults;
use crate::schema::Fault;
use crate::schema::Schema;

use super::error::internal;
use super::port::Record;

impl Record {
    /// The entry with its state, and the default values that are asked for. Blocks for some tens of microseconds.
    ///
    /// # Errors
    ///
    /// [`Fault`] where what is stored is not what the model says.
    pub fn value(
        &self,
        schema: &Schema,
        collection: &Collection,
        defaults: Defaults,
    ) -> Result<Value, Fault> {
        let mut entry: Value = serde_json::from_str(&self.body).map_err(|_| internal())?;
        if defaults != Defaults::Explicit {
            let list = schema.member(collection.list);
            let document = json!({ schema.collection_name(collection): { &list: [entry] } });
            let Value::Object(document) = document else {
                return Err(internal());
            };
            let mut shown = schema.with_defaults(&document, defaults)?;
            entry = shown
                .get_mut(&schema.collection_name(collection))
                .and_then(|container| container.get_mut(&list))
                .and_then(|entries| entries.get_mut(0))
                .map(Value::take)
                .ok_or_else(internal)?;
        }
        let state = self.state.as_deref().map(serde_json::from_str::<Value>);
        if let (Some(Ok(Value::Object(state))), Value::Object(members)) = (state, &mut entry) {
            members.extend(state);
        }
        Ok(entry)
    }
}
