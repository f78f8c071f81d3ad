//! GetRequest (gNMI spec 3.3.1).

use crate::gnmi::config::Config;
use crate::gnmi::error::Error;
use crate::gnmi::error::Place;
use crate::gnmi::model::narrow;
use crate::model::Nature;
use crate::model::Pattern;
use crate::model::TargetSelector;
use crate::schema::Schema;
use crate::wire::Encoding;
use crate::wire::parse_encoding;
use crate::wire::path_text;
use crate::wire::proto::gnmi as pb;

use super::extension::read_depth;
use super::paths::Prefix;
use super::paths::check_count;

/// A parsed GetRequest.
#[derive(Debug)]
pub(in crate::gnmi) struct GetRequest {
    pub(in crate::gnmi) selector: TargetSelector,
    /// One per path of the request: what of it is left after `use_models`, and its text for messages.
    pub(in crate::gnmi) paths: Vec<(Vec<Pattern>, String)>,
    pub(in crate::gnmi) encoding: Encoding,
    /// Configuration alone, state alone, or both.
    pub(in crate::gnmi) nature: Option<Nature>,
    pub(in crate::gnmi) depth: Option<u32>,
}

/// Reads a GetRequest. Without any path, the prefix is the path.
pub(in crate::gnmi) fn read_get(
    request: &pb::GetRequest,
    config: &Config,
    schema: &Schema,
) -> Result<GetRequest, Error> {
    let encoding = parse_encoding(request.encoding)?;
    let depth = read_depth(&request.extension)?;
    check_count("path", request.path.len(), config.max_paths)?;
    let nature = match pb::get_request::DataType::try_from(request.r#type) {
        Ok(pb::get_request::DataType::All) => None,
        Ok(pb::get_request::DataType::Config) => Some(Nature::Config),
        // Without a schema, what a source reports is both.
        Ok(pb::get_request::DataType::State | pb::get_request::DataType::Operational) => {
            Some(Nature::State)
        }
        Err(_) => {
            return Err(Error::Field {
                field: "type",
                problem: "unknown number",
            });
        }
    };
    let root = [pb::Path::default()];
    let asked = if request.path.is_empty() {
        &root[..]
    } else {
        &request.path
    };
    let prefix = Prefix::read(request.prefix.as_ref(), asked.iter())?;
    let mut patterns = Vec::with_capacity(asked.len());
    for (index, path) in asked.iter().enumerate() {
        patterns.push(prefix.pattern(
            Place {
                field: "path",
                index,
            },
            path,
        )?);
    }
    let texts = asked
        .iter()
        .map(|path| path_text(request.prefix.as_ref(), Some(path)));
    Ok(GetRequest {
        selector: prefix.selector(),
        paths: narrow(patterns, &request.use_models, schema)?
            .into_iter()
            .zip(texts)
            .collect(),
        encoding,
        nature,
        depth,
    })
}
