//! Get (gNMI spec 3.3).

use crate::iam::Permit;
use crate::model::Path;
use crate::model::TargetSelector;
use crate::schema::Schema;
use crate::telemetry::Node;
use crate::wire::Encoding;
use crate::wire::proto::gnmi as pb;
use crate::wire::write_path;
use crate::wire::write_subtree;
use crate::wire::write_subtree_of;
use crate::wire::write_value;

use super::error::Error;
use super::error::Shown;
use super::provisioned::is_provisioned;
use super::provisioned::module;
use super::reach::once_each;
use super::request::GetRequest;
use super::service::Shared;

/// Answers a Get: one Notification per path, or for `*` one per path and target. Paths are fully resolved.
///
/// # Errors
///
/// [`Error::NothingThere`] for a path with nothing in it, [`Error::UnknownTarget`].
pub(super) fn get(
    shared: &Shared,
    permit: &Permit,
    request: &GetRequest,
) -> Result<pb::GetResponse, Error> {
    let tenant = permit.tenant();
    let core = &shared.core;
    let schema = shared.mirror.datastore().schema();
    if let TargetSelector::One(target) = &request.selector
        && !core.has_target(tenant, target)
    {
        return Err(Error::UnknownTarget(Shown::new(target.as_str())));
    }
    let mut response = pb::GetResponse::default();
    for (patterns, text) in &request.paths {
        let mut nodes = Vec::new();
        for pattern in patterns {
            nodes.extend(core.nodes(tenant, &request.selector, pattern, request.depth));
        }
        if patterns.len() > 1 {
            once_each(&mut nodes);
            // Grouped by target, whichever pattern has found them.
            nodes.sort_by(|a, b| a.target.cmp(&b.target));
        }
        for node in &mut nodes {
            let asked = |nature| request.nature.is_none_or(|asked| asked == nature);
            node.readings.retain(|reading| asked(reading.nature));
        }
        nodes.retain(|node| !node.readings.is_empty());
        if nodes.is_empty() {
            return Err(Error::NothingThere(Shown::new(text)));
        }
        let at = shared.clock.now().nanos();
        response
            .notification
            .extend(notifications(&nodes, request.encoding, at, schema));
    }
    Ok(response)
}

/// One Notification per target. `nodes` come grouped by it.
fn notifications(
    nodes: &[Node],
    encoding: Encoding,
    timestamp: i64,
    schema: &Schema,
) -> impl Iterator<Item = pb::Notification> {
    nodes
        .chunk_by(|a, b| a.target == b.target)
        .map(move |nodes| {
            let target = nodes.first().map_or("", |node| node.target.as_str());
            // The target is repeated if the request named one, and only then (gNMI spec 2.2.2.1).
            let prefix = (!target.is_empty()).then(|| pb::Path {
                target: target.to_owned(),
                ..pb::Path::default()
            });
            pb::Notification {
                timestamp,
                prefix,
                update: nodes
                    .iter()
                    .flat_map(|node| updates(node, encoding, schema))
                    .collect(),
                ..pb::Notification::default()
            }
        })
}

/// In JSON one value for the whole node, in PROTO one per leaf (gNMI spec 2.3).
fn updates(node: &Node, encoding: Encoding, schema: &Schema) -> Vec<pb::Update> {
    let update = |path: &Path, val| pb::Update {
        path: Some(write_path(path)),
        val: Some(val),
        ..pb::Update::default()
    };
    if encoding == Encoding::Proto {
        let leaf = |reading: &crate::telemetry::Reading| {
            update(&reading.path, write_value(&reading.value, encoding))
        };
        return node.readings.iter().map(leaf).collect();
    }
    let leaves: Vec<_> = node
        .readings
        .iter()
        .map(|reading| (reading.path.clone(), reading.value.clone()))
        .collect();
    let value = if node.target.is_own() && is_provisioned(&node.path.origin) {
        write_subtree_of(&node.path, &leaves, encoding, &|elems| {
            module(schema, elems)
        })
    } else {
        write_subtree(&node.path, &leaves, encoding)
    };
    vec![update(&node.path, value)]
}
