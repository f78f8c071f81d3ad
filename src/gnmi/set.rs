//! Set (gNMI spec 3.4).

use crate::audit::Actor;
use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Origin;
use crate::audit::Subject;
use crate::datastore::EditError;
use crate::iam::Permit;
use crate::model::Edit;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::schema::Fault;
use crate::schema::Tag;
use crate::telemetry::Core;
use crate::wire::path_text;
use crate::wire::proto::gnmi as pb;

use super::error::Error;
use super::error::Place;
use super::provisioned::Mirror;
use super::provisioned::Need;
use super::provisioned::Plan;
use super::provisioned::Refusal;
use super::provisioned::Wanted;
use super::request::Change;
use super::request::Operation;
use super::request::SetRequest;
use super::service::Shared;

/// Who sends a Set.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) permit: Permit,
    pub(super) actor: Actor,
    pub(super) origin: Origin,
}

/// Carries out a Set: all of it, or nothing. One result per operation, in the order of execution.
pub(super) async fn set(
    shared: &Shared,
    writer: Writer,
    request: SetRequest,
) -> Result<pb::SetResponse, Error> {
    let tenant = writer.permit.tenant().clone();
    shared
        .arbitration
        .admit(&tenant, request.arbitration.as_ref())?;
    let at = shared.clock.now();
    let mut subject = String::new();
    let (mut edits, mut wanted, mut results) = (Vec::<Edit>::new(), Vec::new(), Vec::new());
    for Operation {
        kind,
        path,
        place,
        change,
    } in request.operations
    {
        match change {
            // A Set touches the origins that it names (gNMI spec 2.7.3), and the datastore in no other way.
            Change::Telemetry(Edit::Delete(pattern))
                if pattern.origin.is_none() && request.target.is_own() =>
            {
                return Err(Error::OriginMissing(place));
            }
            Change::Telemetry(edit) => edits.push(edit),
            Change::Provisioned(change) => {
                note(
                    &mut subject,
                    &path_text(request.prefix.as_ref(), Some(&path)),
                );
                wanted.push((place, change));
            }
        }
        results.push(pb::UpdateResult {
            path: Some(path),
            op: kind.into(),
            ..pb::UpdateResult::default()
        });
    }
    if !edits.is_empty() {
        shared.core.set(&tenant, &request.target, at, &edits)?;
    }
    if !wanted.is_empty() {
        if !writer.permit.covers_config() {
            return Err(Error::ConfigDenied);
        }
        let event = event(writer, &tenant, at, subject);
        provision(shared, &tenant, wanted, &event).await?;
    }
    Ok(pb::SetResponse {
        prefix: request.prefix,
        response: results,
        timestamp: at.nanos(),
        ..pb::SetResponse::default()
    })
}

/// Makes all operations one edit of the datastore, as RESTCONF makes its own.
async fn provision(
    shared: &Shared,
    tenant: &TenantId,
    wanted: Vec<(Place, Wanted)>,
    event: &Event,
) -> Result<(), Error> {
    let (places, wanted): (Vec<Place>, Vec<Wanted>) = wanted.into_iter().unzip();
    let mirror = &shared.mirror;
    let schema = mirror.datastore().schema();
    if wanted.iter().any(|it| it.needs_tree(schema)) {
        mirror.refresh(tenant, Need::Named).await?;
    }
    let place = |index: usize| {
        let first = Place {
            field: "update",
            index: 0,
        };
        places.get(index).copied().unwrap_or(first)
    };
    let plan = plan(mirror.clone(), shared.core.clone(), tenant.clone(), wanted).await;
    let plan = plan.map_err(|(index, source)| Error::Refused {
        place: place(index),
        source,
    })?;
    let made = mirror
        .datastore()
        .edit(tenant, &plan.edits, None, event)
        .await;
    match made {
        Ok(_) => Ok(()),
        Err(error) => {
            let place = place(plan.operation(&error));
            Err(match error {
                EditError::Fault { fault, .. } => Error::Refused {
                    place,
                    source: Refusal::Fault(fault),
                },
                other => Error::Edit(other),
            })
        }
    }
}

/// The edits, or which operation is refused and why. libyang blocks, so on a thread for that.
async fn plan(
    mirror: Mirror,
    core: Core,
    tenant: TenantId,
    wanted: Vec<Wanted>,
) -> Result<Plan, (usize, Refusal)> {
    let planned = tokio::task::spawn_blocking(move || {
        let own = TargetSelector::One(Target::own());
        let expand = |pattern: &Pattern| -> Vec<Path> {
            let nodes = core.nodes(&tenant, &own, pattern, Some(0));
            nodes.into_iter().map(|node| node.path).collect()
        };
        let mut plan = Plan::default();
        for (index, wanted) in wanted.iter().enumerate() {
            plan.add(mirror.datastore().schema(), (index, wanted), &expand)
                .map_err(|refusal| (index, refusal))?;
        }
        Ok(plan)
    });
    planned.await.unwrap_or_else(|_| {
        let fault = Fault::new(Tag::Internal, "internal error");
        Err((0, Refusal::Fault(fault)))
    })
}

/// What the audit trail says about the change.
fn event(writer: Writer, tenant: &TenantId, at: Timestamp, subject: String) -> Event {
    let mut event = Event::new(at, Kind::ConfigChanged, writer.actor);
    event.origin = writer.origin;
    event.tenant = Some(tenant.clone());
    event.subject = Some(Subject {
        kind: "config",
        id: subject,
        name: None,
    });
    event.detail = Some("Set".to_owned());
    event
}

/// Adds a path to the subject of the event, up to its end.
fn note(subject: &mut String, path: &str) {
    let room = SUBJECT_CHARS.saturating_sub(subject.chars().count());
    let separator = if subject.is_empty() { "" } else { " " };
    subject.extend(separator.chars().chain(path.chars()).take(room));
}

/// As much as RESTCONF notes of a URL.
const SUBJECT_CHARS: usize = 400;
