//! SetRequest (gNMI spec 3.4.1).

use crate::gnmi::config::Config;
use crate::gnmi::error::Error;
use crate::gnmi::error::Place;
use crate::gnmi::provisioned::Wanted;
use crate::gnmi::provisioned::is_provisioned;
use crate::model::Edit;
use crate::model::Path;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::Update;
use crate::wire::is_empty_object;
use crate::wire::proto::gnmi as pb;
use crate::wire::proto::gnmi_ext as ext;
use crate::wire::read_updates;
use crate::wire::value_of;

use super::extension::read_arbitration;
use super::paths::Prefix;
use super::paths::check_count;

/// A parsed SetRequest.
#[derive(Debug)]
pub(in crate::gnmi) struct SetRequest {
    /// As the client wrote it: the answer's paths are relative to it too.
    pub(in crate::gnmi) prefix: Option<pb::Path>,
    /// Whose tree: one, since a Set is all or nothing (gNMI rule 36).
    pub(in crate::gnmi) target: Target,
    /// In the order in which they are carried out (gNMI spec 3.4).
    pub(in crate::gnmi) operations: Vec<Operation>,
    pub(in crate::gnmi) arbitration: Option<ext::MasterArbitration>,
}

/// One operation, as it is answered and as it is carried out.
#[derive(Debug)]
pub(in crate::gnmi) struct Operation {
    pub(in crate::gnmi) kind: pb::update_result::Operation,
    /// As the client wrote it.
    pub(in crate::gnmi) path: pb::Path,
    pub(in crate::gnmi) place: Place,
    pub(in crate::gnmi) change: Change,
}

/// What an operation changes.
#[derive(Debug)]
pub(in crate::gnmi) enum Change {
    /// The datastore, which has a schema.
    Provisioned(Wanted),
    /// Free-form data.
    Telemetry(Edit),
}

/// Reads a SetRequest: deletes, then replaces, then updates, each in their order. None at all is no error.
pub(in crate::gnmi) fn read_set(
    request: &pb::SetRequest,
    config: &Config,
) -> Result<SetRequest, Error> {
    let arbitration = read_arbitration(&request.extension)?;
    let pb::SetRequest {
        delete,
        replace,
        update,
        union_replace,
        ..
    } = request;
    check_mixture(request)?;
    let count = delete.len() + replace.len() + update.len() + union_replace.len();
    check_count("operations", count, config.max_paths)?;
    let updated = replace.iter().chain(update).chain(union_replace);
    let paths = delete
        .iter()
        .chain(updated.filter_map(|update| update.path.as_ref()));
    let prefix = Prefix::read(request.prefix.as_ref(), paths)?;
    let TargetSelector::One(target) = prefix.selector() else {
        return Err(Error::Field {
            field: "prefix",
            problem: "target must name one target",
        });
    };

    let mut operations = Vec::with_capacity(count);
    for (index, path) in delete.iter().enumerate() {
        operations.push(read_deleted((prefix, &target), index, path)?);
    }
    for (field, kind, written) in [
        ("replace", pb::update_result::Operation::Replace, replace),
        ("update", pb::update_result::Operation::Update, update),
        (
            "union_replace",
            pb::update_result::Operation::UnionReplace,
            union_replace,
        ),
    ] {
        for (index, update) in written.iter().enumerate() {
            let place = Place { field, index };
            operations.push(read_written((prefix, &target), place, kind, update)?);
        }
    }
    check_one_kind(&operations)?;
    let prefix = request.prefix.clone();
    Ok(SetRequest {
        prefix,
        target,
        operations,
        arbitration,
    })
}

/// The datastore and the telemetry tree have no transaction together, and a Set is all or nothing.
fn check_one_kind(operations: &[Operation]) -> Result<(), Error> {
    let is_telemetry = |it: &&Operation| matches!(it.change, Change::Telemetry(_));
    let telemetry = operations.iter().filter(is_telemetry).count();
    if telemetry == 0 || telemetry == operations.len() {
        return Ok(());
    }
    Err(Error::Field {
        field: "path",
        problem: "origin rfc7951 cannot be set together with others",
    })
}

/// A union_replace says all there is, so nothing else goes with it (gNMI spec 3.4.3).
fn check_mixture(request: &pb::SetRequest) -> Result<(), Error> {
    let others = request.delete.len() + request.replace.len() + request.update.len();
    if request.union_replace.is_empty() || others == 0 {
        return Ok(());
    }
    let problem = "cannot be mixed with other operations";
    Err(Error::Field {
        field: "union_replace",
        problem,
    })
}

fn read_deleted(
    (prefix, target): (Prefix<'_>, &Target),
    index: usize,
    path: &pb::Path,
) -> Result<Operation, Error> {
    let field = "delete";
    let place = Place { field, index };
    let pattern = prefix.pattern(place, path)?;
    Ok(Operation {
        kind: pb::update_result::Operation::Delete,
        path: path.clone(),
        place,
        change: match &pattern.origin {
            Some(origin) if target.is_own() && is_provisioned(origin) => {
                Change::Provisioned(Wanted::Delete(pattern))
            }
            _ => Change::Telemetry(Edit::Delete(pattern)),
        },
    })
}

fn read_written(
    (prefix, target): (Prefix<'_>, &Target),
    place: Place,
    kind: pb::update_result::Operation,
    update: &pb::Update,
) -> Result<Operation, Error> {
    let path = update.path.clone().unwrap_or_default();
    let node = prefix.path(place, &path)?;
    let value = value_of(update).map_err(|source| Error::Value { place, source })?;
    let is_entry = node
        .elems
        .last()
        .is_some_and(|elem| !elem.keys().is_empty());
    let is_empty = is_empty_object(&value);
    let replaces = kind != pb::update_result::Operation::Update;
    if replaces && is_empty && is_entry {
        // gNMI spec 3.4.4: a list entry cannot be replaced with nothing; it can be deleted.
        return Err(Error::EmptyEntry(place));
    }
    let change = if target.is_own() && is_provisioned(&node.origin) {
        let value = value.into_owned();
        Change::Provisioned(if replaces {
            Wanted::Replace(node, value)
        } else {
            Wanted::Update(node, value)
        })
    } else {
        let updates = if is_empty {
            Vec::new()
        } else {
            read_updates(&node, &value).map_err(|source| Error::Value { place, source })?
        };
        Change::Telemetry(edit(replaces, node, updates))
    };
    Ok(Operation {
        kind,
        path,
        place,
        change,
    })
}

fn edit(replaces: bool, node: Path, updates: Vec<Update>) -> Edit {
    if replaces {
        Edit::Replace(node, updates)
    } else {
        Edit::Update(updates)
    }
}
