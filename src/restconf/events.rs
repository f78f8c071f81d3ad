//! Event streams (RFC 8040 sections 3.8 and 6): server-sent events, in JSON and XML.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;
use serde_json::Value;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::datastore::Notices;
use crate::iam::LiveSession;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::schema::Schema;

use super::Service;
use super::error::Refusal;
use super::filter::Filter;
use super::form::Form;
use super::query::Query;

/// What a reader has asked for, checked.
pub(super) struct Subscription {
    filter: Filter,
    /// The last notice that it has, or wants not to have.
    after: u64,
    is_replay: bool,
    stop: Option<Timestamp>,
    form: Form,
}

impl Subscription {
    /// Reads a request for the stream of this name.
    pub(super) async fn read(
        service: &Service,
        tenant: &TenantId,
        ((stream, query, headers), form): ((&str, &Query, &HeaderMap), Form),
    ) -> Result<Self, Refusal> {
        let schema = service.schema();
        let mut filter = Filter::default();
        if stream != ALL {
            let kind = stream.strip_prefix(ONE).unwrap_or_default();
            if !schema.notifications().iter().any(|it| it == kind) {
                return Err(Refusal::not_found("there is no such stream"));
            }
            filter.kind = Some(kind.to_owned());
        }
        if !accepts(headers) {
            return Err(Refusal::new(
                StatusCode::NOT_ACCEPTABLE,
                "invalid-value",
                "streams are text/event-stream",
            ));
        }
        filter.group = query.get("group-id").map(str::to_owned);
        if let Some(text) = query.get("filter") {
            filter.narrow(schema, text)?;
        }
        let notices = service.datastore.notices();
        let (start, stop) = (time(query, "start-time")?, time(query, "stop-time")?);
        match (start, stop) {
            (Some(start), _) if start > service.clock.now() => {
                return Err(Refusal::invalid("start-time is in the future"));
            }
            (Some(start), Some(stop)) if stop <= start => {
                return Err(Refusal::invalid("stop-time is not after start-time"));
            }
            (None, Some(_)) => return Err(Refusal::invalid("stop-time needs start-time")),
            _ => {}
        }
        notices.refresh(tenant).await?;
        let newest = *notices.watch(tenant).borrow();
        let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
        let last = last.and_then(|id| id.parse::<u64>().ok());
        let after = match (last, start) {
            (Some(last), _) => last,
            (None, Some(start)) => notices.before(tenant, start),
            (None, None) => newest,
        };
        Ok(Self {
            filter,
            after,
            is_replay: start.is_some(),
            stop,
            form,
        })
    }

    /// The answer, which lasts as long as the session and its reader.
    pub(super) fn answer(self, service: &Service, session: LiveSession) -> Response {
        let tenant = session.permit().tenant().clone();
        let notices = service.datastore.notices().clone();
        let newest = notices.watch(&tenant);
        let replayed = *newest.borrow();
        let now = service.clock.now();
        let reading = Reading {
            deadline: self.stop.map(|stop| Instant::now() + stop.since(now)),
            is_over: self.stop.is_some_and(|stop| stop <= now),
            replay_until: self.is_replay.then_some(replayed),
            subscription: self,
            ready: VecDeque::new(),
            notices,
            schema: Arc::clone(service.schema()),
            clock: service.clock.clone(),
            tenant,
            newest,
            session,
        };
        let events = stream::unfold(Some(reading), Reading::next);
        let mut response = Response::new(Body::from_stream(events));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

struct Reading {
    subscription: Subscription,
    ready: VecDeque<String>,
    notices: Notices,
    schema: Arc<Schema>,
    clock: Clock,
    tenant: TenantId,
    newest: watch::Receiver<u64>,
    session: LiveSession,
    /// The newest notice when the replay began.
    replay_until: Option<u64>,
    /// When the stream ends.
    deadline: Option<Instant>,
    /// It ends when what is kept has been sent.
    is_over: bool,
}

impl Reading {
    /// The next piece, and how to go on.
    async fn next(reading: Option<Self>) -> Option<(Result<Bytes, Infallible>, Option<Self>)> {
        let mut reading = reading?;
        loop {
            // Nothing is sent after the end (iam R5).
            if let Some(end) = reading.session.end_now() {
                let text = format!(": ended: {}\n\n", end.reason.as_str());
                return Some((Ok(text.into()), None));
            }
            if let Some(text) = reading.ready.pop_front() {
                return Some((Ok(text.into()), Some(reading)));
            }
            if reading.pull() {
                continue;
            }
            if reading.is_over {
                return None;
            }
            if let Some(text) = reading.wait().await {
                return Some((Ok(text.into()), Some(reading)));
            }
        }
    }

    /// Takes what is new. False when nothing is.
    fn pull(&mut self) -> bool {
        self.newest.borrow_and_update();
        let batch = self.notices.after(&self.tenant, self.subscription.after);
        if batch.has_gap && self.subscription.after > 0 {
            self.ready
                .push_back(": some notifications were forgotten\n\n".to_owned());
        }
        let has_more = !batch.notices.is_empty();
        for notice in batch.notices {
            self.subscription.after = notice.id;
            if self.subscription.stop.is_some_and(|stop| notice.at > stop) {
                self.is_over = true;
                return !self.ready.is_empty();
            }
            if self.subscription.filter.passes(&notice) {
                let event = self.subscription.form.event(&self.schema, &notice);
                self.ready.push_back(event);
            }
        }
        if !has_more && self.replay_until.take().is_some() {
            let now = self.clock.now();
            self.ready.push_back(self.subscription.form.replayed(now));
            return true;
        }
        has_more
    }

    /// Waits for something to happen: a comment to send, or nothing.
    async fn wait(&mut self) -> Option<String> {
        let mut beat = tokio::time::interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let stop = pin!(stop);
        tokio::select! {
            biased;
            _ = self.session.ended() => None,
            changed = self.newest.changed() => {
                self.is_over |= changed.is_err();
                None
            }
            () = stop => {
                self.is_over = true;
                None
            }
            _ = beat.tick() => Some(": keep-alive\n\n".to_owned()),
        }
    }
}

/// The content of `ietf-restconf-monitoring:streams`.
pub(super) fn streams(service: &Service, host: &str, began: Timestamp) -> Value {
    let schema = service.schema();
    let below = if service.config.vendor_locations {
        "notif"
    } else {
        "streams"
    };
    let all = (ALL.to_owned(), "All notifications.".to_owned());
    let each = schema.notifications().iter();
    let each = each.map(|it| (format!("{ONE}{it}"), format!("The notification {it}.")));
    let stream = |(name, description): (String, String)| {
        json!({
            "name": name,
            "description": description,
            "replay-support": true,
            "replay-log-creation-time": began.to_string(),
            "access": [
                { "encoding": "json", "location": format!("https://{host}/restconf/{below}/{name}/JSON") },
                { "encoding": "xml", "location": format!("https://{host}/restconf/{below}/{name}/XML") },
            ],
        })
    };
    let streams: Vec<Value> = std::iter::once(all).chain(each).map(stream).collect();
    json!({ "stream": streams })
}

fn accepts(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(ACCEPT).iter();
    let fits = |value: &HeaderValue| {
        let value = value.to_str().unwrap_or_default();
        ["text/event-stream", "text/*", "*/*"]
            .iter()
            .any(|it| value.contains(it))
    };
    !headers.contains_key(ACCEPT) || values.any(fits)
}

fn time(query: &Query, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let text = query.get(name);
    let parsed = text.map(Timestamp::parse_rfc3339).transpose();
    parsed.map_err(|_| Refusal::invalid(format!("query parameter \"{name}\" is no date-and-time")))
}

/// The stream of all notifications (RFC 8040 6.3.1).
pub(super) const ALL: &str = "NETCONF";
/// Streams of one notification each, named as the vendor does.
pub(super) const ONE: &str = "notification-stream/";

/// Proxies close connections that are silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
