//! The models that Capabilities lists, and what `use_models` selects.

use std::sync::Arc;

use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Origin;
use crate::model::Pattern;
use crate::schema::Module;
use crate::schema::Schema;
use crate::wire::RFC7951;
use crate::wire::proto::gnmi as pb;

use super::error::Error;
use super::error::Shown;

/// What the gateway itself measures. Published telemetry is free-form and has no model; that of the datastore is the
/// schema's.
const MEASUREMENTS: (&str, &str, &str) = ("accedian-session", "2023-10-23", "accedian");

/// Who has made the modules that the gateway serves.
const ORGANIZATION: &str = "Accedian";

/// What is left of the data once models are named: a root of an origin, or all of it.
#[derive(Clone)]
struct Area {
    origin: Origin,
    root: Option<Arc<str>>,
}

/// The models as Capabilities lists them.
pub(super) fn supported(schema: &Schema) -> Vec<pb::ModelData> {
    let data = |name: &str, version: &str| pb::ModelData {
        name: name.to_owned(),
        organization: ORGANIZATION.to_owned(),
        version: version.to_owned(),
    };
    let (name, version, _) = MEASUREMENTS;
    let provisioned = schema.modules().iter().filter(|module| is_ours(module));
    std::iter::once(data(name, version))
        .chain(provisioned.map(|module| data(&module.name, &module.revision)))
        .collect()
}

/// Narrows patterns to the models named; without any, nothing is narrowed (gNMI spec 2.6). Returns for each pattern
/// what is left of it. A module of the datastore stands for its top-level containers; one that only adds to others has
/// none.
///
/// # Errors
///
/// [`Error::UnknownModel`] for a model that Capabilities does not list.
pub(super) fn narrow(
    patterns: Vec<Pattern>,
    use_models: &[pb::ModelData],
    schema: &Schema,
) -> Result<Vec<Vec<Pattern>>, Error> {
    if use_models.is_empty() {
        return Ok(patterns.into_iter().map(|pattern| vec![pattern]).collect());
    }
    let mut areas = Vec::new();
    for asked in use_models {
        areas.extend(areas_of(asked, schema)?);
    }
    let narrow_one = |pattern: Pattern| {
        let parts = areas.iter().filter_map(|area| within(&pattern, area));
        parts.collect()
    };
    Ok(patterns.into_iter().map(narrow_one).collect())
}

/// The part of a pattern that an area has.
fn within(pattern: &Pattern, area: &Area) -> Option<Pattern> {
    if pattern.origin.as_ref().is_some_and(|it| *it != area.origin) {
        return None;
    }
    let mut part = Pattern {
        origin: Some(area.origin.clone()),
        ..pattern.clone()
    };
    let Some(root) = &area.root else {
        return Some(part);
    };
    match part.elems.first_mut() {
        None => part.elems.push(Glob::One(GlobElem {
            name: Some(Arc::clone(root)),
            keys: Vec::new(),
            labels: Vec::new(),
        })),
        Some(Glob::One(first)) => match &first.name {
            Some(name) if name != root => return None,
            _ => first.name = Some(Arc::clone(root)),
        },
        // Any depth begins below the root, too.
        Some(Glob::AnyDepth) => part.elems.insert(
            0,
            Glob::One(GlobElem {
                name: Some(Arc::clone(root)),
                keys: Vec::new(),
                labels: Vec::new(),
            }),
        ),
    }
    Some(part)
}

fn areas_of(asked: &pb::ModelData, schema: &Schema) -> Result<Vec<Area>, Error> {
    let fits = |name: &str, version: &str| {
        name == asked.name && (asked.version.is_empty() || asked.version == version)
    };
    let (name, version, origin) = MEASUREMENTS;
    if fits(name, version) {
        return Ok(vec![Area {
            origin: Origin::new(origin),
            root: None,
        }]);
    }
    let mut ours = schema.modules().iter().filter(|module| is_ours(module));
    let Some(module) = ours.find(|module| fits(&module.name, &module.revision)) else {
        return Err(Error::UnknownModel(Shown::new(&asked.name)));
    };
    let roots = schema.collections().iter().filter_map(|collection| {
        let node = schema.node(collection.container);
        (node.module == module.name).then(|| Area {
            origin: Origin::new(RFC7951),
            root: Some(Arc::from(node.name.as_str())),
        })
    });
    Ok(roots.collect())
}

/// The IETF's modules are about RESTCONF itself.
fn is_ours(module: &Module) -> bool {
    module.is_implemented && !module.name.starts_with("ietf-")
}
