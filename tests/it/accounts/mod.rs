//! The vendor's account API on the gateway's port.

mod audit;
mod bodies;
mod calls;
mod login;
mod minting;
mod outlets;
mod password;
mod policy;
mod rights;
mod status;
mod sweep;
mod tenants;
mod trail;

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
use crate::http;
use crate::http::Face;
use crate::http::text;

const ROOT: &str = "/api/v2/auth/serviceaccount";
const UNTIL: &str = "2026-12-31T23:59:59Z";
const PASSWORD: &str = "correct horse battery";

/// The vendor's API, on the gateway's port.
struct Vendor;

impl Face for Vendor {
    const ON_IAM_PORT: bool = false;
}

type Answer = http::Answer<Vendor>;
type Api<'a> = http::Api<'a, Vendor>;

impl Answer {
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
