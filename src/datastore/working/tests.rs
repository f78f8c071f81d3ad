//! Edits of lists that are long enough to be opened.

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
        4 => (vec![endpoint], Op::Merge(value, other % 2 == 0)),
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
