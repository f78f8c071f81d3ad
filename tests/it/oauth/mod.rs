//! The OAuth endpoints: access tokens for secrets and passwords, and what a token is worth.

mod edge;
mod introspection;
mod issuer;
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::model::TenantId;

use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::http;
use crate::http::Face;
use crate::http::text;

const TOKEN: &str = "/oauth/v2/token";

/// What is on the IAM port.
struct Iam;

impl Face for Iam {
    const ON_IAM_PORT: bool = true;
}

/// What is on the gateway's port.
struct Port;

impl Face for Port {
    const ON_IAM_PORT: bool = false;
}

type Api<'a, F> = http::Api<'a, F>;

impl<F> http::Answer<F> {
    /// A refusal as RFC 6749 5.2 has it.
    #[track_caller]
    fn refuses(&self, status: u16, error: &str) {
        let found = (self.status, self.body["error"].as_str());
        assert_eq!(found, (status, Some(error)), "{}", self.body);
        assert!(self.body["error_description"].is_string());
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(
            self.header("www-authenticate").is_some(),
            status == 401,
            "{:?}",
            self.headers
        );
    }
}

fn form<F: Face>(gateway: &Gateway) -> Api<'_, F> {
    Api::bare(gateway)
        .without("Content-Type")
        .with("Content-Type", "application/x-www-form-urlencoded")
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// A service account with a secret: its id, its client id, the secret.
async fn client(gateway: &Gateway, role: &str) -> (AccountId, String, String) {
    let account = gateway.new_account(TENANT, role).await;
    let (caller, tenant) = (Caller::operator(), TenantId::new(TENANT));
    let set = gateway.accounts().set_secret(&caller, &tenant, account);
    let (record, issued) = set.await.unwrap();
    (account, record.username, issued.token.expose().to_owned())
}

async fn new_secret(gateway: &Gateway, account: &AccountId) -> (String, String) {
    let made = iam(gateway).put(&secret_of(*account), json!({})).await.ok();
    (text(&made["clientId"]), text(&made["clientSecret"]))
}

fn secret_of(account: AccountId) -> String {
    format!("/management/v1/users/{account}/secret")
}

/// The tenant's exporter, a tenant-admin, on the IAM port.
fn iam(gateway: &Gateway) -> Api<'_, Iam> {
    Api::bare(gateway).with("Authorization", &format!("Bearer {}", gateway.token()))
}

/// What the token endpoint gives a client.
async fn access_token(gateway: &Gateway, id: &str, secret: &str) -> String {
    let api = form::<Iam>(gateway).with("Authorization", &basic(id, secret));
    let body: Value = api
        .send("POST", TOKEN, b"grant_type=client_credentials")
        .await
        .ok();
    text(&body["access_token"])
}
