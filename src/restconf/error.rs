//! What is answered when it is not what was asked for: the errors document (RFC 8040 section 7).

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::RETRY_AFTER;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::Response;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::datastore::EditError;
use crate::datastore::port::Unavailable;
use crate::iam::AuthError;
use crate::iam::Denied;
use crate::iam::NotPermitted;
use crate::iam::RegistryError;
use crate::model::Class;
use crate::schema::Fault;
use crate::schema::Format;
use crate::schema::Schema;
use crate::schema::Tag;

use super::media::Media;

/// A refusal: a status and what its document says.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    kind: &'static str,
    tag: &'static str,
    /// Why somebody known may not, for the audit trail.
    pub(super) denial: Option<&'static str>,
    /// Apart, so that results stay small.
    details: Box<Details>,
}

#[derive(Clone, Debug, Default)]
struct Details {
    app_tag: Option<String>,
    path: Option<String>,
    message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, tag: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: "protocol",
            tag,
            denial: None,
            details: Box::new(Details {
                message: message.into(),
                ..Details::default()
            }),
        }
    }

    /// 400 for what the request alone shows.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-value", message)
    }

    /// There is no such resource.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "invalid-value", message)
    }

    /// The resource does not take the method, but those in `allow`.
    pub(super) fn wrong_method(allow: &str) -> Self {
        let message = "resource does not take this method";
        let refusal = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "operation-not-supported",
            message,
        );
        match HeaderValue::from_str(allow) {
            Ok(allow) => refusal.with(ALLOW, allow),
            Err(_) => refusal,
        }
    }

    /// A precondition does not hold.
    pub(super) fn precondition() -> Self {
        let message = "precondition does not hold";
        Self::new(StatusCode::PRECONDITION_FAILED, "operation-failed", message)
    }

    /// No credential was shown.
    pub(super) fn missing_credentials() -> Self {
        let message = "send `Authorization: Bearer <token>`";
        Self::new(StatusCode::UNAUTHORIZED, "access-denied", message)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))
    }

    /// Something went wrong that must not.
    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "operation-failed",
            "internal error",
        )
    }

    /// The same, where a missing target is a missing resource (RFC 8040 4.6.1, 4.4.2).
    pub(super) fn or_not_found(mut self) -> Self {
        if self.tag == Tag::DataMissing.as_str() && self.details.app_tag.is_none() {
            self.status = StatusCode::NOT_FOUND;
            self.tag = Tag::InvalidValue.as_str();
        }
        self
    }

    /// The same, where what is to be deleted is not there (RFC 8040 4.7).
    pub(super) fn or_absent(mut self, status: StatusCode) -> Self {
        if self.tag == Tag::DataMissing.as_str() && self.details.app_tag.is_none() {
            self.status = status;
        }
        self
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.details.headers.push((name, value));
        self
    }

    /// The members of the one error that the document has.
    pub(super) fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                members.insert(format!("error-{name}"), json!(value));
            }
        };
        put("type", Some(self.kind));
        put("tag", Some(self.tag));
        put("app-tag", self.details.app_tag.as_deref());
        put("path", self.details.path.as_deref());
        put("message", Some(&self.details.message));
        members
    }

    /// The answer with its document.
    pub(super) fn into_answer(self, media: Media, schema: &Schema) -> Response {
        let members = self.members();
        let body = match media.format() {
            Format::Json => json!({ "ietf-restconf:errors": { "error": [members] } }).to_string(),
            Format::Xml => {
                let error = error_xml(&members, schema);
                format!(
                    "<errors xmlns=\"urn:ietf:params:xml:ns:yang:ietf-restconf\">{error}</errors>"
                )
            }
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.extend(self.details.headers);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.as_str()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// An error as an element of whatever namespace holds around it.
pub(super) fn error_xml(members: &Map<String, Value>, schema: &Schema) -> String {
    let mut text = String::from("<error>");
    for (name, value) in members {
        let value = value.as_str().unwrap_or_default();
        text.push('<');
        text.push_str(name);
        if name == "error-path" {
            // The prefixes of an instance-identifier are the modules' names.
            for module in schema.modules() {
                let prefix = format!("{}:", module.name);
                if value.contains(&prefix) {
                    // Writing to a String does not fail.
                    let _ = write!(text, " xmlns:{}=\"{}\"", module.name, module.namespace);
                }
            }
        }
        let _ = write!(text, ">{}</{name}>", escaped(value));
    }
    text.push_str("</error>");
    text
}

/// Text as XML writes it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let status = match fault.tag {
            Tag::DataExists | Tag::DataMissing | Tag::InUse => StatusCode::CONFLICT,
            Tag::OperationFailed => StatusCode::PRECONDITION_FAILED,
            Tag::OperationNotSupported => StatusCode::METHOD_NOT_ALLOWED,
            Tag::TooBig => StatusCode::PAYLOAD_TOO_LARGE,
            Tag::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Tag::BadElement
            | Tag::InvalidValue
            | Tag::MalformedMessage
            | Tag::MissingElement
            | Tag::UnknownAttribute
            | Tag::UnknownElement
            | Tag::UnknownNamespace => StatusCode::BAD_REQUEST,
        };
        let mut refusal = Self::new(status, fault.tag.as_str(), fault.message);
        refusal.kind = "application";
        refusal.details.app_tag = fault.app_tag;
        refusal.details.path = fault.path;
        refusal
    }
}

impl From<EditError> for Refusal {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Fault { fault, .. } => fault.into(),
            EditError::Precondition => Self::precondition(),
            EditError::Unavailable(unavailable) => unavailable.into(),
            EditError::Busy => Self::new(
                StatusCode::CONFLICT,
                "resource-denied",
                "too many others write the same entries",
            ),
        }
    }
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "operation-failed",
            error.to_string(),
        )
        .with(RETRY_AFTER, HeaderValue::from_static("1"))
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self {
            denial: Some(denied.reason()),
            ..Self::new(StatusCode::FORBIDDEN, "access-denied", denied.to_string())
        }
    }
}

impl From<NotPermitted> for Refusal {
    fn from(error: NotPermitted) -> Self {
        match error {
            NotPermitted::Auth(error) => error.into(),
            NotPermitted::Denied(denied) => denied.into(),
        }
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        let of = |status| Self::new(status, "access-denied", error.to_string());
        match error.class() {
            Class::Throttled => of(StatusCode::TOO_MANY_REQUESTS),
            Class::Unavailable => Unavailable.into(),
            _ => of(StatusCode::UNAUTHORIZED)
                .with(WWW_AUTHENTICATE, HeaderValue::from_static(INVALID)),
        }
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let of = |status| Self::new(status, "access-denied", error.to_string());
        match error.class() {
            Class::Denied => of(StatusCode::FORBIDDEN),
            Class::Throttled => {
                let seconds = error
                    .retry_after()
                    .map_or(1, |after| after.as_secs().max(1));
                of(StatusCode::TOO_MANY_REQUESTS).with(RETRY_AFTER, HeaderValue::from(seconds))
            }
            Class::Unavailable => Unavailable.into(),
            Class::Unauthenticated => of(StatusCode::UNAUTHORIZED)
                .with(WWW_AUTHENTICATE, HeaderValue::from_static(INVALID)),
            _ => Self::internal(),
        }
    }
}

/// RFC 6750 3: no error is named when no token was shown.
const CHALLENGE: &str = r#"Bearer realm="tollgate""#;
const INVALID: &str = r#"Bearer realm="tollgate", error="invalid_token""#;
