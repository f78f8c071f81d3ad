//! The state of sessions: ordered to run, or to stop.

use serde_json::Value;
use serde_json::json;

use crate::schema::Schema;

/// What a session does (Accedian-session-type, service-session-status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was started.
    Running,
    /// It was not started, or was stopped.
    Stopped,
}

impl Status {
    /// The state of an entry in this status, as a JSON object.
    pub(super) fn to_state(self) -> Value {
        let word = match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
        };
        json!({ "status": { "status": word } })
    }
}

/// The state of a new entry; only sessions have one.
pub(super) fn initial(schema: &Schema, collection: &str) -> Option<String> {
    let sessions = schema.collection_named(collection)?;
    let has_status = schema.find(Some(sessions.list), "status").is_some();
    (collection == SESSIONS && has_status).then(|| Status::Stopped.to_state().to_string())
}

pub(super) const SESSIONS: &str = "Accedian-session:sessions";
pub(super) const SERVICES: &str = "Accedian-service:services";
pub(super) const ENDPOINTS: &str = "Accedian-service-endpoint:service-endpoints";
