//! The state of sessions: ordered to run, or to stop.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::audit::Event;
use crate::model::TenantId;
use crate::schema::Collection;
use crate::schema::Schema;
use crate::schema::Step;

use super::Datastore;
use super::EditError;
use super::Notice;
use super::Notices;
use super::port::Id;
use super::port::Record;
use super::port::StateChange;
use super::port::Unavailable;

/// What a session does (Accedian-session-type, service-session-status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was started.
    Running,
    /// It was not started, or was stopped.
    Stopped,
}

impl Datastore {
    /// Starts or stops a session, and tells of it. One that is in the status already stays as it is. False when there
    /// is none.
    ///
    /// # Errors
    ///
    /// [`EditError`]: a sender of the session does not know an address that it needs, or the store does not answer.
    pub async fn set_status(
        &self,
        tenant: &TenantId,
        collection: &Collection,
        entry: &Step,
        (status, event): (Status, &Event),
    ) -> Result<bool, EditError> {
        let id = self.id(collection, entry);
        let Some(record) = self.entries.entry(tenant, &id).await? else {
            return Ok(false);
        };
        if status == Status::Running {
            let place = (collection, entry);
            self.check_addresses(tenant, place, &record).await?;
        }
        let word = status.word(self.schema());
        let state = json!({ "status": { "status": word } });
        if record.state.as_deref() == Some(&state.to_string()) {
            return Ok(true);
        }
        let change = StateChange {
            state: state.to_string(),
            notices: self.notices_of(tenant, &id, &record, word).await?,
            keep: Notices::KEPT,
        };
        if !self.entries.set_state(tenant, &id, &change, event).await? {
            return Ok(false);
        }
        self.feed.tell(tenant);
        // It is kept: that readers here hear of it late is no reason to say that it was not done.
        if let Err(error) = self.notices().refresh(tenant).await {
            tracing::warn!(%tenant, %error, "readers hear of a session's state late");
        }
        Ok(true)
    }

    /// What is told of a session's new status, and of each service that has it.
    async fn notices_of(
        &self,
        tenant: &TenantId,
        id: &Id,
        session: &Record,
        status: &str,
    ) -> Result<Vec<Notice>, Unavailable> {
        let about = |key: &str, record: &Record| {
            let body: Value = serde_json::from_str(&record.body).unwrap_or_default();
            let group = body
                .get("group-id")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let mut content = Map::new();
            content.insert(key.to_owned(), body.get(key).cloned().unwrap_or_default());
            if let Some(group) = &group {
                content.insert("group-id".to_owned(), json!(group));
            }
            (group, content)
        };
        let (group, mut content) = about("session-id", session);
        let session_id = content.get("session-id").cloned().unwrap_or_default();
        content.insert("status".to_owned(), json!(status));
        let kind = "Accedian-session:state-change-event";
        let mut notices = vec![self.notices().of(kind, (group, Value::Object(content)))];
        for service in self.entries.referrers(tenant, id).await? {
            if service.collection != SERVICES {
                continue;
            }
            let Some(record) = self.entries.entry(tenant, &service).await? else {
                continue;
            };
            let (group, mut content) = about("service-id", &record);
            let change = json!([{ "session-id": session_id, "status": status }]);
            content.insert("session-state-change".to_owned(), change);
            let kind = "Accedian-service:state-change-event";
            notices.push(self.notices().of(kind, (group, Value::Object(content))));
        }
        Ok(notices)
    }
}

impl Status {
    /// The word of the modules that are loaded: older ones write it with a capital letter (restconf-pki Q3).
    fn word(self, schema: &Schema) -> &'static str {
        let types = schema.module("Accedian-session-type");
        let is_capital = types.is_some_and(|module| module.text.contains("enum Running"));
        match (self, is_capital) {
            (Self::Running, false) => "running",
            (Self::Running, true) => "Running",
            (Self::Stopped, false) => "stopped",
            (Self::Stopped, true) => "Stopped",
        }
    }
}

/// The state of a new entry; only sessions have one.
pub(super) fn initial(schema: &Schema, collection: &str) -> Option<String> {
    let sessions = schema.collection_named(collection)?;
    let has_status = schema.find(Some(sessions.list), "status").is_some();
    let stopped = || json!({ "status": { "status": Status::Stopped.word(schema) } });
    (collection == SESSIONS && has_status).then(|| stopped().to_string())
}

pub(super) const SESSIONS: &str = "Accedian-session:sessions";
pub(super) const SERVICES: &str = "Accedian-service:services";
pub(super) const ENDPOINTS: &str = "Accedian-service-endpoint:service-endpoints";
