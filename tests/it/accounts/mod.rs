//! The vendor's account API on the gateway's port.

mod audit;
mod bodies;
mod calls;
mod login;
mod rights;
mod status;
mod tenants;
mod trail;

use std::fmt::Write as _;

use serde_json::Value;
use serde_json::json;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::iam::Role;
use tollgate::model::TenantId;
use tollgate::secret::Secret;

use crate::gateway::Gateway;
use crate::gateway::TENANT;

const ROOT: &str = "/api/v2/auth/serviceaccount";
const UNTIL: &str = "2026-12-31T23:59:59Z";
const PASSWORD: &str = "correct horse battery";

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Answer {
    /// The first header of that name.
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    #[track_caller]
    fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    #[track_caller]
    fn created(self) -> Value {
        assert_eq!(self.status, 201, "{}", self.body);
        assert!(self.header("location").is_some());
        self.body
    }

    /// An error document whose every entry has this status, and whose first has this code.
    #[track_caller]
    fn is(&self, status: u16, code: &str) {
        let first = &self.body["errors"][0];
        let found = (self.status, first["code"].as_str());
        assert_eq!(found, (status, Some(code)), "{}", self.body);
        let id = self.header("x-request-id").unwrap();
        for error in self.body["errors"].as_array().unwrap() {
            assert_eq!(error["status"], status.to_string());
            assert_eq!(error["id"], id);
            assert!(error["title"].is_string() && error["detail"].is_string());
        }
        assert!(self.body.get("data").is_none());
        assert_eq!(
            self.header("content-type"),
            Some("application/vnd.api+json")
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }

    #[track_caller]
    fn pointer(&self) -> &str {
        self.body["errors"][0]["source"]["pointer"]
            .as_str()
            .unwrap()
    }
}

/// One caller on the gateway's port.
struct Api<'a> {
    gateway: &'a Gateway,
    headers: Vec<(String, String)>,
}

impl<'a> Api<'a> {
    /// With a token and its tenant.
    fn new(gateway: &'a Gateway, token: &str) -> Self {
        Self::bare(gateway)
            .with("Authorization", &format!("Bearer {token}"))
            .with("X-Forwarded-Tenant-Id", TENANT)
    }

    /// As the tenant's exporter, a tenant-admin.
    fn admin(gateway: &'a Gateway) -> Self {
        Self::new(gateway, &gateway.token())
    }

    fn bare(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    async fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "content-length: {}\r\n\r\n", body.len()).unwrap();
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        let answer = self.gateway.exchange(&request).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Answer {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: serde_json::from_str(body).unwrap_or_else(|_| json!(body)),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, b"").await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, b"").await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, body.to_string().as_bytes()).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, body.to_string().as_bytes()).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, body.to_string().as_bytes()).await
    }

    /// A new account without a token: its path.
    async fn new_account(&self, username: &str) -> String {
        let made = self.post(ROOT, account(username)).await.created();
        format!("{ROOT}/{}", text(&made["machineUserId"]))
    }

    /// A new token of the account at `path`: its id and itself.
    async fn new_pat(&self, path: &str) -> (String, String) {
        let body = json!({ "expirationDate": UNTIL });
        let made = self.post(&format!("{path}/pat"), body).await.created();
        (text(&made["credentialId"]), text(&made["pat"]))
    }
}

fn account(username: &str) -> Value {
    json!({ "username": username, "name": username, "accessTokenType": "Bearer" })
}

async fn person(gateway: &Gateway, tenant: &str, username: &str, role: Role) -> AccountId {
    let tenant = TenantId::new(tenant);
    let new = NewAccount::person(tenant, username, Secret::new(PASSWORD), role.into());
    let made = gateway
        .accounts()
        .create_account(&Caller::operator(), new, None)
        .await;
    made.unwrap().0.id
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}
