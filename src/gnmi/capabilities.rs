//! Capabilities (gNMI spec 3.2).

use crate::schema::Schema;
use crate::wire::GNMI_VERSION;
use crate::wire::proto::gnmi as pb;

use super::error::Error;
use super::model;
use super::request;

/// What the gateway speaks. JSON comes first: pygnmi takes the first that it knows.
pub(super) fn capabilities(
    request: &pb::CapabilityRequest,
    schema: &Schema,
) -> Result<pb::CapabilityResponse, Error> {
    request::refuse_depth(&request.extension)?;
    Ok(pb::CapabilityResponse {
        supported_models: model::supported(schema),
        supported_encodings: vec![
            pb::Encoding::Json.into(),
            pb::Encoding::JsonIetf.into(),
            pb::Encoding::Proto.into(),
        ],
        g_nmi_version: GNMI_VERSION.to_owned(),
        extension: Vec::new(),
    })
}
