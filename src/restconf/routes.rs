//! RESTCONF's place on the gateway's port.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::response::Response;
use axum::routing::any;
use axum::routing::get;

use crate::iam::Action;
use crate::schema::Format;
use crate::schema::Kind;
use crate::schema::NodeId;
use crate::schema::Schema;
use crate::schema::Step;

use super::Config;
use super::Service;
use super::admission::Admitted;
use super::body;
use super::condition::Conditions;
use super::discovery;
use super::error::Refusal;
use super::events::Subscription;
use super::form::Form;
use super::media::Media;
use super::media::body_format;
use super::media::content_type;
use super::media::not_acceptable;
use super::operation::Call;
use super::patch;
use super::patch::Patching;
use super::query::Datastores;
use super::query::Query;
use super::read::Reading;
use super::target::Target;
use super::target::decode;
use super::write::Writing;

impl Service {
    /// Everything below `/restconf`, and `/.well-known/host-meta`, which needs no credential.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/.well-known/host-meta", get(discovery::host_meta))
            .route(
                "/.well-known/host-meta.json",
                get(discovery::host_meta_json),
            )
            .route("/restconf", any(serve))
            .route("/restconf/", any(serve))
            .route("/restconf/{*rest}", any(serve))
            .with_state(self)
    }
}

async fn serve(State(service): State<Service>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let media = Media::chosen(&parts.headers);
    let answered = service.answer(&parts, body, media).await;
    answered.unwrap_or_else(|refusal| {
        refusal.into_answer(media.unwrap_or(Media::YangJson), service.schema())
    })
}

impl Service {
    async fn answer(
        &self,
        parts: &Parts,
        body: Body,
        media: Option<Media>,
    ) -> Result<Response, Refusal> {
        let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let action = if reads {
            Action::ReadConfig
        } else {
            Action::WriteConfig
        };
        let admitted = self.admit(parts, action).await?;
        let path = parts.uri.path();
        if path.len() + parts.uri.query().map_or(0, str::len) > LONGEST_URI {
            return Err(Refusal::new(
                StatusCode::URI_TOO_LONG,
                "too-big",
                "URI is too long",
            ));
        }
        let path = path.strip_prefix("/restconf").unwrap_or_default();
        let resource = path.strip_prefix('/').unwrap_or(path);
        let (first, rest) = resource.split_once('/').unwrap_or((resource, ""));
        match first {
            "data" => {
                let resource = Resource::parse(self, Datastores::Unified, rest)?;
                self.data(parts, body, media, (&admitted, resource)).await
            }
            "ds" => {
                let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
                let datastores = Datastores::named(name).ok_or_else(nowhere)?;
                let resource = Resource::parse(self, datastores, rest)?;
                self.data(parts, body, media, (&admitted, resource)).await
            }
            "streams" | "notif" if !rest.is_empty() => {
                Self::expect_method(parts, GET)?;
                let form = Form::of(self.config, first == "notif");
                let subscription = self.subscription(parts, &admitted, (rest, form)).await?;
                Ok(subscription.answer(self, self.open(parts).await?))
            }
            "operations" if !rest.is_empty() => {
                self.operation(parts, body, (&admitted, rest)).await
            }
            "" | "operations" | "yang-library-version" | "yang" => {
                Self::expect_method(parts, READ)?;
                Query::parse(&parts.method, parts.uri.query())?.expect_none()?;
                let schema = self.schema();
                let media = media.ok_or_else(not_acceptable);
                match (first, rest) {
                    ("", "") => Ok(discovery::root(schema, media?)),
                    ("operations", "") => Ok(discovery::operations(schema, media?)),
                    ("yang-library-version", "") => Ok(discovery::library_version(media?)),
                    ("yang", file) => discovery::module(schema, file),
                    _ => Err(nowhere()),
                }
            }
            _ => Err(nowhere()),
        }
    }

    async fn subscription(
        &self,
        parts: &Parts,
        admitted: &Admitted,
        (rest, form): (&str, Form),
    ) -> Result<Subscription, Refusal> {
        let name = decode(rest)?;
        let (name, form) = match (name.strip_suffix("/JSON"), name.strip_suffix("/XML")) {
            (None, Some(name)) => (name, Form::Xml),
            (known, _) => (known.unwrap_or(&name), form),
        };
        let query = Query::of_stream(parts.uri.query(), self.config.group_id)?;
        let asked = (name, &query, &parts.headers);
        Subscription::read(self, &admitted.tenant, (asked, form)).await
    }

    async fn data(
        &self,
        parts: &Parts,
        body: Body,
        media: Option<Media>,
        (admitted, resource): (&Admitted, Resource<'_>),
    ) -> Result<Response, Refusal> {
        let schema = self.schema();
        let allow = allowed(schema, resource.datastores, &resource.target);
        Self::expect_method(parts, allow)?;
        let query = Query::parse(&parts.method, parts.uri.query())?;
        let Resource {
            datastores,
            path,
            target,
        } = resource;
        if let Some(operation) = target.action {
            query.expect_none()?;
            return self
                .call(parts, body, admitted, (&target.steps, operation))
                .await;
        }
        match parts.method {
            Method::GET | Method::HEAD => {
                let authority = parts.uri.authority().map(Authority::as_str);
                let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
                let reading = Reading {
                    service: self,
                    tenant: &admitted.tenant,
                    headers: &parts.headers,
                    view: query.view(schema, &target, datastores)?,
                    target: &target,
                    media: media.ok_or_else(not_acceptable)?,
                    host: authority.or(host).unwrap_or("localhost"),
                };
                reading.answer().await
            }
            Method::OPTIONS => Ok(options(allow)),
            Method::PATCH if patch::format(&content_type(&parts.headers)).is_some() => {
                query.expect_none()?;
                let media = media.ok_or_else(not_acceptable)?;
                let text = body::read(&parts.headers, body).await?;
                let about = (admitted, path, target);
                self.patch(parts, (text, media), about).await
            }
            _ => {
                let (format, text) = read_body(self.config, parts, body).await?;
                let writing = Writing {
                    service: self,
                    tenant: &admitted.tenant,
                    method: &parts.method,
                    headers: &parts.headers,
                    target,
                    query,
                    event: self.event(admitted, parts.method.as_str(), parts.uri.path()),
                };
                writing.answer(text, format).await
            }
        }
    }

    async fn patch(
        &self,
        parts: &Parts,
        (text, media): (String, Media),
        (admitted, path, target): (&Admitted, &str, Target),
    ) -> Result<Response, Refusal> {
        let format = patch::format(&content_type(&parts.headers)).unwrap_or(Format::Json);
        let patching = Patching {
            service: self,
            tenant: &admitted.tenant,
            conditions: Conditions::of(&parts.headers),
            path,
            target,
            event: self.event(admitted, "YANG PATCH", parts.uri.path()),
        };
        patching.answer(&text, (format, media)).await
    }

    async fn operation(
        &self,
        parts: &Parts,
        body: Body,
        (admitted, name): (&Admitted, &str),
    ) -> Result<Response, Refusal> {
        let schema = self.schema();
        let (module, name) = name.split_once(':').unwrap_or(("", name));
        let operation = schema.named(schema.operations(), module, name);
        let operation =
            operation.ok_or_else(|| Refusal::not_found("there is no such operation"))?;
        Self::expect_method(parts, CALL)?;
        Query::parse(&parts.method, parts.uri.query())?.expect_none()?;
        self.call(parts, body, admitted, (&[], operation)).await
    }

    async fn call(
        &self,
        parts: &Parts,
        body: Body,
        admitted: &Admitted,
        (parent, operation): (&[Step], NodeId),
    ) -> Result<Response, Refusal> {
        if parts.method == Method::OPTIONS {
            return Ok(options(CALL));
        }
        let (format, text) = read_body(self.config, parts, body).await?;
        let call = Call {
            service: self,
            tenant: &admitted.tenant,
            parent,
            operation,
            event: self.event(admitted, parts.method.as_str(), parts.uri.path()),
        };
        call.answer(text, format).await
    }

    fn expect_method(parts: &Parts, allow: &'static str) -> Result<(), Refusal> {
        let is_allowed = allow
            .split(", ")
            .any(|method| method == parts.method.as_str());
        if is_allowed {
            Ok(())
        } else {
            Err(Refusal::wrong_method(allow))
        }
    }
}

/// A data resource, and which datastores it is looked for in.
struct Resource<'a> {
    datastores: Datastores,
    path: &'a str,
    target: Target,
}

impl<'a> Resource<'a> {
    fn parse(service: &Service, datastores: Datastores, path: &'a str) -> Result<Self, Refusal> {
        let target = Target::parse(service.schema(), path)?;
        if target.action.is_some() && !datastores.has_state() {
            return Err(nowhere());
        }
        Ok(Self {
            datastores,
            path,
            target,
        })
    }
}

/// The methods that a data resource takes.
pub(super) fn allowed(schema: &Schema, datastores: Datastores, target: &Target) -> &'static str {
    if target.action.is_some() {
        return CALL;
    }
    if !datastores.are_writable() {
        return READ;
    }
    let Some(node) = target.node() else {
        return DATASTORE;
    };
    let node = schema.node(node);
    match node.kind {
        _ if !node.is_config || target.is_whole_list(schema) => READ,
        Kind::Container | Kind::List => WRITE,
        _ => WRITE_LEAF,
    }
}

/// The body, and what it is written in. One that is empty needs no type.
async fn read_body(config: Config, parts: &Parts, body: Body) -> Result<(Format, String), Refusal> {
    let text = body::read(&parts.headers, body).await?;
    if text.is_empty() {
        return Ok((Format::Json, text));
    }
    Ok((body_format(&parts.headers, config.plain_json)?, text))
}

fn options(allow: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allow));
    if allow.contains("PATCH") {
        headers.insert(ACCEPT_PATCH, HeaderValue::from_static(PATCHES));
    }
    response
}

fn nowhere() -> Refusal {
    Refusal::not_found("there is no such resource")
}

pub(super) const CALL: &str = "OPTIONS, POST";
const DATASTORE: &str = "GET, HEAD, OPTIONS, PATCH, POST, PUT";
pub(super) const GET: &str = "GET";
pub(super) const READ: &str = "GET, HEAD, OPTIONS";
const WRITE: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
const WRITE_LEAF: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, PUT";

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
const PATCHES: &str = "application/yang-data+json, application/yang-data+xml, application/yang-patch+json, \
     application/yang-patch+xml";

/// The model's longest paths have some hundred bytes.
const LONGEST_URI: usize = 8 << 10;
