//! Reading a request that was let in: media types, then body and query (iam 2.2).

use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use http_body_util::BodyExt as _;
use http_body_util::LengthLimitError;
use http_body_util::Limited;
use serde_json::Map;
use serde_json::Value;

use crate::form;
use crate::iam::AccountId;
use crate::iam::Caller;
use crate::iam::PatId;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::admission::Admitted;
use super::error::Problem;
use super::error::Refusal;
use super::error::internal;
use super::idempotency;
use super::idempotency::Begun;
use super::idempotency::Idempotency;
use super::idempotency::Key;
use super::json;
use super::media::Accepts;
use super::media::Media;
use super::media::check_form;
use super::media::check_json;
use super::media::not_acceptable;

/// A request whose media types are right and whose body is there.
#[derive(Debug)]
pub(super) struct Incoming {
    parts: Parts,
    body: Bytes,
    /// What the answer will be written as.
    pub(super) media: Media,
}

/// The query of a request.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Incoming {
    /// For an answer that is best written as `preferred`. A body, where there is one, must be JSON.
    pub(super) async fn read(request: Request, preferred: Media) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let accepts = parts.extensions.get::<Accepts>().copied();
        let media = accepts
            .and_then(|accepts| accepts.choose(preferred))
            .ok_or_else(not_acceptable)?;
        let body = collect(body).await?;
        if !body.is_empty() {
            check_json(&parts.headers)?;
        }
        Ok(Self { parts, body, media })
    }

    /// For whom.
    pub(super) fn admitted(&self) -> Result<&Admitted, Refusal> {
        self.parts.extensions.get::<Admitted>().ok_or_else(internal)
    }

    /// The same in two, as the accounts ask for them.
    pub(super) fn on_behalf(&self) -> Result<(&Caller, &TenantId), Refusal> {
        let admitted = self.admitted()?;
        Ok((&admitted.caller, &admitted.tenant))
    }

    pub(super) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The `machineUserId` of the path.
    pub(super) fn account(&self) -> Result<AccountId, Refusal> {
        let bad = |_| bad_id("machineUserId");
        self.segment(ACCOUNT_SEGMENT).parse().map_err(bad)
    }

    /// The `credentialId` of the path.
    pub(super) fn pat(&self) -> Result<PatId, Refusal> {
        let bad = |_| bad_id("credentialId");
        self.segment(PAT_SEGMENT).parse().map_err(bad)
    }

    /// Looks whether the request has been done before (iam 2.4).
    pub(super) fn begin(&self, kept: &Idempotency, now: Timestamp) -> Result<Begun, Refusal> {
        let admitted = self.admitted()?;
        let key = idempotency::given(&self.parts.headers)?.map(|key| Key {
            account: admitted.principal.account,
            tenant: admitted.tenant.clone(),
            path: self.path().to_owned(),
            text: key,
        });
        let query = self.parts.uri.query().unwrap_or_default();
        kept.begin(key, &[query.as_bytes(), &self.body], now)
    }

    /// The query, in which each parameter stands at most once. Unknown ones are let pass where their name has a
    /// capital, a hyphen or the like; plain lower-case names are JSON:API's own (JSON:API 1.1, query parameters).
    pub(super) fn query(&self, known: &[&str]) -> Result<Query, Refusal> {
        let text = self.parts.uri.query().unwrap_or_default();
        let pairs = form::pairs(text).map_err(|_| {
            Refusal::malformed(Problem::new("invalid_query", "query is not well-formed"))
        })?;
        for (index, (name, _)) in pairs.iter().enumerate() {
            let is_known = known.contains(&name.as_str());
            let is_reserved = name.bytes().all(|byte| byte.is_ascii_lowercase());
            if !is_known && is_reserved {
                return Err(bad_parameter(name, "is not known"));
            }
            if pairs.iter().take(index).any(|(other, _)| other == name) {
                return Err(bad_parameter(name, "is given twice"));
            }
        }
        Ok(Query(pairs))
    }

    /// The body as an object; `None` when there is no body.
    pub(super) fn object(&self) -> Result<Option<Map<String, Value>>, Refusal> {
        if self.body.is_empty() {
            return Ok(None);
        }
        match json::parse(&self.body) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            Ok(_) => Err(invalid_json("body is not a JSON object")),
            Err(_) => Err(invalid_json("body is not well-formed JSON")),
        }
    }

    /// The body as an object that must be there.
    pub(super) fn required_object(&self) -> Result<Map<String, Value>, Refusal> {
        self.object()?
            .ok_or_else(|| invalid_json("body is missing"))
    }

    fn segment(&self, at: usize) -> &str {
        self.parts.uri.path().split('/').nth(at).unwrap_or_default()
    }
}

impl Query {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All but the page's number, to be repeated in links.
    pub(super) fn without(&self, names: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        let kept = |(name, _): &&(String, String)| !names.contains(&name.as_str());
        let kept: Vec<_> = self.0.iter().filter(kept).collect();
        kept.into_iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `true`, `false`, `1` or `0`; false when it is not given.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(bad_parameter(name, "is neither true nor false")),
        }
    }
}

/// A form that a body must be (RFC 7662 2.1).
pub(super) async fn read_form(parts: &Parts, body: Body) -> Result<Query, Refusal> {
    check_form(&parts.headers)?;
    let body = collect(body).await?;
    let malformed = || Refusal::malformed(Problem::new("invalid_form", "body is not a form"));
    let text = std::str::from_utf8(&body).map_err(|_| malformed())?;
    let pairs = form::pairs(text).map_err(|_| malformed())?;
    for (index, (name, _)) in pairs.iter().enumerate() {
        if pairs.iter().take(index).any(|(other, _)| other == name) {
            let problem = Problem::new("invalid_field", "is given twice").at(format!("/{name}"));
            return Err(Refusal::malformed(problem));
        }
    }
    Ok(Query(pairs))
}

pub(super) fn bad_parameter(name: &str, problem: &str) -> Refusal {
    let problem = Problem::new("invalid_parameter", format!("{name} {problem}")).of(name);
    Refusal::malformed(problem)
}

async fn collect(body: Body) -> Result<Bytes, Refusal> {
    let collecting = Limited::new(body, BODY_BYTES).collect();
    let Ok(collected) = tokio::time::timeout(BODY_DEADLINE, collecting).await else {
        let problem = Problem::new("timeout", "body did not arrive in time");
        return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, problem));
    };
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let problem = Problem::new("too_large", "body is larger than 64 KiB");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, problem))
        }
        Err(_) => Err(invalid_json("body broke off")),
    }
}

fn bad_id(parameter: &'static str) -> Refusal {
    let problem = Problem::new("invalid_field", "is not an id of 18 or 19 digits").of(parameter);
    Refusal::malformed(problem)
}

fn invalid_json(detail: &'static str) -> Refusal {
    Refusal::malformed(Problem::new("invalid_json", detail))
}

/// `/api/v2/auth/serviceaccount/{machineUserId}/pat/{credentialId}`, cut at its slashes.
const ACCOUNT_SEGMENT: usize = 5;
const PAT_SEGMENT: usize = 7;

/// The largest search needs a tenth (iam L5).
const BODY_BYTES: usize = 64 << 10;

/// A body of one or two packets, over a bad line.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
