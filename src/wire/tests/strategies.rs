//! Arbitrary names, paths and values.

use proptest::collection::btree_map;
use proptest::collection::vec;
use proptest::prelude::*;

use super::leaf_list;
use crate::model::Elem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Target;
use crate::model::Value;

/// Text rich in what path-strings and JSON treat specially.
pub(super) fn text(
    len: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = String> {
    let special = prop::sample::select("]\\/[=*.:\n\r\"{}\u{0}n".chars().collect::<Vec<_>>());
    vec(prop_oneof![special, any::<char>()], len).prop_map(String::from_iter)
}

pub(super) fn path() -> impl Strategy<Value = Path> {
    let elem = (text(1..8), btree_map(text(1..6), text(0..6), 0..3))
        .prop_map(|(name, keys)| Elem::with_keys(name, keys));
    let origin = prop_oneof![Just(""), Just("accedian"), Just("sonic-db")];
    (origin, vec(elem, 0..6)).prop_map(|(origin, elems)| Path::new(Origin::new(origin), elems))
}

pub(super) fn target() -> impl Strategy<Value = Target> {
    text(0..6).prop_map(Target::new)
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => scalar(),
        1 => vec(scalar(), 0..5).prop_map(|values| leaf_list(&values)),
        1 => Just(Value::Json("[{\"a\":1}]".into())),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        vec(any::<u8>(), 0..80).prop_map(|bytes| Value::Bytes(bytes.into())),
        (any::<i64>(), 0..=18_u8)
            .prop_map(|(digits, precision)| Value::Decimal { digits, precision }),
        prop::num::f64::ANY.prop_map(Value::Double),
        Just(Value::Empty),
        any::<i64>().prop_map(Value::Int),
        any::<i32>().prop_map(|value| Value::Narrow(value.into())),
        text(0..100).prop_map(Value::string),
        any::<u64>().prop_map(Value::Uint),
    ]
}
