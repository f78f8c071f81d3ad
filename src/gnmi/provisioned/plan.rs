//! From a Set to the edits of the datastore (gNMI spec 3.4).

use serde_json::Map;
use serde_json::Value as Json;

use crate::datastore::Edit;
use crate::datastore::EditError;
use crate::datastore::Op;
use crate::model::Path;
use crate::model::Pattern;
use crate::schema::Kind;
use crate::schema::Schema;
use crate::schema::Step;
use crate::wire::proto::gnmi as pb;

use super::refusal::Refusal;
use super::steps::steps;
use super::value;

/// What one operation of a Set wants of the datastore.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gnmi) enum Wanted {
    /// Removes all that the pattern covers.
    Delete(Pattern),
    /// Makes the node be exactly this.
    Replace(Path, pb::TypedValue),
    /// Adds or changes, and removes nothing.
    Update(Path, pb::TypedValue),
}

impl Wanted {
    /// Whether the tree has to say what it is about: something is left open.
    pub(in crate::gnmi) fn needs_tree(&self, schema: &Schema) -> bool {
        match self {
            Self::Delete(pattern) => pattern
                .as_path()
                .is_none_or(|path| steps(schema, &path) == Err(Refusal::KeysMissing)),
            Self::Replace(..) | Self::Update(..) => false,
        }
    }
}

/// The edits of a Set, and of each the operation that it comes from.
#[derive(Debug, Default)]
pub(in crate::gnmi) struct Plan {
    pub(in crate::gnmi) edits: Vec<Edit>,
    from: Vec<usize>,
}

impl Plan {
    /// Adds the edits of one operation. `expand` finds what a pattern names that leaves something open. Blocks.
    pub(in crate::gnmi) fn add(
        &mut self,
        schema: &Schema,
        (index, wanted): (usize, &Wanted),
        expand: &dyn Fn(&Pattern) -> Vec<Path>,
    ) -> Result<(), Refusal> {
        let edits = match wanted {
            Wanted::Delete(pattern) => deletes(schema, pattern, expand)?,
            Wanted::Replace(path, value) => written(schema, path, value, replaces)?,
            Wanted::Update(path, value) => written(schema, path, value, updates)?,
        };
        if self.edits.len() + edits.len() > MOST_EDITS {
            return Err(Refusal::TooMany);
        }
        self.from.extend(edits.iter().map(|_| index));
        self.edits.extend(edits);
        Ok(())
    }

    /// The operation that an error is about; the first where that is not known.
    pub(in crate::gnmi) fn operation(&self, error: &EditError) -> usize {
        match error {
            EditError::Fault {
                edit: Some(edit), ..
            } => self.from.get(*edit).copied().unwrap_or(0),
            _ => 0,
        }
    }
}

fn deletes(
    schema: &Schema,
    pattern: &Pattern,
    expand: &dyn Fn(&Pattern) -> Vec<Path>,
) -> Result<Vec<Edit>, Refusal> {
    let named = match pattern.as_path().map(|path| steps(schema, &path)) {
        Some(Ok(steps)) => vec![steps],
        Some(Err(Refusal::KeysMissing)) | None => {
            let paths = expand(pattern);
            let all = paths.iter().map(|path| steps(schema, path));
            // A wildcard covers state and keys too, which go with their entry or not at all.
            all.filter(|steps| match steps {
                Ok(steps) => !is_key(schema, steps),
                Err(refusal) => *refusal != Refusal::ReadOnly,
            })
            .collect::<Result<_, _>>()?
        }
        Some(Err(refusal)) => return Err(refusal),
    };
    let mut edits = Vec::with_capacity(named.len());
    for mut steps in named {
        if let [_, list] = steps.as_slice()
            && list.keys.is_empty()
        {
            steps.pop();
        }
        if steps.is_empty() {
            // The datastore stays; what is in it goes.
            for collection in schema.collections() {
                edits.push(remove(vec![container(collection.container)]));
            }
        } else {
            edits.push(remove(steps));
        }
    }
    Ok(edits)
}

/// Whether the steps lead to a key of an entry.
fn is_key(schema: &Schema, steps: &[Step]) -> bool {
    match steps {
        [.., entry, leaf] => schema.node(entry.node).keys.contains(&leaf.node),
        _ => false,
    }
}

/// From a node and its value to edits.
type Make = fn(&Schema, &[Step], &pb::TypedValue) -> Result<Vec<Edit>, Refusal>;

/// The edits of an update or a replace, of which `make` says what is theirs alone.
fn written(
    schema: &Schema,
    path: &Path,
    value: &pb::TypedValue,
    make: Make,
) -> Result<Vec<Edit>, Refusal> {
    let steps = steps(schema, path)?;
    let is_open = |step: &Step| schema.node(step.node).kind == Kind::List && step.keys.is_empty();
    if steps.last().is_some_and(is_open) {
        return Err(Refusal::KeysMissing);
    }
    match key(schema, &steps, value)? {
        Some(edit) => Ok(vec![edit]),
        None => make(schema, &steps, value),
    }
}

/// A key that is written makes its entry. It cannot be another than the path says (gNMI spec 3.4.5).
fn key(schema: &Schema, steps: &[Step], value: &pb::TypedValue) -> Result<Option<Edit>, Refusal> {
    let [above @ .., entry, leaf] = steps else {
        return Ok(None);
    };
    let mut keys = schema.node(entry.node).keys.iter().zip(&entry.keys);
    let Some((_, text)) = keys.find(|(key, _)| **key == leaf.node) else {
        return Ok(None);
    };
    if value::text(schema, leaf, value)?.as_ref() != Some(text) {
        return Err(Refusal::KeyConflict);
    }
    let entry = steps.get(..=above.len()).unwrap_or_default();
    Ok(Some(merge(schema, entry, None)))
}

fn replaces(schema: &Schema, steps: &[Step], value: &pb::TypedValue) -> Result<Vec<Edit>, Refusal> {
    let Some(value) = value::read(schema, steps, value)? else {
        return Ok(vec![remove(steps.to_vec())]);
    };
    let mut edits = Vec::new();
    if let [above @ .., _] = steps
        && above.len() > 1
    {
        // What it stands in is made where it is not there (gNMI spec 3.4.4).
        edits.push(merge(schema, above, None));
    }
    edits.push(Edit {
        target: steps.to_vec(),
        op: Op::Replace(value, None),
    });
    Ok(edits)
}

fn updates(schema: &Schema, steps: &[Step], value: &pb::TypedValue) -> Result<Vec<Edit>, Refusal> {
    let Some(value) = value::read(schema, steps, value)? else {
        return Ok(Vec::new());
    };
    Ok(vec![if steps.len() < 2 {
        Edit {
            target: steps.to_vec(),
            op: Op::Merge(value, false),
        }
    } else {
        merge(schema, steps, Some(value))
    }])
}

/// The merge of an entry of a collection, with `value` where the steps lead, and nothing else but keys on the way.
fn merge(schema: &Schema, steps: &[Step], value: Option<Json>) -> Edit {
    let mut inner = value;
    for (index, step) in steps.iter().enumerate().skip(1).rev() {
        let is_entry = schema.node(step.node).kind == Kind::List;
        let content = inner.take().unwrap_or_else(|| {
            Json::Object(if is_entry {
                value::keys(schema, step)
            } else {
                Map::new()
            })
        });
        if index == 1 {
            inner = Some(content);
            break;
        }
        let content = if is_entry {
            Json::Array(vec![content])
        } else {
            content
        };
        let above = steps.get(index - 1);
        let mut members = above.map_or_else(Map::new, |above| value::keys(schema, above));
        members.insert(schema.member(step.node), content);
        inner = Some(Json::Object(members));
    }
    Edit {
        target: steps.iter().take(2).cloned().collect(),
        op: Op::Merge(inner.unwrap_or_default(), false),
    }
}

const fn remove(target: Vec<Step>) -> Edit {
    Edit {
        target,
        op: Op::Remove,
    }
}

const fn container(node: crate::schema::NodeId) -> Step {
    Step {
        node,
        keys: Vec::new(),
    }
}

/// Edits of one Set: twice the largest collection that is planned for.
pub(super) const MOST_EDITS: usize = 20_000;

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Elem;
    use crate::model::Glob;
    use crate::model::Origin;
    use crate::schema::Source;
    use crate::wire::RFC7951;
    use crate::wire::proto::gnmi::typed_value::Value as Form;

    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::load(Source::Embedded).unwrap());

    fn planned(wanted: &Wanted) -> Result<Vec<Edit>, Refusal> {
        let mut plan = Plan::default();
        plan.add(&SCHEMA, (0, wanted), &|_| Vec::new())?;
        Ok(plan.edits)
    }

    fn path(names: &[&str], key: &str) -> Path {
        let elem = |name: &&str| match *name {
            "session" => Elem::with_keys("session", [("session-id", key)]),
            name => Elem::new(name),
        };
        Path::new(Origin::new(RFC7951), names.iter().map(elem).collect())
    }

    fn json(text: &str) -> pb::TypedValue {
        let value = Some(Form::JsonVal(text.to_owned().into()));
        pb::TypedValue { value }
    }

    #[test]
    fn leaf_becomes_a_merge_of_its_entry_and_nothing_else() {
        let leaf = path(&["sessions", "session", "metadata", "topology"], "s");
        let edits = planned(&Wanted::Update(leaf.clone(), json("[\"x\"]"))).unwrap();
        let [edit] = edits.as_slice() else {
            panic!("{edits:?}");
        };
        let entry = serde_json::json!({ "session-id": "s", "metadata": { "topology": ["x"] } });
        assert_eq!(edit.op, Op::Merge(entry, false));
        assert_eq!(edit.target.len(), 2);
        assert_eq!(
            planned(&Wanted::Update(leaf.clone(), json("null"))),
            Ok(Vec::new())
        );
        let gone = planned(&Wanted::Replace(leaf, json("null"))).unwrap();
        assert_eq!(gone[0].op, Op::Remove);
    }

    #[test]
    fn wildcards_spare_keys_and_state_and_have_a_limit() {
        let found = |leaf: &str| path(&["sessions", "session", leaf], "s");
        let expand = |_: &Pattern| vec![found("session-id"), found("status"), found("description")];
        let wanted = Wanted::Delete(Pattern {
            origin: Some(Origin::new(RFC7951)),
            elems: vec![Glob::AnyDepth],
        });
        let mut plan = Plan::default();
        plan.add(&SCHEMA, (0, &wanted), &expand).unwrap();
        assert_eq!(plan.edits.len(), 1, "{:?}", plan.edits);

        let many = |_: &Pattern| vec![found("description"); MOST_EDITS];
        let refused = plan.add(&SCHEMA, (1, &wanted), &many);
        assert_eq!(refused, Err(Refusal::TooMany));
        assert_eq!(plan.edits.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn nothing_that_a_peer_sets_panics(
            names in prop::collection::vec(
                prop::sample::select(vec!["sessions", "session", "metadata", "status", "x"]), 0..5
            ),
            key in any::<String>(),
            text in "[\\[\\]{}\":,a-z0-9\\\\\\x00-]{0,24}",
            scalar in any::<f64>(),
        ) {
            let path = path(&names, &key);
            for value in [
                json(&text),
                pb::TypedValue { value: Some(Form::StringVal(text.clone())) },
                pb::TypedValue { value: Some(Form::DoubleVal(scalar)) },
                pb::TypedValue::default(),
            ] {
                let _planned = planned(&Wanted::Update(path.clone(), value.clone()));
                let _planned = planned(&Wanted::Replace(path.clone(), value));
            }
            let _planned = planned(&Wanted::Delete(Pattern::from(&path)));
        }
    }
}
