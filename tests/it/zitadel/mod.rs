//! The Zitadel-compatible API on the IAM port.

mod calls;
mod rights;
mod status;
mod streams;

use serde_json::json;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::model::TenantId;
use tollgate::secret::Secret;

use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::http;
use crate::http::Face;
use crate::http::text;

const ME: &str = "/auth/v1/users/me";
const MACHINES: &str = "/management/v1/users/machine";
/// The Zitadel-compatible API, on the IAM port.
struct Zitadel;

impl Face for Zitadel {
    const ON_IAM_PORT: bool = true;
}

type Answer = http::Answer<Zitadel>;
type Api<'a> = http::Api<'a, Zitadel>;

impl Answer {
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
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }
}

impl<'a> Api<'a> {
    fn new(gateway: &'a Gateway, token: &str) -> Self {
        Self::bare(gateway).with("authorization", &format!("Bearer {token}"))
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

fn pats(user: &str) -> String {
    format!("/management/v1/users/{user}/pats")
}
