//! The tree against a naive map.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::strategies;
use super::strategies::covers;
use super::strategies::levels_below;
use crate::model::Nature;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Value;
use crate::telemetry::leaf::Leaf;
use crate::telemetry::leaf::State;
use crate::telemetry::tree::Tree;

#[derive(Clone, Debug)]
enum Op {
    Delete(Pattern),
    Put(Path),
    Walk(Pattern, Option<u32>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => strategies::path().prop_map(Op::Put),
        1 => strategies::pattern().prop_map(Op::Delete),
        4 => (strategies::pattern(), prop::option::weighted(0.4, 0..4_u32))
            .prop_map(|(pattern, depth)| Op::Walk(pattern, depth)),
    ]
}

fn leaf(id: u64, path: Path) -> Arc<Leaf> {
    let state = State::new(Value::Empty, Timestamp::EPOCH, Nature::State, 1);
    Arc::new(Leaf::new(id, Target::own(), path, state))
}

fn fits_shape(naive: &BTreeMap<Path, u64>, path: &Path) -> bool {
    let mut known = naive.keys();
    !known.any(|known| known.is_under(path) || path.is_under(known))
}

fn check_walk(tree: &Tree, naive: &BTreeMap<Path, u64>, pattern: &Pattern, depth: Option<u32>) {
    let mut walked = Vec::new();
    tree.walk(pattern, depth, &mut |leaf| walked.push(leaf.path.clone()));
    let once: BTreeSet<_> = walked.iter().cloned().collect();
    assert_eq!(once.len(), walked.len(), "each leaf once");
    let covered = naive.keys().filter(|path| covers(pattern, depth, path));
    assert_eq!(once, covered.cloned().collect());
    for path in naive.keys() {
        let is_covered = tree.is_covered(pattern, depth, path);
        assert_eq!(is_covered, once.contains(path), "{path}");
    }
}

/// Deletes what the pattern names; each named node is the one nearest to the root.
fn check_delete(tree: &mut Tree, naive: &mut BTreeMap<Path, u64>, pattern: &Pattern) {
    let named = tree.named(pattern);
    let mut removed = BTreeSet::new();
    for (root, leaves) in named {
        for leaf in leaves {
            assert!(leaf.path.is_under(&root));
            let above = leaf.path.elems.len() - root.elems.len();
            let farthest = levels_below(pattern, &leaf.path).into_iter().max();
            assert_eq!(farthest, Some(above));
            tree.remove(&leaf);
            assert!(removed.insert(leaf.path.clone()), "each leaf once");
        }
    }
    let covered = naive.keys().filter(|path| covers(pattern, None, path));
    assert_eq!(removed, covered.cloned().collect());
    naive.retain(|path, _| !removed.contains(path));
}

proptest! {
    #[test]
    fn tree_equals_a_naive_map(ops in vec(op(), 1..60)) {
        let (mut tree, mut naive) = (Tree::default(), BTreeMap::new());
        for (id, op) in (0..).zip(ops) {
            match op {
                Op::Delete(pattern) => check_delete(&mut tree, &mut naive, &pattern),
                Op::Put(path) if naive.contains_key(&path) => {
                    prop_assert_eq!(tree.find(&path).unwrap().id, naive[&path]);
                }
                Op::Put(path) => {
                    prop_assert!(tree.find(&path).is_none());
                    let fits = fits_shape(&naive, &path);
                    prop_assert_eq!(tree.check_shape(&path).is_ok(), fits);
                    if fits {
                        tree.insert(&leaf(id, path.clone()));
                        naive.insert(path, id);
                    }
                }
                Op::Walk(pattern, depth) => check_walk(&tree, &naive, &pattern, depth),
            }
            prop_assert_eq!(tree.is_empty(), naive.is_empty());
        }
        check_walk(&tree, &naive, &Pattern::default(), None);
    }
}
