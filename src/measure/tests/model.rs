//! What is published, held against the module `accedian-session` that Capabilities names.

use std::collections::BTreeSet;
use std::path::Path as File;

use crate::model::Path;
use crate::model::Value;
use crate::schema::Format;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Source;
use crate::wire::Encoding;
use crate::wire::proto::gnmi::typed_value::Value as Form;
use crate::wire::write_subtree;

use super::super::config::SequenceMode;
use super::super::object::Location;
use super::simulation::Simulation;
use super::simulation::clean;

/// Leaves of the model that nothing measures, with the reason.
const UNMEASURED: &[(&str, &str)] = &[
    ("ip-tos-max", "the header of a received packet is not seen"),
    ("ip-tos-min", "the header of a received packet is not seen"),
    ("periods-lost", "what a period is, is not published"),
    ("sync-quality", "its unit is not published"),
    ("sync-state", "its values are not published"),
    ("ttl-max", "the header of a received packet is not seen"),
    ("ttl-min", "the header of a received packet is not seen"),
    (
        "vlan-pbit-max",
        "the header of a received packet is not seen",
    ),
    (
        "vlan-pbit-min",
        "the header of a received packet is not seen",
    ),
];

fn schema() -> Schema {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/proto/yang/gnmi");
    Schema::load(Source::Folder(File::new(folder))).unwrap()
}

/// All that can be published; a metric without a value in this report has the smallest that its type knows.
fn published() -> Vec<(Path, Value)> {
    let mut network = Simulation::new(SequenceMode::Stateful);
    network.send(&clean());
    let mut object = super::object();
    object.topology = vec!["core".into(), "edge".into()];
    object.source = Some(Location::from_degrees(48.123_456_7, -2.0).unwrap());
    object.destination = object.source;
    let smallest = Value::Decimal {
        digits: 1,
        precision: 5,
    };
    let mut leaves = Vec::new();
    for notification in object.notifications(&network.report(0)) {
        for update in notification.updates {
            leaves.push((update.path, update.value));
        }
        for pattern in &notification.deletes {
            leaves.push((pattern.as_path().unwrap(), smallest.clone()));
        }
    }
    leaves
}

fn names(path: &Path) -> String {
    let names = path.elems.iter().map(|elem| elem.name().to_string());
    names.collect::<Vec<_>>().join("/")
}

fn leaves_below(schema: &Schema, at: NodeId, found: &mut BTreeSet<String>) {
    let node = schema.node(at);
    for &child in node.children.iter().filter(|it| !node.keys.contains(it)) {
        if matches!(schema.node(child).kind, Kind::Leaf | Kind::LeafList) {
            let way = schema.ancestry(child);
            let names = way.iter().map(|id| schema.node(*id).name.clone());
            found.insert(names.collect::<Vec<_>>().join("/"));
        }
        leaves_below(schema, child, found);
    }
}

#[test]
fn every_leaf_that_is_published_is_in_the_model_with_that_type() {
    let schema = schema();
    let leaves = published();
    let root = Path::new(leaves[0].0.origin.clone(), Vec::new());
    let Some(Form::JsonIetfVal(text)) = write_subtree(&root, &leaves, Encoding::JsonIetf).value
    else {
        panic!("another encoding");
    };
    let text = String::from_utf8(text.to_vec()).unwrap();
    let parsed = schema.parse(&[], &text, Format::Json);
    assert!(parsed.is_ok(), "{parsed:?}");
    // The same text with one digit more is refused, so the types are looked at.
    let wrong = text.replacen("0.00001", "0.000001", 1);
    assert_ne!(wrong, text);
    assert!(schema.parse(&[], &wrong, Format::Json).is_err());
}

#[test]
fn every_leaf_of_the_model_is_published_or_has_a_reason_why_not() {
    let schema = schema();
    let top = schema.find(None, "accedian-session:object-type").unwrap();
    let mut model = BTreeSet::new();
    leaves_below(&schema, top, &mut model);
    let published: BTreeSet<String> = published().iter().map(|(path, _)| names(path)).collect();
    let metrics = "object-type/twamp-sf/monitored-objects/monitored-object/metrics";
    let unmeasured: BTreeSet<String> = UNMEASURED
        .iter()
        .map(|(leaf, reason)| {
            assert!(!reason.is_empty());
            format!("{metrics}/{leaf}")
        })
        .collect();
    assert!(published.is_disjoint(&unmeasured));
    assert_eq!(&published | &unmeasured, model);
    assert_eq!(
        model.iter().filter(|it| it.starts_with(metrics)).count(),
        53
    );
}
