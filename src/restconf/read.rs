//! GET and HEAD (RFC 8040 4.2, 4.3).

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;

use crate::datastore::Place;
use crate::datastore::port::Mark;
use crate::datastore::tree;
use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Format;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;

use super::Service;
use super::condition::Conditions;
use super::condition::put_marks;
use super::error::Refusal;
use super::marked::is_marked;
use super::media::Media;
use super::origin::Origins;
use super::prune::prune;
use super::query::Content;
use super::query::View;
use super::render::EntryWriter;
use super::render::resource;
use super::state;
use super::stream::Pages;
use super::stream::Piece;
use super::stream::body;
use super::target::Target;

/// One request to read.
pub(super) struct Reading<'a> {
    pub(super) service: &'a Service,
    pub(super) tenant: &'a TenantId,
    pub(super) headers: &'a HeaderMap,
    pub(super) target: &'a Target,
    pub(super) view: View,
    pub(super) media: Media,
    /// Under which name the gateway was asked.
    pub(super) host: &'a str,
}

impl Reading<'_> {
    pub(super) async fn answer(self) -> Result<Response, Refusal> {
        let schema = self.service.schema();
        let place = Place::of(schema, &self.target.steps);
        let mark = match &place {
            Place::Nowhere => None,
            place => self.service.datastore.mark(self.tenant, place).await?,
        };
        let conditions = Conditions::of(self.headers);
        if !conditions.holds(mark) {
            return Err(Refusal::precondition());
        }
        let known =
            mark.filter(|mark| conditions.is_known(*mark) && is_marked(schema, &place, &self.view));
        if let Some(mark) = known {
            let mut response = self.response(Body::empty(), Some(mark));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        if matches!(place, Place::Datastore | Place::Nowhere) {
            // Since when there are notices, is part of what is read.
            let notices = self.service.datastore.notices();
            notices.refresh(self.tenant).await?;
        }
        let body = match place {
            Place::Datastore => self.datastore().await?,
            Place::Collection(collection) => self.collection(collection).await?,
            Place::Entry {
                collection,
                entry,
                inside,
            } => self.entry(collection, entry, inside).await?.into(),
            Place::Nowhere => self.other().await?,
        };
        Ok(self.response(body, mark))
    }

    fn response(&self, body: Body, mark: Option<Mark>) -> Response {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media.as_str()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Some(mark) = mark {
            put_marks(headers, mark);
        }
        response
    }

    /// Everything.
    async fn datastore(&self) -> Result<Body, Refusal> {
        let schema = self.service.schema();
        let mut pieces = Vec::new();
        let is_json = self.format() == Format::Json;
        let start = if is_json { DATA_MEMBER } else { DATA_ELEMENT };
        pieces.push(Piece::Text(start.to_owned()));
        let mut states = Vec::new();
        for &top in schema.tops() {
            let Some(view) = self.inner(top) else {
                continue;
            };
            if let Some(content) = self.state(top, &view) {
                states.push(self.member(top, content)?);
            }
        }
        let states = states.join(if is_json { "," } else { "" });
        pieces.push(Piece::Members(states));
        for collection in schema.collections() {
            let view = self.inner(collection.container);
            let Some(view) = view.and_then(|view| below(view, collection)) else {
                continue;
            };
            let (before, after) = self.frame(collection);
            pieces.push(Piece::Entries {
                pages: Box::new(self.pages(collection, view)),
                before,
                after,
            });
        }
        pieces.push(Piece::Text(
            if is_json { "}}" } else { "</data>" }.to_owned(),
        ));
        body(pieces, self.format()).await
    }

    /// A collection's container.
    async fn collection(&self, collection: &Collection) -> Result<Body, Refusal> {
        let schema = self.service.schema();
        if self.service.config.empty_body {
            let first = self.service.datastore.page(self.tenant, collection, None);
            if first.await?.is_empty() {
                return Ok(Body::empty());
            }
        }
        let name = schema.qualified(collection.container);
        let (origin, comma) = self.origin();
        let (start, end) = match self.format() {
            Format::Json => (format!("{{\"{name}\":{{{origin}"), "}}".to_owned()),
            Format::Xml => self.frame(collection),
        };
        let (before, after) = match self.format() {
            Format::Json => (
                format!("{comma}\"{}\":[", schema.member(collection.list)),
                "]".to_owned(),
            ),
            Format::Xml => (String::new(), String::new()),
        };
        let mut pieces = vec![Piece::Text(start)];
        if let Some(view) = below(self.view.clone(), collection) {
            pieces.push(Piece::Entries {
                pages: Box::new(self.pages(collection, view)),
                before,
                after,
            });
        }
        pieces.push(Piece::Text(end));
        body(pieces, self.format()).await
    }

    /// An entry, or something in it.
    async fn entry(
        &self,
        collection: &Collection,
        entry: &Step,
        inside: &[Step],
    ) -> Result<String, Refusal> {
        let record = self
            .service
            .datastore
            .entry(self.tenant, collection, entry)
            .await?;
        let record = record.ok_or_else(absent)?;
        let in_force = if self.view.in_force {
            let datastore = &self.service.datastore;
            let records = std::slice::from_ref(&record);
            let mut lent = datastore.in_force(self.tenant, collection, records).await?;
            lent.pop().flatten()
        } else {
            None
        };
        let (schema, collection) = (Arc::clone(self.service.schema()), collection.clone());
        let (view, inside, path) = (
            self.view.clone(),
            inside.to_vec(),
            self.target.steps.clone(),
        );
        let format = self.format();
        if path
            .last()
            .is_some_and(|_| self.target.is_whole_list(&schema))
            && format == Format::Xml
        {
            return Err(Refusal::invalid(
                "XML has one element, a list may have more",
            ));
        }
        let written = tokio::task::spawn_blocking(move || {
            let shown = in_force.as_ref().unwrap_or(&record);
            let entry = shown.value(&schema, &collection, view.defaults)?;
            let found = tree::locate(&schema, &entry, &inside).ok_or_else(absent)?;
            let node = path
                .last()
                .map(|step| step.node)
                .ok_or_else(Refusal::internal)?;
            let wanted = prune(&schema, node, found.clone(), &view);
            let mut wanted = match (wanted, found) {
                (Some(wanted), _) => wanted,
                (None, Value::Object(_)) if schema.node(node).is_config => {
                    Value::Object(Map::new())
                }
                (None, _) => return Err(absent()),
            };
            let mut origin = None;
            if view.origin && schema.node(node).is_config {
                let origins = Origins::new(&schema, &record, in_force.as_ref())?;
                origins.annotate(node, &inside, &mut wanted);
                origin = Some(origins.of(&inside));
            }
            Ok::<_, Refusal>(resource(&schema, &path, (wanted, origin), format)?)
        });
        written.await.map_err(|_| Refusal::internal())?
    }

    /// State at the top, or a whole list of entries.
    async fn other(&self) -> Result<Body, Refusal> {
        let schema = self.service.schema();
        let [top, rest @ ..] = self.target.steps.as_slice() else {
            return Err(Refusal::internal());
        };
        let collection = schema
            .collections()
            .iter()
            .find(|it| it.container == top.node);
        if let Some(collection) = collection {
            return self.whole_list(collection).await;
        }
        if self.view.content == Content::Config {
            return Err(absent());
        }
        let content =
            state::content(self.service, self.tenant, (top.node, self.host)).ok_or_else(absent)?;
        let found = tree::locate(schema, &content, rest).ok_or_else(absent)?;
        let node = self.target.node().ok_or_else(Refusal::internal)?;
        let wanted = prune(schema, node, found.clone(), &self.view)
            .unwrap_or_else(|| Value::Object(Map::new()));
        Ok(resource(schema, &self.target.steps, (wanted, None), self.format())?.into())
    }

    async fn whole_list(&self, collection: &Collection) -> Result<Body, Refusal> {
        if self.format() == Format::Xml {
            return Err(Refusal::invalid(
                "XML has one element, a list may have more",
            ));
        }
        let first = self
            .service
            .datastore
            .page(self.tenant, collection, None)
            .await?;
        if first.is_empty() {
            return Err(absent());
        }
        let name = self.service.schema().qualified(collection.list);
        let pieces = vec![
            Piece::Text(format!("{{\"{name}\":[")),
            Piece::Entries {
                pages: Box::new(self.pages(collection, self.view.clone())),
                before: String::new(),
                after: String::new(),
            },
            Piece::Text("]}".to_owned()),
        ];
        body(pieces, self.format()).await
    }

    const fn format(&self) -> Format {
        self.media.format()
    }

    fn pages(&self, collection: &Collection, view: View) -> Pages {
        let writer = EntryWriter {
            schema: Arc::clone(self.service.schema()),
            collection: collection.clone(),
            view,
            format: self.format(),
            is_top: self.target.is_whole_list(self.service.schema()),
        };
        Pages::new(self.service.datastore.clone(), self.tenant.clone(), writer)
    }

    /// The view of a child of the datastore; `None` when it is not wanted.
    fn inner(&self, child: NodeId) -> Option<View> {
        step_down(self.view.clone(), child)
    }

    /// What is wanted of a top-level node that is state.
    fn state(&self, top: NodeId, view: &View) -> Option<Value> {
        let schema = self.service.schema();
        if self.view.content == Content::Config {
            return None;
        }
        let content = state::content(self.service, self.tenant, (top, self.host))?;
        prune(schema, top, content, view)
    }

    /// A top-level node as a member or an element.
    fn member(&self, top: NodeId, content: Value) -> Result<String, Refusal> {
        let schema = self.service.schema();
        let path = [Step {
            node: top,
            keys: Vec::new(),
        }];
        let text = resource(schema, &path, (content, None), self.format())?;
        Ok(match self.format() {
            Format::Json => text
                .trim_start_matches('{')
                .strip_suffix('}')
                .unwrap_or_default()
                .to_owned(),
            Format::Xml => text,
        })
    }

    /// What a collection's container says of where it comes from, and what follows that.
    fn origin(&self) -> (&'static str, &'static str) {
        match (self.view.origin, self.format()) {
            (true, Format::Json) => (ORIGIN_MEMBER, ","),
            (true, Format::Xml) => (ORIGIN_ATTRIBUTE, ""),
            (false, _) => ("", ""),
        }
    }

    /// What stands before and after the entries of a collection that is part of an answer.
    fn frame(&self, collection: &Collection) -> (String, String) {
        let schema: &Schema = self.service.schema();
        let node = schema.node(collection.container);
        let (origin, comma) = self.origin();
        match self.format() {
            Format::Json => (
                format!(
                    "\"{}\":{{{origin}{comma}\"{}\":[",
                    schema.qualified(collection.container),
                    schema.member(collection.list)
                ),
                "]}".to_owned(),
            ),
            Format::Xml => {
                let namespace = schema.module(&node.module).map(|it| it.namespace.as_str());
                (
                    format!(
                        "<{} xmlns=\"{}\"{origin}>",
                        node.name,
                        namespace.unwrap_or_default()
                    ),
                    format!("</{}>", node.name),
                )
            }
        }
    }
}

/// The view of a collection's entries, given that of its container; `None` when none is wanted.
fn below(view: View, collection: &Collection) -> Option<View> {
    step_down(view, collection.list)
}

fn step_down(mut view: View, child: NodeId) -> Option<View> {
    if let Some(depth) = view.depth {
        view.depth = Some(depth.checked_sub(1).filter(|depth| *depth > 0)?);
    }
    if let Some(fields) = view.fields.take().filter(|fields| !fields.0.is_empty()) {
        let (_, inner) = fields.0.into_iter().find(|(node, _)| *node == child)?;
        view.fields = Some(inner);
    }
    Some(view)
}

fn absent() -> Refusal {
    Refusal::not_found("resource does not exist")
}

const DATA_MEMBER: &str = "{\"ietf-restconf:data\":{";
const DATA_ELEMENT: &str = "<data xmlns=\"urn:ietf:params:xml:ns:yang:ietf-restconf\">";

const ORIGIN_MEMBER: &str = "\"@\":{\"ietf-origin:origin\":\"ietf-origin:intended\"}";
const ORIGIN_ATTRIBUTE: &str =
    " xmlns:or=\"urn:ietf:params:xml:ns:yang:ietf-origin\" or:origin=\"or:intended\"";
