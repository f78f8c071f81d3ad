//! Cutting data down to what a view wants.

use serde_json::Map;
use serde_json::Value;

use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;

use super::fields::Fields;
use super::query::Content;
use super::query::View;

/// The value of `node` as the view wants it; `None` when nothing of it is wanted. Keys of entries stay.
pub(super) fn prune(schema: &Schema, node: NodeId, value: Value, view: &View) -> Option<Value> {
    let wanted = Wanted {
        schema,
        content: view.content,
    };
    wanted.of(node, value, view.depth, view.fields.as_ref())
}

struct Wanted<'a> {
    schema: &'a Schema,
    content: Content,
}

impl Wanted<'_> {
    fn of(
        &self,
        id: NodeId,
        value: Value,
        depth: Option<u16>,
        fields: Option<&Fields>,
    ) -> Option<Value> {
        let node = self.schema.node(id);
        match (node.kind, value) {
            (Kind::List, Value::Array(entries)) => {
                let entries: Vec<Value> = entries
                    .into_iter()
                    .filter_map(|entry| self.of(id, entry, depth, fields))
                    .collect();
                (!entries.is_empty()).then_some(Value::Array(entries))
            }
            (Kind::Container | Kind::List, Value::Object(members)) => {
                self.object(id, members, depth, fields)
            }
            (_, value) => self.keeps(id).then_some(value),
        }
    }

    fn object(
        &self,
        id: NodeId,
        members: Map<String, Value>,
        depth: Option<u16>,
        fields: Option<&Fields>,
    ) -> Option<Value> {
        let node = self.schema.node(id);
        let below = depth.map(|depth| depth - 1);
        let mut kept = Map::new();
        let mut has_more = false;
        for (name, value) in members {
            let plain = name.strip_prefix('@').unwrap_or(&name);
            let Some(child) = self.schema.find(Some(id), plain) else {
                continue;
            };
            if node.keys.contains(&child) {
                kept.insert(name, value);
                continue;
            }
            if below == Some(0) {
                has_more = true;
                continue;
            }
            let inner = match fields {
                None => None,
                Some(fields) if fields.0.is_empty() => None,
                Some(fields) => match fields.0.iter().find(|(it, _)| *it == child) {
                    Some((_, inner)) => Some(inner),
                    None => continue,
                },
            };
            if let Some(value) = self.of(child, value, below, inner) {
                kept.insert(name, value);
                has_more = true;
            }
        }
        let is_wanted = match self.content {
            Content::State => has_more || !node.is_config,
            _ => self.keeps(id),
        };
        is_wanted.then_some(Value::Object(kept))
    }

    /// Whether the node itself is of the content that is wanted.
    fn keeps(&self, id: NodeId) -> bool {
        match self.content {
            Content::All => true,
            Content::Config => self.schema.node(id).is_config,
            Content::State => !self.schema.node(id).is_config,
        }
    }
}
