//! Arbitrary paths and patterns of a small world, so that they meet.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::Elem;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c"])
}

/// Keys of one of few forms: `list` has entries with different key names.
fn elem() -> impl Strategy<Value = Elem> {
    let key = || prop::sample::select(vec!["1", "2"]);
    prop_oneof![
        3 => name().prop_map(Elem::new),
        2 => (name(), key()).prop_map(|(name, k)| Elem::with_keys(name, [("k", k)])),
        1 => (name(), key(), key())
            .prop_map(|(name, k, l)| Elem::with_keys(name, [("k", k), ("l", l)])),
        1 => (name(), key()).prop_map(|(name, l)| Elem::with_keys(name, [("l", l)])),
    ]
}

pub(super) fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![4 => Just(Origin::new("")), 1 => Just(Origin::new("accedian"))]
}

pub(super) fn path() -> impl Strategy<Value = Path> {
    (origin(), vec(elem(), 0..5)).prop_map(|(origin, elems)| Path::new(origin, elems))
}

fn glob() -> impl Strategy<Value = Glob> {
    let value = || {
        prop_oneof![
            3 => Just(None),
            1 => Just(Some(None)),
            2 => prop::sample::select(vec![Some(Some("1")), Some(Some("2"))]),
        ]
    };
    let one = (prop::option::weighted(0.8, name()), value(), value()).prop_map(|(name, k, l)| {
        let keys = [("k", k), ("l", l)];
        let keys = keys.into_iter();
        Glob::One(GlobElem {
            name: name.map(Into::into),
            keys: keys
                .filter_map(|(key, value)| Some((key.into(), value?.map(Into::into))))
                .collect(),
            labels: Vec::new(),
        })
    });
    prop_oneof![5 => one, 1 => Just(Glob::AnyDepth)]
}

pub(super) fn pattern() -> impl Strategy<Value = Pattern> {
    (prop::option::weighted(0.8, origin()), vec(glob(), 0..5))
        .prop_map(|(origin, elems)| Pattern { origin, elems })
}

pub(super) fn target() -> impl Strategy<Value = Target> {
    prop::sample::select(vec!["", "r1", "r2"]).prop_map(Target::new)
}

pub(super) fn selector() -> impl Strategy<Value = TargetSelector> {
    prop_oneof![
        Just(TargetSelector::All),
        proptest::collection::btree_set(target(), 0..3)
            .prop_map(|some| TargetSelector::Among(some.into_iter().collect())),
        target().prop_map(TargetSelector::One)
    ]
}

/// By brute force: the numbers of levels by which `path` lies below nodes that the pattern names.
pub(super) fn levels_below(pattern: &Pattern, path: &Path) -> Vec<usize> {
    if pattern
        .origin
        .as_ref()
        .is_some_and(|origin| *origin != path.origin)
    {
        return Vec::new();
    }
    let named = (0..=path.elems.len()).filter(|&named| fits(&pattern.elems, &path.elems[..named]));
    named.map(|named| path.elems.len() - named).collect()
}

fn fits(globs: &[Glob], elems: &[Elem]) -> bool {
    match globs.split_first() {
        None => elems.is_empty(),
        Some((Glob::AnyDepth, rest)) => (0..=elems.len()).any(|skip| fits(rest, &elems[skip..])),
        Some((Glob::One(glob), rest)) => elems
            .split_first()
            .is_some_and(|(elem, elems)| glob.matches(elem) && fits(rest, elems)),
    }
}

pub(super) fn covers(pattern: &Pattern, depth: Option<u32>, path: &Path) -> bool {
    let is_near = |below: &usize| depth.is_none_or(|depth| *below <= depth as usize);
    levels_below(pattern, path).iter().any(is_near)
}

pub(super) fn is_selected(selector: &TargetSelector, target: &Target) -> bool {
    match selector {
        TargetSelector::All => !target.is_own(),
        TargetSelector::Among(some) => some.iter().any(|one| one == target),
        TargetSelector::One(one) => one == target,
    }
}
