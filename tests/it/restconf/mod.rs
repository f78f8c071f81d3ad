//! RESTCONF on the gateway's port.

mod compat;
mod conditions;
mod description;
mod discovery;
mod edits;
mod events;
mod hostile;
mod ledger;
mod model;
mod ned;
mod nmda;
mod operations;
mod patch;
mod patch_xml;
mod queries;
mod refusals;
mod verify;

use serde_json::Value;
use serde_json::json;

use crate::gateway::Gateway;
use crate::http;
use crate::http::Face;

pub const ENDPOINTS: &str = "/restconf/data/Accedian-service-endpoint:service-endpoints";
pub const SESSIONS: &str = "/restconf/data/Accedian-session:sessions";
const SERVICES: &str = "/restconf/data/Accedian-service:services";
const POLICIES: &str = "/restconf/data/Accedian-alert:alert-policies";

pub struct Restconf;

impl Face for Restconf {
    const ON_IAM_PORT: bool = false;
    // YANG does.
    const IS_DESCRIBED: bool = false;
}

type Answer = http::Answer<Restconf>;
pub type Api<'a> = http::Api<'a, Restconf>;

impl Answer {
    /// An errors document of this status whose error has this tag.
    #[track_caller]
    fn is(&self, status: u16, tag: &str) {
        let error = self.error();
        let found = (self.status, error["error-tag"].as_str());
        assert_eq!(found, (status, Some(tag)), "{}", self.body);
        assert!(error["error-message"].is_string());
    }

    #[track_caller]
    fn has_status(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.body);
    }

    #[track_caller]
    fn error(&self) -> &Value {
        let errors = self.body["ietf-restconf:errors"]["error"].as_array();
        let errors = errors.unwrap_or_else(|| panic!("{} {}", self.status, self.body));
        assert_eq!(errors.len(), 1);
        &errors[0]
    }
}

impl<'a> Api<'a> {
    pub fn new(gateway: &'a Gateway, token: &str) -> Self {
        Self::bare(gateway)
            .without("Content-Type")
            .with("Authorization", &format!("Bearer {token}"))
            .with("Content-Type", "application/yang-data+json")
    }

    /// As the tenant's exporter, a tenant-admin.
    pub fn admin(gateway: &'a Gateway) -> Self {
        Self::new(gateway, &gateway.token())
    }

    /// Writing and reading XML.
    fn xml(self) -> Self {
        self.without("Content-Type")
            .with("Content-Type", "application/yang-data+xml")
            .with("Accept", "application/yang-data+xml")
    }

    async fn made(&self, collection: &str, body: Value) {
        let answer = self.post(collection, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    /// Endpoints `a` and `b`, and a session between them.
    async fn with_session(self) -> Self {
        self.made(ENDPOINTS, endpoints(&["a", "b"])).await;
        self.made(
            SESSIONS,
            json!({ "Accedian-session:session": [session("s")] }),
        )
        .await;
        self
    }
}

fn endpoints(ids: &[&str]) -> Value {
    let entries: Vec<Value> = ids.iter().map(|id| json!({ "endpoint-id": id })).collect();
    json!({ "Accedian-service-endpoint:service-endpoint": entries })
}

pub fn session(id: &str) -> Value {
    json!({
        "session-id": id,
        "session-type": "Accedian-session-type:twamp-light",
        "service-endpoints": [
            { "endpoint-id": "a", "session-protocol": {
                "Accedian-session-twamp-light:twamp-light": {
                    "session-sender": {
                        "admin-state": true, "sender-ip": "192.0.2.1", "reflector-ip": "192.0.2.2",
                    },
                },
            }},
            { "endpoint-id": "b" },
        ],
    })
}
