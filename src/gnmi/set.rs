//! Set (gNMI spec 3.4).

use crate::clock::Clock;
use crate::iam::Permit;
use crate::model::Edit;
use crate::telemetry::Core;
use crate::wire::proto::gnmi as pb;

use super::arbitration::Arbitration;
use super::error::Error;
use super::request::Operation;
use super::request::SetRequest;

/// Carries out a Set: all of it, or nothing. One result per operation, in the order of execution.
pub(super) fn set(
    core: &Core,
    clock: &Clock,
    arbitration: &Arbitration,
    permit: &Permit,
    request: SetRequest,
) -> Result<pb::SetResponse, Error> {
    arbitration.admit(permit.tenant(), request.arbitration.as_ref())?;
    let at = clock.now();
    let (mut edits, mut results) = (Vec::<Edit>::new(), Vec::new());
    for Operation { kind, path, edit } in request.operations {
        edits.push(edit);
        results.push(pb::UpdateResult {
            path: Some(path),
            op: kind.into(),
            ..pb::UpdateResult::default()
        });
    }
    if !edits.is_empty() {
        core.set(permit.tenant(), &request.target, at, &edits)?;
    }
    Ok(pb::SetResponse {
        prefix: request.prefix,
        response: results,
        timestamp: at.nanos(),
        ..pb::SetResponse::default()
    })
}
