//! The models that Capabilities lists, and what `use_models` selects.

use crate::model::Origin;
use crate::model::Pattern;
use crate::wire::proto::gnmi as pb;

use super::error::Error;
use super::error::Shown;

/// One model, and the origin under which its data is.
struct Model {
    name: &'static str,
    organization: &'static str,
    version: &'static str,
    origin: &'static str,
}

/// What the gateway itself has data of. Published telemetry is free-form and has no model.
const MODELS: &[Model] = &[Model {
    name: "accedian-session",
    organization: "Accedian",
    version: "2023-10-23",
    origin: "accedian",
}];

/// The models as Capabilities lists them.
pub(super) fn supported() -> Vec<pb::ModelData> {
    let data = |model: &Model| pb::ModelData {
        name: model.name.to_owned(),
        organization: model.organization.to_owned(),
        version: model.version.to_owned(),
    };
    MODELS.iter().map(data).collect()
}

/// Narrows patterns to the models named; without any, nothing is narrowed (gNMI spec 2.6). Returns for each pattern
/// what is left of it.
///
/// # Errors
///
/// [`Error::UnknownModel`] for a model that Capabilities does not list.
pub(super) fn narrow(
    patterns: Vec<Pattern>,
    use_models: &[pb::ModelData],
) -> Result<Vec<Vec<Pattern>>, Error> {
    if use_models.is_empty() {
        return Ok(patterns.into_iter().map(|pattern| vec![pattern]).collect());
    }
    let origins = use_models
        .iter()
        .map(origin_of)
        .collect::<Result<Vec<_>, _>>()?;
    let narrow_one = |pattern: Pattern| match &pattern.origin {
        Some(origin) if origins.contains(origin) => vec![pattern],
        Some(_) => Vec::new(),
        None => {
            let with = |origin: &Origin| Pattern {
                origin: Some(origin.clone()),
                ..pattern.clone()
            };
            origins.iter().map(with).collect()
        }
    };
    Ok(patterns.into_iter().map(narrow_one).collect())
}

fn origin_of(asked: &pb::ModelData) -> Result<Origin, Error> {
    let fits = |model: &&Model| {
        model.name == asked.name && (asked.version.is_empty() || asked.version == model.version)
    };
    match MODELS.iter().find(fits) {
        Some(model) => Ok(Origin::new(model.origin)),
        None => Err(Error::UnknownModel(Shown::new(&asked.name))),
    }
}
