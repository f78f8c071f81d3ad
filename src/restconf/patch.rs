//! YANG Patch: several edits of one resource, all or none (RFC 8072).

use std::collections::HashSet;

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
use crate::schema::Schema;
use crate::schema::check_json;

use super::Service;
use super::body::malformed;
use super::condition::Conditions;
use super::condition::put_marks;
use super::error::Refusal;
use super::error::error_xml;
use super::error::escaped;
use super::media::Media;
use super::target::Target;
use super::write::content;
use super::xml::Element;

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
pub(super) struct Patch {
    id: String,
    edits: Vec<Map<String, Value>>,
}

/// What the client is told, in the form that it wants.
struct Report<'a> {
    patch: &'a Patch,
    schema: &'a Schema,
    media: Media,
}

impl Patching<'_> {
    /// Makes the edits, and tells what became of them.
    pub(super) async fn answer(
        self,
        body: &str,
        (format, media): (Format, Media),
    ) -> Result<Response, Refusal> {
        let patch = Patch::parse(body, format)?;
        let report = Report {
            patch: &patch,
            schema: self.service.schema(),
            media,
        };
        let mut edits = Vec::new();
        for edit in &patch.edits {
            match self.edit(edit, format).await {
                Ok(edit) => edits.push(edit),
                Err(refusal) => return Ok(report.failed(&refusal, Some(edits.len()))),
            }
        }
        let precondition = self.conditions.precondition(&self.target.steps);
        let datastore = &self.service.datastore;
        let made = datastore.edit(self.tenant, &edits, precondition.as_ref(), &self.event);
        match made.await {
            Ok(outcome) => {
                let mut response = report.done();
                if let Some(mark) = outcome.mark {
                    put_marks(response.headers_mut(), mark);
                }
                Ok(response)
            }
            Err(EditError::Fault { edit, fault }) => Ok(report.failed(&fault.into(), edit)),
            Err(other) => Err(other.into()),
        }
    }

    async fn edit(&self, edit: &Map<String, Value>, format: Format) -> Result<Edit, Refusal> {
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
                let text = match (format, value) {
                    (Format::Xml, Value::String(element)) => element.clone(),
                    (_, value) => value.to_string(),
                };
                Some(content(self.service, &target, text, format).await?)
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
    pub(super) fn parse(body: &str, format: Format) -> Result<Self, Refusal> {
        let mut patch = match format {
            Format::Json => json_members(body)?,
            Format::Xml => xml_members(body).ok_or_else(broken)?,
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
        let mut ids = HashSet::new();
        let mut parsed: Vec<Map<String, Value>> = Vec::new();
        for edit in edits {
            let Value::Object(edit) = edit else {
                return Err(broken());
            };
            let id = text(&edit, "edit-id")?;
            if !ids.insert(id.to_owned()) {
                return Err(Refusal::invalid("edit-id is given twice"));
            }
            parsed.push(edit);
        }
        Ok(Self { id, edits: parsed })
    }
}

impl Report<'_> {
    fn done(&self) -> Response {
        match self.media.format() {
            Format::Json => self.status(StatusCode::OK, &json!({ "ok": [null] })),
            Format::Xml => self.xml(StatusCode::OK, "<ok/>"),
        }
    }

    /// Says which edit failed and why; without a number, that all of them did.
    fn failed(&self, refusal: &Refusal, edit: Option<usize>) -> Response {
        let id = edit.and_then(|edit| self.patch.edits.get(edit)?.get("edit-id"));
        if self.media.format() == Format::Xml {
            let error = error_xml(&refusal.members(), self.schema);
            let errors = format!("<errors>{error}</errors>");
            let id = id.and_then(Value::as_str).map(escaped);
            let said = id.map(|id| {
                format!("<edit-status><edit><edit-id>{id}</edit-id>{errors}</edit></edit-status>")
            });
            return self.xml(refusal.status, &said.unwrap_or(errors));
        }
        let errors = json!({ "error": [refusal.members()] });
        let said = match id {
            Some(id) => {
                json!({ "edit-status": { "edit": [{ "edit-id": id, "errors": errors }] } })
            }
            None => json!({ "errors": errors }),
        };
        self.status(refusal.status, &said)
    }

    fn status(&self, status: StatusCode, said: &Value) -> Response {
        let mut members = Map::new();
        members.insert("patch-id".to_owned(), json!(self.patch.id));
        members.extend(said.as_object().cloned().unwrap_or_default());
        let body = json!({ "ietf-yang-patch:yang-patch-status": members });
        self.response(status, body.to_string())
    }

    fn xml(&self, status: StatusCode, said: &str) -> Response {
        let id = escaped(&self.patch.id);
        let body = format!(
            "<yang-patch-status xmlns=\"{NAMESPACE}\"><patch-id>{id}</patch-id>{said}</yang-patch-status>"
        );
        self.response(status, body)
    }

    fn response(&self, status: StatusCode, body: String) -> Response {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media.as_str()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// What a patch is written in, by its media type; `None` for what is no patch.
pub(super) fn format(media: &str) -> Option<Format> {
    match media {
        "application/yang-patch+json" => Some(Format::Json),
        "application/yang-patch+xml" => Some(Format::Xml),
        _ => None,
    }
}

fn broken() -> Refusal {
    malformed("body is not one \"ietf-yang-patch:yang-patch\"")
}

fn json_members(body: &str) -> Result<Map<String, Value>, Refusal> {
    check_json(body)?;
    let mut body: Map<String, Value> = serde_json::from_str(body).map_err(|_| broken())?;
    match body.remove("ietf-yang-patch:yang-patch") {
        Some(Value::Object(patch)) if body.is_empty() => Ok(patch),
        _ => Err(broken()),
    }
}

/// The same members; a value is the text of its element.
fn xml_members(body: &str) -> Option<Map<String, Value>> {
    let root = Element::document(body)?;
    if root.name != "yang-patch" || root.namespace != NAMESPACE {
        return None;
    }
    let mut members = Map::new();
    let mut edits = Vec::new();
    for child in root.children(MOST_CHILDREN)? {
        if child.namespace != NAMESPACE {
            return None;
        }
        if child.name != "edit" {
            let old = members.insert(child.name.to_owned(), child.text()?.into());
            old.is_none().then_some(())?;
            continue;
        }
        if edits.len() >= MOST_EDITS {
            // One more says that they are too many; what it holds does not count.
            edits.push(Value::Null);
            continue;
        }
        let mut edit = Map::new();
        for child in child.children(MOST_MEMBERS)? {
            let value = match child.name {
                "value" => {
                    let mut inner = child.children(1)?;
                    inner.pop().filter(|_| inner.is_empty())?.alone()
                }
                _ => child.text()?,
            };
            let old = edit.insert(child.name.to_owned(), value.into());
            old.is_none().then_some(())?;
        }
        edits.push(Value::Object(edit));
    }
    if !edits.is_empty() {
        members.insert("edit".to_owned(), edits.into());
    }
    Some(members)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    let value = members.get(name).and_then(Value::as_str);
    value.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Refusal {
    let message = format!("\"{name}\" is missing");
    Refusal::new(StatusCode::BAD_REQUEST, "missing-element", message)
}

/// More belong into several patches: an edit that gives an entry its place searches the list that it is about.
const MOST_EDITS: usize = 1_000;

/// Elements of a patch in XML: its edits, one too many to say so, its identifier and its comment.
const MOST_CHILDREN: usize = MOST_EDITS + 3;

/// Members of an edit: RFC 8072 knows six.
const MOST_MEMBERS: usize = 8;

const NAMESPACE: &str = "urn:ietf:params:xml:ns:yang:ietf-yang-patch";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_a_patch_in_xml_are_limited_before_they_are_read() {
        let patch = |count: usize| {
            let edits: Vec<_> = (0..count)
                .map(|id| format!("<edit><edit-id>{id}</edit-id></edit>"))
                .collect();
            let edits = edits.concat();
            let text = format!(
                "<yang-patch xmlns='{NAMESPACE}'><patch-id>p</patch-id>{edits}</yang-patch>"
            );
            Patch::parse(&text, Format::Xml).map(|patch| patch.edits.len())
        };
        assert_eq!(patch(MOST_EDITS).ok(), Some(MOST_EDITS));
        let status = |count| patch(count).err().map(|refusal| refusal.status);
        assert_eq!(status(MOST_EDITS + 1), Some(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(status(MOST_EDITS + 9), Some(StatusCode::BAD_REQUEST));
    }
}
