//! The Zitadel-compatible API on the IAM port: the seeds' calls, and every row of the status table (iam 2.3, column B).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::model::TenantId;
use tollgate::secret::Secret;
use tollgate::wire::proto::gnmi as pb;

use crate::gateway::Gateway;
use crate::gateway::TENANT;

const ME: &str = "/auth/v1/users/me";
const MACHINES: &str = "/management/v1/users/machine";
const SCOPES: [&str; 4] = [
    "openid",
    "profile",
    "urn:zitadel:iam:user:metadata",
    "urn:zitadel:iam:user:resourceowner",
];

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

fn one_leaf() -> pb::GetRequest {
    pb::GetRequest {
        path: vec![crate::client::path("/a")],
        encoding: pb::Encoding::JsonIetf.into(),
        ..pb::GetRequest::default()
    }
}

/// Seed 001, option B, for whoever holds `bearer`: returns the new token.
async fn two_steps(gateway: &Gateway, bearer: &str) -> String {
    let api = Api::new(gateway, bearer);
    let id = text(&api.get(ME).await.ok()["user"]["id"]);
    let body = b"{\n\"expirationDate\": \"2099-12-31T23:59:59Z\"\n}";
    let made = api.send("POST", &pats(&id), body).await.ok();
    let pat = format!("{}/{}", pats(&id), text(&made["tokenId"]));
    let read = api.get(&pat).await.ok();
    assert_eq!(read["token"]["expirationDate"], "2099-12-31T23:59:59Z");
    text(&made["token"])
}

#[tokio::test]
async fn seed_001_works_for_a_machine_and_for_a_person() {
    let gateway = Gateway::start().await;
    let machine = gateway.token().await;
    let (_, person) = person(&gateway, "paula", "tenant-user").await;
    for bearer in [machine, person] {
        let token = two_steps(&gateway, &bearer).await;
        let client = gateway.anonymous().await.bearer(&token);
        client.capabilities().await.unwrap();
        assert_eq!(Api::new(&gateway, &token).get(ME).await.status, 200);
    }
}

#[tokio::test]
async fn me_is_the_caller_whatever_its_rights() {
    let gateway = Gateway::start().await;
    let (id, token) = person(
        &gateway,
        "Paula Portal".replace(' ', ".").as_str(),
        "tenant-portal",
    )
    .await;
    let answer = Api::new(&gateway, &token).get(ME).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let user = &answer.body["user"];
    let login_name = "Paula.Portal@pca";
    assert_eq!(
        *user,
        json!({
            "id": id.to_string(),
            "details": {
                "sequence": "1",
                "creationDate": "2026-06-01T12:00:00Z",
                "changeDate": "2026-06-01T12:00:00Z",
                "resourceOwner": "pca",
            },
            "state": "USER_STATE_ACTIVE",
            "userName": "Paula.Portal",
            "loginNames": [login_name],
            "preferredLoginName": login_name,
            "human": { "profile": { "firstName": "Paula.Portal", "displayName": "Paula.Portal" }, "email": {} },
        })
    );
    let token = gateway.token().await;
    let user = Api::new(&gateway, &token).get(ME).await.ok();
    // description is empty and the token type is the zero of its enumeration.
    assert_eq!(user["user"]["machine"], json!({ "name": "exporter" }));
}

#[tokio::test]
async fn seed_000_makes_a_service_user_with_a_role_and_a_token() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token().await);
    let body = json!({
        "user_name": "integrationUser@pca", "name": "Integration", "description": "x".repeat(500),
        "accessTokenType": "ACCESS_TOKEN_TYPE_BEARER", "unknown": { "a": [1] },
    });
    let made = api.post(MACHINES, body).await.ok();
    let user = text(&made["userId"]);
    assert_eq!(
        made["details"],
        json!({ "sequence": "1", "changeDate": "2026-06-01T12:00:00Z", "resourceOwner": "pca" })
    );
    let made = api.post(&pats(&user), json!({})).await.ok();
    let token = text(&made["token"]);
    let details =
        json!({ "sequence": "1", "creationDate": "2026-06-01T12:00:00Z", "resourceOwner": "pca" });
    assert_eq!(made["details"], details);

    // Not authorized yet: known, but without any right.
    let client = gateway.anonymous().await.bearer(&token);
    let denied = client.get(one_leaf()).await.unwrap_err();
    assert_eq!(denied.code(), tonic::Code::PermissionDenied);
    let grant = json!({ "projectId": "analytics", "roleKeys": ["tenant-user"] });
    let grants = format!("/management/v1/users/{user}/grants");
    let granted = api.post(&grants, grant).await.ok();
    assert_eq!(text(&granted["userGrantId"]), user);
    gateway.publish("", "/a", crate::client::int(1));
    gateway.core.pump();
    client.get(one_leaf()).await.unwrap();
}

#[tokio::test]
async fn tokens_are_listed_read_and_revoked() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token().await);
    let user = api.new_machine("lister").await;
    let search = format!("{}/_search", pats(&user));
    assert_eq!(
        api.send("POST", &search, b"").await.ok(),
        json!({ "details": { "viewTimestamp": "2026-06-01T12:00:00Z" } })
    );
    let never = api.post(&pats(&user), json!({})).await.ok();
    gateway.pass(Duration::from_secs(1));
    let short = api
        .post(
            &pats(&user),
            json!({ "expirationDate": "2026-06-01T14:00:02+02:00" }),
        )
        .await
        .ok();
    gateway.pass(Duration::from_secs(1));
    let found = api
        .post(&search, json!({ "query": { "asc": true } }))
        .await
        .ok();
    assert_eq!(found["details"]["totalResult"], "2");
    assert_eq!(
        found["result"][0],
        json!({
            "id": never["tokenId"],
            "details": {
                "sequence": "1",
                "creationDate": "2026-06-01T12:00:00Z",
                "changeDate": "2026-06-01T12:00:00Z",
                "resourceOwner": "pca",
            },
            "expirationDate": "9999-12-31T23:59:59Z",
            "scopes": SCOPES,
        })
    );
    // The expired one is still listed; a list never shows a secret.
    assert_eq!(found["result"][1]["id"], short["tokenId"]);
    assert_eq!(found["result"][1]["expirationDate"], "2026-06-01T12:00:02Z");
    assert!(!found.to_string().contains("tgpat_"));
    let newest = json!({ "query": { "offset": "0", "limit": 1 } });
    let found = api.post(&search, newest).await.ok();
    assert_eq!(found["result"].as_array().unwrap().len(), 1);
    assert_eq!(found["result"][0]["id"], short["tokenId"]);

    let pat = format!("{}/{}", pats(&user), text(&never["tokenId"]));
    assert_eq!(api.get(&pat).await.ok()["token"]["id"], never["tokenId"]);
    let client = Api::new(&gateway, &text(&never["token"]));
    assert_eq!(client.get(ME).await.status, 200);
    let removed = api.delete(&pat).await.ok();
    assert!(removed["details"]["changeDate"].is_string());
    assert!(removed["details"].get("creationDate").is_none());
    client.get(ME).await.is(401, 16);
    api.delete(&pat).await.is(404, 5);
    api.get(&pat).await.is(404, 5);
    // Another user's token is not this user's.
    let other = api.new_machine("other").await;
    let pat = format!("{}/{}", pats(&other), text(&short["tokenId"]));
    api.delete(&pat).await.is(404, 5);
}

#[tokio::test]
async fn missing_and_wrong_credentials_are_401_with_a_challenge() {
    let gateway = Gateway::start().await;
    let bare = r#"Bearer realm="tollgate""#;
    let answer = Api::anonymous(&gateway).get(ME).await;
    answer.is(401, 16);
    assert_eq!(
        answer.body,
        json!({ "code": 16, "message": "auth header missing" })
    );
    assert_eq!(answer.headers["www-authenticate"], bare);
    let token = gateway.token().await;
    for value in [token.clone(), format!("Basic {token}"), "Bearer".to_owned()] {
        let answer = Api::anonymous(&gateway)
            .with("authorization", &value)
            .get(ME)
            .await;
        answer.is(401, 16);
        assert_eq!(answer.headers["www-authenticate"], bare);
    }
    let (revoked, id) = gateway.new_token(TENANT, "tenant-admin", None).await;
    gateway.revoke(TENANT, &id).await;
    for (token, word) in [
        (format!("Bearer {token}"), "invalid credentials"),
        ("nonsense".to_owned(), "invalid credentials"),
        (gateway.unknown_token(), "invalid credentials"),
        (revoked, "token revoked"),
    ] {
        let answer = Api::new(&gateway, &token).get(ME).await;
        answer.is(401, 16);
        let expected = format!(r#"{bare}, error="invalid_token", error_description="{word}""#);
        assert_eq!(answer.headers["www-authenticate"], expected);
        assert!(!answer.body.to_string().contains(&token));
    }
    let lower = Api::anonymous(&gateway).with("authorization", &format!("bearer {token}"));
    assert_eq!(lower.get(ME).await.status, 200);
}

#[tokio::test]
async fn expired_token_is_401_here() {
    let gateway = Gateway::start().await;
    let ttl = Some(Duration::from_mins(1));
    let (token, _) = gateway.new_token(TENANT, "tenant-admin", ttl).await;
    let api = Api::new(&gateway, &token);
    assert_eq!(
        api.get(ME).await.headers["x-token-expires-at"],
        "2026-06-01T12:01:00Z"
    );
    gateway.pass(Duration::from_mins(1));
    let answer = api.get(ME).await;
    answer.is(401, 16);
    assert_eq!(answer.body["details"][0]["id"], "GW-TokenExpired");
}

#[tokio::test]
async fn two_headers_and_tokens_in_the_address_are_400() {
    let gateway = Gateway::start().await;
    let token = gateway.token().await;
    let bearer = format!("Bearer {token}");
    let twice = Api::new(&gateway, &token).with("authorization", &bearer);
    twice.get(ME).await.is(400, 3);
    let answer = Api::anonymous(&gateway)
        .get(&format!("{ME}?access_token={token}"))
        .await;
    answer.is(400, 3);
    assert!(!answer.body.to_string().contains(&token));
}

#[tokio::test]
async fn order_is_credential_permission_message_store() {
    let gateway = Gateway::start().await;
    let bad = b"{ not json";
    let unknown = gateway.unknown_token();
    let nobody = pats("123456789012345678");
    Api::new(&gateway, &unknown)
        .send("POST", &nobody, bad)
        .await
        .is(401, 16);
    let user = gateway.token_of(TENANT, "tenant-user").await;
    Api::new(&gateway, &user)
        .send("POST", &nobody, bad)
        .await
        .is(403, 7);
    let admin = Api::new(&gateway, &gateway.token().await);
    admin.send("POST", &nobody, bad).await.is(400, 3);
    admin
        .post(&nobody, json!({ "expirationDate": "2020-01-01T00:00:00Z" }))
        .await
        .is(400, 3);
    admin.post(&nobody, json!({})).await.is(400, 9);
}

#[tokio::test]
async fn malformed_messages_are_400() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token().await);
    let user = api.new_machine("target").await;
    let name = |length: usize| "n".repeat(length);
    for body in [
        json!({}),
        json!([]),
        json!({ "userName": "u" }),
        json!({ "name": "n" }),
        json!({ "userName": "  ", "name": "n" }),
        json!({ "userName": null, "name": "n" }),
        json!({ "userName": name(201), "name": "n" }),
        json!({ "userName": "u", "name": name(201) }),
        json!({ "userName": "u\u{0}", "name": "n" }),
        json!({ "userName": 1, "name": "n" }),
        json!({ "userName": "u", "name": "n", "description": "ü".repeat(501) }),
        json!({ "userName": "u", "name": "n", "accessTokenType": "ACCESS_TOKEN_TYPE_JWT" }),
        json!({ "userName": "u", "name": "n", "accessTokenType": 7 }),
    ] {
        let answer = api.post(MACHINES, body).await;
        answer.is(400, 3);
        assert!(answer.body.get("details").is_none(), "{}", answer.body);
    }
    for body in [
        &br#"{"userName":"a","userName":"b","name":"n"}"#[..],
        br#"{"userName":"\ud800","name":"n"}"#,
        b"\xff",
    ] {
        api.send("POST", MACHINES, body).await.is(400, 3);
    }
    for date in [
        "2026-06-01T12:00:00Z",
        "2026-06-01T11:59:59Z",
        "2026-06-01",
        "",
        "10000-01-01T00:00:00Z",
        "2026-06-01T14:00:00+02:00",
    ] {
        api.post(&pats(&user), json!({ "expirationDate": date }))
            .await
            .is(400, 3);
    }
    for date in [
        "2026-06-01T12:00:01Z",
        "2026-06-01T14:00:01.5+02:00",
        "9999-12-31T23:59:59Z",
    ] {
        api.post(&pats(&user), json!({ "expiration_date": date }))
            .await
            .ok();
    }
    api.post(&pats(&name(201)), json!({})).await.is(400, 3);
    let deep = format!(
        r#"{{"userName":"deep","name":"n","x":{}{}}}"#,
        "[".repeat(30_000),
        "]".repeat(30_000)
    );
    assert_eq!(
        api.send("POST", MACHINES, deep.as_bytes()).await.status,
        200
    );
    let large = format!(r#"{{"userName":"u","name":"n","x":"{}"}}"#, name(64 << 10));
    api.send("POST", MACHINES, large.as_bytes())
        .await
        .is(413, 8);
}

#[tokio::test]
async fn roles_decide_and_are_never_exceeded() {
    let gateway = Gateway::start().await;
    for role in ["tenant-contributor", "tenant-user", "tenant-portal"] {
        let api = Api::new(&gateway, &gateway.token_of(TENANT, role).await);
        for path in [
            MACHINES,
            "/management/v1/users/_search",
            "/management/v1/users/grants/_search",
        ] {
            api.post(path, json!({})).await.is(403, 7);
        }
        api.get("/management/v1/orgs/me").await.is(403, 7);
        // A service user issues no token to itself without the right to manage.
        let own = text(&api.get(ME).await.ok()["user"]["id"]);
        api.post(&pats(&own), json!({})).await.is(403, 7);
        api.send("POST", &format!("{}/_search", pats(&own)), b"")
            .await
            .ok();
    }
    let manager = Api::new(
        &gateway,
        &gateway.token_of(TENANT, "service-account-manager").await,
    );
    let admin = gateway
        .new_account(TENANT, "tenant-admin")
        .await
        .to_string();
    manager.post(&pats(&admin), json!({})).await.is(403, 7);
    manager
        .delete(&format!("/management/v1/users/{admin}"))
        .await
        .is(403, 7);
    let made = manager.new_machine("managed").await;
    let grants = format!("/management/v1/users/{made}/grants");
    let grant = |role: &str| json!({ "projectId": "analytics", "roleKeys": [role] });
    let answer = manager.post(&grants, grant("tenant-portal")).await;
    answer.is(403, 7);
    assert_eq!(answer.body["details"][0]["id"], "GW-RolesExceed");
    manager
        .post(&grants, grant("service-account-manager"))
        .await
        .ok();
    let tenant_admin = Api::new(&gateway, &gateway.token().await);
    tenant_admin
        .put(&format!("{grants}/{made}"), grant("skylight-admin"))
        .await
        .is(403, 7);
}

#[tokio::test]
async fn a_persons_tokens_are_that_persons_alone() {
    let gateway = Gateway::start().await;
    let (paula, paulas) = person(&gateway, "paula", "tenant-user").await;
    let (peter, _) = person(&gateway, "peter", "tenant-portal").await;
    let own = Api::new(&gateway, &paulas);
    own.post(&pats(&paula.to_string()), json!({})).await.ok();
    own.post(&pats(&peter.to_string()), json!({}))
        .await
        .is(403, 7);
    let admin = Api::new(&gateway, &gateway.token().await);
    let answer = admin.post(&pats(&peter.to_string()), json!({})).await;
    answer.is(400, 9);
    assert_eq!(answer.body["details"][0]["id"], "GW-UserType");
    // A person revokes its own, too.
    let made = own.post(&pats(&paula.to_string()), json!({})).await.ok();
    let pat = format!("{}/{}", pats(&paula.to_string()), text(&made["tokenId"]));
    own.delete(&pat).await.ok();
}

#[tokio::test]
async fn other_tenants_are_not_there() {
    let gateway = Gateway::start().await;
    let foreign = gateway
        .new_account("globex", "tenant-user")
        .await
        .to_string();
    let admin = Api::new(&gateway, &gateway.token().await);
    let unknown = "123456789012345678";
    let path = |user: &str| format!("/management/v1/users/{user}");
    let answers = [
        admin.get(&path(&foreign)).await,
        admin.get(&path(unknown)).await,
    ];
    answers[0].is(404, 5);
    assert_eq!(answers[0].body, answers[1].body);
    admin.get(&path("x")).await.is(404, 5);
    admin.post(&pats(&foreign), json!({})).await.is(400, 9);
    admin.post(&pats(unknown), json!({})).await.is(400, 9);
    for organization in ["globex", "nowhere", "PCA"] {
        let api = Api::new(&gateway, &gateway.token().await).with("x-zitadel-orgid", organization);
        api.post(MACHINES, json!({})).await.is(403, 7);
        // The auth API is about the caller alone.
        assert_eq!(api.get(ME).await.status, 200);
    }
    let token = gateway.token_of(TENANT, "skylight-admin").await;
    let api = Api::new(&gateway, &token).with("x-zitadel-orgid", "globex");
    assert_eq!(api.get(&path(&foreign)).await.status, 200);
    assert_eq!(
        api.get("/management/v1/orgs/me").await.ok()["org"]["id"],
        "globex"
    );
    let api = Api::new(&gateway, &token).with("x-zitadel-orgid", "nowhere");
    api.get(&path(&foreign)).await.is(403, 7);
    // Forwarded identities count for nothing.
    let user = gateway.token_of(TENANT, "tenant-user").await;
    let api = Api::new(&gateway, &user)
        .with("X-Forwarded-User-Roles", "skylight-admin")
        .with("x-forwarded-tenant-id", "globex");
    api.post(MACHINES, json!({})).await.is(403, 7);
}

#[tokio::test]
async fn usernames_are_one_namespace() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token().await);
    api.new_machine("taken").await;
    person(&gateway, "paula", "tenant-user").await;
    for name in ["taken", "TAKEN", "paula"] {
        let answer = api
            .post(MACHINES, json!({ "userName": name, "name": "n" }))
            .await;
        answer.is(409, 6);
        assert_eq!(answer.body["details"][0]["id"], "GW-UserExists");
    }
}

#[tokio::test]
async fn unknown_paths_are_404_and_wrong_methods_405() {
    let gateway = Gateway::start().await;
    let api = Api::new(&gateway, &gateway.token().await);
    for path in [
        "/",
        "/management/v1",
        "/management/v1/nothing",
        "/v2/x",
        "/auth/v1/users/me/x",
    ] {
        api.get(path).await.is(404, 5);
    }
    let answer = api.delete(ME).await;
    answer.is(405, 12);
    assert_eq!(answer.headers["allow"], "GET,HEAD");
    api.get(MACHINES).await.is(405, 12);
    api.send("PATCH", &pats("1"), b"").await.is(405, 12);
    let health = Api::anonymous(&gateway).get("/healthz").await;
    assert_eq!((health.status, health.body), (200, json!("ok\n")));
    let request_id = Api::anonymous(&gateway)
        .with("x-request-id", "r-1")
        .get(ME)
        .await;
    assert_eq!(request_id.headers["x-request-id"], "r-1");
}

#[tokio::test]
async fn too_many_failures_are_429() {
    let gateway = Gateway::start_with(|settings| settings.iam.throttle.failure_burst = 3).await;
    let unknown = Api::new(&gateway, &gateway.unknown_token());
    let mut answer = unknown.get(ME).await;
    for _ in 0..5 {
        answer = unknown.get(ME).await;
    }
    answer.is(429, 8);
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    // Those with a good token behind the same address do not notice.
    assert_eq!(
        Api::new(&gateway, &gateway.token().await)
            .get(ME)
            .await
            .status,
        200
    );
}
