//! POST, PUT, PATCH and DELETE of data (RFC 8040 4.4 to 4.7).

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;

use crate::audit::Event;
use crate::datastore::Edit;
use crate::datastore::Op;
use crate::datastore::Outcome;
use crate::datastore::key_text;
use crate::datastore::tree::step_of;
use crate::model::TenantId;
use crate::schema::Format;
use crate::schema::Kind;
use crate::schema::Schema;
use crate::schema::Step;

use super::Service;
use super::body::inside;
use super::body::malformed;
use super::condition::Conditions;
use super::condition::put_marks;
use super::error::Refusal;
use super::query::Query;
use super::target::Target;

/// One request to write.
pub(super) struct Writing<'a> {
    pub(super) service: &'a Service,
    pub(super) tenant: &'a TenantId,
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    pub(super) target: Target,
    pub(super) query: Query,
    pub(super) event: Event,
}

impl Writing<'_> {
    /// Makes the change that the body asks for.
    pub(super) async fn answer(self, body: String, format: Format) -> Result<Response, Refusal> {
        let schema = self.service.schema();
        let edits = match *self.method {
            Method::POST => self.created(body, format).await?,
            Method::PUT => vec![self.replaced(body, format).await?],
            Method::PATCH => vec![self.merged(body, format).await?],
            _ => {
                self.query.expect_none()?;
                vec![Edit {
                    target: self.target.steps.clone(),
                    op: Op::Delete,
                }]
            }
        };
        // Of a POST the client speaks of what it creates in; of the rest, of what it changes.
        let precondition = Conditions::of(self.headers).precondition(&self.target.steps);
        let datastore = &self.service.datastore;
        let made = datastore.edit(self.tenant, &edits, precondition.as_ref(), &self.event);
        let outcome = made.await;
        let outcome = outcome
            .map_err(Refusal::from)
            .map_err(|refusal| match *self.method {
                Method::PATCH => refusal.or_not_found(),
                Method::DELETE => refusal.or_absent(self.service.config.absent_delete_status),
                _ => refusal,
            })?;
        let location = edits.first().map(|edit| location(schema, &edit.target));
        Ok(self.response(outcome, location.as_deref()))
    }

    fn response(&self, outcome: Outcome, location: Option<&str>) -> Response {
        let mut response = Response::new(Body::empty());
        let is_created = *self.method == Method::POST || outcome.is_new;
        *response.status_mut() = if is_created {
            StatusCode::CREATED
        } else {
            StatusCode::NO_CONTENT
        };
        let headers = response.headers_mut();
        if let Some(mark) = outcome.mark.filter(|_| *self.method != Method::DELETE) {
            put_marks(headers, mark);
        }
        if let Some(Ok(location)) = location.filter(|_| is_created).map(HeaderValue::from_str) {
            headers.insert(LOCATION, location);
        }
        response
    }

    /// The children that a POST creates: one, or several entries of one list, which the vendor's clients send.
    async fn created(&self, body: String, format: Format) -> Result<Vec<Edit>, Refusal> {
        let schema = self.service.schema();
        let members = parse(self.service, self.target.steps.clone(), body, format).await?;
        let mut members = members.into_iter();
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            return Err(malformed("body is not one child of the resource"));
        };
        let child = schema.find(self.target.node(), &name);
        let child = child.ok_or_else(Refusal::internal)?;
        let mut list = self.target.clone();
        list.steps.push(Step {
            node: child,
            keys: Vec::new(),
        });
        let position = self.query.position(schema, &list)?;
        let entries: Vec<_> = match (schema.node(child).kind, value) {
            (Kind::List | Kind::LeafList, Value::Array(entries)) => entries
                .into_iter()
                .map(|entry| (step_of(schema, child, &entry), entry))
                .collect(),
            (_, value) => {
                let step = Step {
                    node: child,
                    keys: Vec::new(),
                };
                vec![(step, value)]
            }
        };
        if entries.len() != 1 && !self.service.config.several_entries {
            return Err(malformed("body is not one child of the resource"));
        }
        let wanted = schema.node(child).keys.len();
        let edit = |(step, value): (Step, Value)| {
            if schema.node(child).kind == Kind::List && step.keys.len() != wanted {
                return Err(Refusal::new(
                    StatusCode::BAD_REQUEST,
                    "missing-element",
                    "entry has not all its keys",
                ));
            }
            let mut target = self.target.steps.clone();
            target.push(step);
            let op = Op::Create(value, position.clone());
            Ok(Edit { target, op })
        };
        entries.into_iter().map(edit).collect()
    }

    async fn replaced(&self, body: String, format: Format) -> Result<Edit, Refusal> {
        let schema = self.service.schema();
        let position = match self.target.steps.as_slice() {
            [] => {
                self.query.expect_none()?;
                None
            }
            _ => self.query.position(schema, &self.target)?,
        };
        Ok(Edit {
            target: self.target.steps.clone(),
            op: Op::Replace(
                content(self.service, &self.target, body, format).await?,
                position,
            ),
        })
    }

    async fn merged(&self, body: String, format: Format) -> Result<Edit, Refusal> {
        self.query.expect_none()?;
        Ok(Edit {
            target: self.target.steps.clone(),
            op: Op::Merge(
                content(self.service, &self.target, body, format).await?,
                true,
            ),
        })
    }
}

/// What a body says that its target is.
pub(super) async fn content(
    service: &Service,
    target: &Target,
    body: String,
    format: Format,
) -> Result<Value, Refusal> {
    let schema = service.schema();
    let Some((last, parent)) = target.steps.split_last() else {
        let inner = inside(&body, DATA, format)?.to_owned();
        let members = match (format, inner.is_empty()) {
            (Format::Xml, true) => Map::new(),
            _ => parse(service, Vec::new(), inner, format).await?,
        };
        return Ok(Value::Object(members));
    };
    if target.is_whole_list(schema) {
        return Err(Refusal::invalid(
            "keys of the entry are missing in the path",
        ));
    }
    let mut members = parse(service, parent.to_vec(), body, format).await?;
    let value = members.remove(&schema.member(last.node));
    let value = value.filter(|_| members.is_empty());
    let value = value.ok_or_else(|| malformed("body is not the resource"))?;
    match value {
        Value::Array(mut entries) if !last.keys.is_empty() => {
            let entry = entries.pop().filter(|_| entries.is_empty());
            entry
                .filter(|entry| step_of(schema, last.node, entry) == *last)
                .ok_or_else(|| Refusal::invalid("keys are not those of the path"))
        }
        value => Ok(value),
    }
}

async fn parse(
    service: &Service,
    parent: Vec<Step>,
    body: String,
    format: Format,
) -> Result<Map<String, Value>, Refusal> {
    let schema = Arc::clone(service.schema());
    let lenience = service.lenience();
    let parsed = tokio::task::spawn_blocking(move || {
        schema.parse_leniently(&parent, &body, (format, lenience))
    });
    Ok(parsed.await.map_err(|_| Refusal::internal())??)
}

/// Where a resource is.
pub(super) fn location(schema: &Schema, steps: &[Step]) -> String {
    let mut path = String::from("/restconf/data");
    for step in steps {
        path.push('/');
        path.push_str(&schema.member(step.node));
        if !step.keys.is_empty() {
            path.push('=');
            path.push_str(&key_text(&step.keys));
        }
    }
    path
}

const DATA: &str = "ietf-restconf:data";
