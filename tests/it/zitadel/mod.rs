//! The Zitadel-compatible API on the IAM port.

mod calls;
mod status;
mod streams;

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;
use serde_json::json;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::model::TenantId;
use tollgate::secret::Secret;

use crate::gateway::Gateway;
use crate::gateway::TENANT;

const ME: &str = "/auth/v1/users/me";
const MACHINES: &str = "/management/v1/users/machine";
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Value,
}

impl Answer {
    #[track_caller]
    fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    #[track_caller]
    fn is(&self, status: u16, code: u8) {
        let found = (self.status, self.body["code"].as_u64());
        assert_eq!(found, (status, Some(u64::from(code))), "{}", self.body);
        assert!(self.body["message"].is_string(), "{}", self.body);
        if let Some(details) = self.body.get("details") {
            let detail = &details[0];
            assert_eq!(
                detail["@type"],
                "type.googleapis.com/zitadel.v1.ErrorDetail"
            );
            let id = detail["id"].as_str().unwrap();
            assert!(id.starts_with("GW-"), "{id}");
            let message = format!("{} ({id})", detail["message"].as_str().unwrap());
            assert_eq!(self.body["message"], message);
        }
        assert_eq!(self.headers["cache-control"], "no-store");
    }
}

/// One caller on the IAM port.
struct Api<'a> {
    gateway: &'a Gateway,
    headers: Vec<(String, String)>,
}

impl<'a> Api<'a> {
    fn new(gateway: &'a Gateway, token: &str) -> Self {
        Self::anonymous(gateway).with("authorization", &format!("Bearer {token}"))
    }

    fn anonymous(gateway: &'a Gateway) -> Self {
        Self {
            gateway,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    async fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: iam\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "content-length: {}\r\n\r\n", body.len()).unwrap();
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        let answer = self.gateway.iam_exchange(&request).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status: status.parse().unwrap(),
            headers,
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

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, body.to_string().as_bytes()).await
    }

    async fn new_machine(&self, username: &str) -> String {
        let body = json!({ "userName": username, "name": username });
        text(&self.post(MACHINES, body).await.ok()["userId"])
    }
}

async fn person(gateway: &Gateway, username: &str, role: &str) -> (AccountId, String) {
    let role: tollgate::iam::Role = role.parse().unwrap();
    let password = Secret::new("correct horse battery");
    let new = NewAccount::person(TenantId::new(TENANT), username, password, role.into());
    let made = gateway
        .accounts()
        .create_account(&Caller::operator(), new, None)
        .await;
    let id = made.unwrap().0.id;
    (id, gateway.token_for(TENANT, &id).await)
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

fn pats(user: &str) -> String {
    format!("/management/v1/users/{user}/pats")
}
