//! YANG Patch: several edits of one resource, all or none (RFC 8072).

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::audit::Event;
use crate::datastore::Edit;
use crate::datastore::EditError;
use crate::datastore::Op;
use crate::datastore::tree::Position;
use crate::model::TenantId;
use crate::schema::Format;
use crate::schema::check_json;

use super::Service;
use super::body::malformed;
use super::condition::Conditions;
use super::condition::put_marks;
use super::error::Refusal;
use super::target::Target;
use super::write::content;

/// One request to patch.
pub(super) struct Patching<'a> {
    pub(super) service: &'a Service,
    pub(super) tenant: &'a TenantId,
    pub(super) conditions: Conditions,
    /// What follows `/restconf/data/` in the path: the edits' targets are below it.
    pub(super) path: &'a str,
    pub(super) target: Target,
    pub(super) event: Event,
}

/// What a patch says.
struct Patch {
    id: String,
    edits: Vec<Map<String, Value>>,
}

impl Patching<'_> {
    /// Makes the edits, and tells what became of them.
    pub(super) async fn answer(self, body: &str) -> Result<Response, Refusal> {
        let patch = Patch::parse(body)?;
        let mut edits = Vec::new();
        for edit in &patch.edits {
            match self.edit(edit).await {
                Ok(edit) => edits.push(edit),
                Err(refusal) => return Ok(patch.failed(&refusal, Some(edits.len()))),
            }
        }
        let precondition = self.conditions.precondition(&self.target.steps);
        let datastore = &self.service.datastore;
        let made = datastore.edit(self.tenant, &edits, precondition.as_ref(), &self.event);
        match made.await {
            Ok(outcome) => {
                let mut response = patch.status(StatusCode::OK, ("ok", json!([null])));
                if let Some(mark) = outcome.mark {
                    put_marks(response.headers_mut(), mark);
                }
                Ok(response)
            }
            Err(EditError::Fault { edit, fault }) => Ok(patch.failed(&fault.into(), edit)),
            Err(other) => Err(other.into()),
        }
    }

    async fn edit(&self, edit: &Map<String, Value>) -> Result<Edit, Refusal> {
        let schema = self.service.schema();
        let target = self.target(text(edit, "target")?)?;
        if target.action.is_some() {
            return Err(Refusal::invalid("target is an action"));
        }
        let operation = text(edit, "operation")?;
        let position = self.position(edit, &target)?;
        if position.is_some() && !matches!(operation, "insert" | "move") {
            return Err(Refusal::invalid("where is for insert and move"));
        }
        if matches!(operation, "insert" | "move") {
            let node = target.node().map(|node| schema.node(node));
            if !node.is_some_and(|node| node.is_user_ordered) {
                return Err(Refusal::invalid("list is not ordered by its user"));
            }
        }
        let has_value = matches!(operation, "create" | "insert" | "merge" | "replace");
        let value = match (has_value, edit.get("value")) {
            (true, Some(value)) => {
                let text = value.to_string();
                Some(content(self.service, &target, text, Format::Json).await?)
            }
            (false, None) => None,
            (true, None) => return Err(missing("value")),
            (false, Some(_)) => return Err(Refusal::invalid("operation takes no value")),
        };
        let last = Position::Last;
        let op = match (operation, value) {
            ("create", Some(value)) => Op::Create(value, None),
            ("insert", Some(value)) => Op::Create(value, Some(position.unwrap_or(last))),
            ("merge", Some(value)) => Op::Merge(value, false),
            ("replace", Some(value)) => Op::Replace(value, None),
            ("delete", _) => Op::Delete,
            ("remove", _) => Op::Remove,
            ("move", _) => Op::Move(position.unwrap_or(last)),
            _ => return Err(Refusal::invalid("operation is none of RFC 8072's")),
        };
        Ok(Edit {
            target: target.steps,
            op,
        })
    }

    /// An edit's target or point: a path below the patched resource.
    fn target(&self, below: &str) -> Result<Target, Refusal> {
        let below = below
            .strip_prefix('/')
            .ok_or_else(|| Refusal::invalid("target does not begin with a slash"))?;
        let path = match (self.path.is_empty(), below.is_empty()) {
            (true, _) => below.to_owned(),
            (false, true) => self.path.to_owned(),
            (false, false) => format!("{}/{below}", self.path),
        };
        Target::parse(self.service.schema(), &path)
    }

    fn position(
        &self,
        edit: &Map<String, Value>,
        target: &Target,
    ) -> Result<Option<Position>, Refusal> {
        let neighbour = || {
            let mut point = self.target(text(edit, "point")?)?;
            let last = point.steps.pop();
            let (own, way) = match target.steps.split_last() {
                Some((own, way)) => (Some(own.node), way),
                None => (None, [].as_slice()),
            };
            let is_neighbour = point.steps == way && last.as_ref().map(|it| it.node) == own;
            last.filter(|last| is_neighbour && !last.keys.is_empty())
                .map(|last| last.keys)
                .ok_or_else(|| Refusal::invalid("point is no entry of the same list"))
        };
        match edit.get("where").and_then(Value::as_str) {
            None => Ok(None),
            Some("first") => Ok(Some(Position::First)),
            Some("last") => Ok(Some(Position::Last)),
            Some("before") => Ok(Some(Position::Before(neighbour()?))),
            Some("after") => Ok(Some(Position::After(neighbour()?))),
            Some(_) => Err(Refusal::invalid(
                "where is none of first, last, before, after",
            )),
        }
    }
}

impl Patch {
    fn parse(body: &str) -> Result<Self, Refusal> {
        check_json(body)?;
        let broken = || malformed("body is not one \"ietf-yang-patch:yang-patch\"");
        let mut body: Map<String, Value> = serde_json::from_str(body).map_err(|_| broken())?;
        let patch = body.remove("ietf-yang-patch:yang-patch");
        let (Some(Value::Object(mut patch)), true) = (patch, body.is_empty()) else {
            return Err(broken());
        };
        let id = text(&patch, "patch-id")?.to_owned();
        let Some(Value::Array(edits)) = patch.remove("edit") else {
            return Err(missing("edit"));
        };
        if edits.len() > MOST_EDITS {
            return Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-big",
                "too many edits",
            ));
        }
        let mut parsed: Vec<Map<String, Value>> = Vec::new();
        for edit in edits {
            let Value::Object(edit) = edit else {
                return Err(broken());
            };
            let id = text(&edit, "edit-id")?;
            if parsed
                .iter()
                .any(|other| other.get("edit-id").and_then(Value::as_str) == Some(id))
            {
                return Err(Refusal::invalid("edit-id is given twice"));
            }
            parsed.push(edit);
        }
        Ok(Self { id, edits: parsed })
    }

    /// Says which edit failed and why; without a number, that all of them did.
    fn failed(&self, refusal: &Refusal, edit: Option<usize>) -> Response {
        let errors = json!({ "error": [refusal.members()] });
        let id = edit.and_then(|edit| self.edits.get(edit)?.get("edit-id"));
        match id {
            Some(id) => {
                let edits = json!({ "edit": [{ "edit-id": id, "errors": errors }] });
                self.status(refusal.status, ("edit-status", edits))
            }
            None => self.status(refusal.status, ("errors", errors)),
        }
    }

    fn status(&self, status: StatusCode, (name, value): (&str, Value)) -> Response {
        let body = json!({ "ietf-yang-patch:yang-patch-status": {
            "patch-id": self.id,
            name: value,
        }});
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let media = HeaderValue::from_static("application/yang-data+json");
        headers.insert(CONTENT_TYPE, media);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let value = members.get(name).and_then(Value::as_str);
    value.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Refusal {
    let message = format!("\"{name}\" is missing");
    Refusal::new(StatusCode::BAD_REQUEST, "missing-element", message)
}

/// More belong into several patches, each of which holds the store's writer for a while.
const MOST_EDITS: usize = 10_000;

/// What a patch is written in.
pub(super) const MEDIA: &str = "application/yang-patch+json";
