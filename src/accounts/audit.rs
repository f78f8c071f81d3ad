//! `GET /api/v2/auth/audit`: what happened to accounts and credentials (iam A6).

use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::audit::EventQuery;
use crate::audit::Link;
use crate::audit::MOST_EVENTS;
use crate::form::encode;
use crate::model::Timestamp;

use super::Service;
use super::error::Refusal;
use super::media::Media;
use super::request::Incoming;
use super::request::Query;
use super::request::bad_parameter;
use super::view;

/// A page of events, the oldest first: those of the tenant of the header, or with `allTenants` of all and of none. The next
/// page begins after the last number of this one, so that a reader who comes again misses nothing.
pub(super) async fn list(
    State(service): State<Service>,
    request: Request,
) -> Result<Response, Refusal> {
    let incoming = Incoming::read(request, Media::Json).await?;
    let (caller, tenant) = incoming.on_behalf()?;
    let query = incoming.query(PARAMETERS)?;
    let of_all = query.flag("allTenants")?;
    let asked = EventQuery {
        tenant: (!of_all).then(|| tenant.clone()),
        after: number(&query, "after")?.unwrap_or(0),
        limit: limit(&query)?,
        kind: parsed(&query, "kind", "is no kind of event")?,
        account: query.get("account").map(str::to_owned),
        from: time(&query, "from")?,
        until: time(&query, "to")?,
    };
    let events = service.accounts.events(caller, &asked).await?;
    let is_full = events.len() >= asked.limit as usize;
    let last = events.last().filter(|_| is_full);
    let body = json!({
        "data": events.iter().map(Link::to_members).collect::<Vec<_>>(),
        "links": { "next": last.map(|last| next(incoming.path(), &query, last.seq)) },
    });
    Ok(view::answer(StatusCode::OK, incoming.media, body))
}

fn next(path: &str, query: &Query, last: u64) -> String {
    let mut link = format!("{path}?after={last}");
    for (name, value) in query.without(&["after"]) {
        for part in ["&", &encode(name), "=", &encode(value)] {
            link.push_str(part);
        }
    }
    link
}

fn limit(query: &Query) -> Result<u32, Refusal> {
    match number(query, "limit")? {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) => u32::try_from(limit)
            .ok()
            .filter(|limit| (1..=MOST_EVENTS).contains(limit))
            .ok_or_else(|| bad_parameter("limit", "is not from 1 to 500")),
    }
}

fn number(query: &Query, name: &str) -> Result<Option<u64>, Refusal> {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if query.get(name).is_some_and(|text| !is_plain(text)) {
        return Err(bad_parameter(name, "is not a whole number"));
    }
    parsed(query, name, "is not a whole number")
}

fn time(query: &Query, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let text = query.get(name);
    text.map(|text| {
        Timestamp::parse_rfc3339(text).map_err(|_| bad_parameter(name, "is not an RFC 3339 time"))
    })
    .transpose()
}

fn parsed<T: std::str::FromStr>(
    query: &Query,
    name: &str,
    problem: &str,
) -> Result<Option<T>, Refusal> {
    let text = query.get(name);
    text.map(|text| text.parse().map_err(|_| bad_parameter(name, problem)))
        .transpose()
}

const PARAMETERS: &[&str] = &["after", "limit", "kind", "account", "from", "to"];

const DEFAULT_LIMIT: u32 = 100;
