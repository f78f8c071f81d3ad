//! Properties, and comparisons that need more than one file of the room.

mod frames;
mod json;
mod paths;
mod strategies;
mod values;

use std::sync::Arc;

use crate::model::Elem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Value;
use crate::wire::Origins;
use crate::wire::parse_path_text;
use crate::wire::proto::gnmi as pb;
use crate::wire::read_path;

/// A resolved path from its text.
fn path(text: &str) -> Path {
    read_path(None, &parse_path_text(text).unwrap(), &Origins::gateway()).unwrap()
}

fn typed(form: pb::typed_value::Value) -> pb::TypedValue {
    pb::TypedValue { value: Some(form) }
}

fn json(text: &str) -> pb::TypedValue {
    typed(pb::typed_value::Value::JsonVal(text.to_owned().into()))
}

fn leaf_list(values: &[Value]) -> Value {
    Value::LeafList(Arc::from(values))
}

#[test]
fn model_paths_print_as_wire_reads_them() {
    let elem = Elem::with_keys("a/b\n", [("k=]", "v]\\\r")]);
    let given = Path::new(Origin::new("accedian"), vec![elem, Elem::new("[c]")]);
    assert_eq!(path(&given.to_string()), given);
}
