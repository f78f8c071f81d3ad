//! After a busy day no token and no password stands anywhere but where it was handed out: not in the database, its
//! journal, the log at its most talkative, an error, a list or a metric (iam section 8, 8; iam T6, A3).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpStream;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::iam::Role;
use tollgate::model::TenantId;
use tollgate::secret::Secret;
use tollgate::transport::Trust;
use tollgate::transport::dial;

use crate::client::Client;
use crate::client::first;
use crate::client::in_time;
use crate::client::on_change;
use crate::gateway::TENANT;
use crate::gateway::exchange;
use crate::process::Process;
use crate::process::administrator;
use crate::process::open;

const ROOT: &str = "/api/v2/auth/serviceaccount";
const UNTIL: &str = "2099-12-31T23:59:59Z";
const PASSWORD: &str = "correct-horse-battery";

/// A process, and everything that it has said which may hold no secret.
struct Busy {
    process: Process,
    admin: String,
    said: Vec<String>,
}

impl Busy {
    /// Sends a request with these headers and keeps the answer.
    async fn ask(&mut self, line: &str, headers: &[String], body: &str) {
        let answer = self.answer(line, headers, body).await;
        self.said.push(answer);
    }

    /// The answer, which is the caller's alone. A path of Zitadel's goes to the IAM port.
    async fn answer(&self, line: &str, headers: &[String], body: &str) -> String {
        let mut request = format!("{line} HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        write!(request, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let is_iam = ["/auth/", "/management/", "/v2/", "/oauth/v2/"]
            .iter()
            .any(|part| line.split(' ').nth(1).unwrap().starts_with(part));
        if is_iam {
            self.process.iam_exchange(request.as_bytes()).await
        } else {
            self.process.exchange(request.as_bytes()).await
        }
    }

    /// As the administrator.
    async fn manage(&self, line: &str, body: &str) -> Value {
        let answer = self.answer(line, &as_json(&self.admin), body).await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
    }
}

fn as_json(token: &str) -> Vec<String> {
    vec![
        format!("Authorization: Bearer {token}"),
        format!("X-Forwarded-Tenant-Id: {TENANT}"),
        "Content-Type: application/json".to_owned(),
    ]
}

/// Every place of a request in which somebody could put a token by mistake.
async fn misplace(busy: &mut Busy, token: &str) {
    let own = format!("{ROOT}/self");
    let basic = STANDARD.encode(format!("root:{token}"));
    let admin = busy.admin.clone();
    for header in [
        format!("Authorization: {token}"),
        format!("Authorization: Token {token}"),
        format!("Authorization: Basic {basic}"),
        format!("Authorization: Bearer Bearer {token}"),
        format!("Authorization: Bearer {token}x"),
        format!("Cookie: __Host-tollgate-session={token}x"),
        format!("X-Token: {token}"),
    ] {
        for line in [format!("GET {own}"), "GET /auth/v1/users/me".to_owned()] {
            busy.ask(&line, std::slice::from_ref(&header), "").await;
        }
    }
    for name in [
        "X-Request-Id",
        "User-Agent",
        "X-Forwarded-Tenant-Id",
        "X-Zitadel-Orgid",
        "Accept",
        "Referer",
    ] {
        let mut headers = as_json(&admin);
        headers.retain(|header| !header.starts_with(name));
        headers.push(format!("{name}: {token}"));
        busy.ask(&format!("POST {ROOT}/search"), &headers, "").await;
        busy.ask("POST /management/v1/users/_search", &headers, "{}")
            .await;
    }
    for line in [
        format!("GET {own}?access_token={token}"),
        format!("GET {own}?x={token}"),
        format!("GET {ROOT}/{token}"),
        format!("DELETE {ROOT}/{token}/pat/{token}"),
        format!("POST {ROOT}?withPAT={token}&roles={token}"),
        format!("GET /auth/v1/users/me?token={token}"),
        format!("GET /management/v1/users/{token}"),
        format!("DELETE /management/v1/users/{token}/pats/{token}"),
    ] {
        busy.ask(&line, &as_json(&admin), "{}").await;
    }
    for body in [
        json!({ "username": token, "name": 7 }),
        json!({ "username": "x", "name": "x", "accessTokenType": token }),
        json!({ "username": "x", "name": "x", "accessTokenType": "Bearer", "expirationDate": token }),
        json!({ "data": { "attributes": { "username": { "value": token, "op": token } } } }),
    ] {
        let body = body.to_string();
        let path = format!("POST {ROOT}?withPAT=true");
        busy.ask(&path, &as_json(&admin), &body).await;
        busy.ask(&format!("POST {ROOT}/search"), &as_json(&admin), &body)
            .await;
        busy.ask("POST /management/v1/users/machine", &as_json(&admin), &body)
            .await;
    }
}

/// The token where it belongs, and where a login takes a password.
async fn use_well(busy: &mut Busy, token: &str) {
    let form = "Content-Type: application/x-www-form-urlencoded".to_owned();
    busy.ask(&format!("GET {ROOT}/self"), &as_json(token), "")
        .await;
    busy.ask("GET /auth/v1/users/me", &as_json(token), "").await;
    for body in [
        format!("username=anna&password={token}"),
        format!("username={token}&password={token}"),
        format!("username=anna&password={PASSWORD}x"),
    ] {
        busy.ask(
            "POST /api/v1/auth/login",
            std::slice::from_ref(&form),
            &body,
        )
        .await;
    }
    let headers = [form, format!("Authorization: Bearer {token}")];
    for body in [format!("token={token}"), format!("token={token}x")] {
        busy.ask("POST /oauth2/introspect", &headers, &body).await;
    }
    let trust = Trust::from_pem_file(busy.process.ca_file()).unwrap();
    let address = busy.process.address.to_string();
    let dialed = dial(&address, &trust);
    let client = Client::new(in_time(dialed).await.unwrap());
    let basic = STANDARD.encode(format!("streamer:{token}"));
    for client in [
        client.clone().bearer(token),
        client.clone().bearer(&format!("{token}x")),
        client
            .clone()
            .with("authorization", &format!("Basic {basic}")),
        client
            .clone()
            .with("username", "streamer")
            .with("password", token),
        client.clone().with("username", token).with("password", "x"),
        client
            .clone()
            .with("username", "anna")
            .with("password", PASSWORD),
        client.bearer(token).with("x-forwarded-tenant-id", token),
    ] {
        if let Err(status) = client.capabilities().await {
            busy.said.push(format!("{status:?}"));
        }
        let opened = client.open(first(on_change(&["/a"]))).await;
        if let Err(status) = opened {
            busy.said.push(format!("{status:?}"));
        }
    }
}

/// A client's secret, and the token that it gives; both misplaced as well.
async fn use_secret(busy: &mut Busy, id: &str) -> [String; 2] {
    let path = format!("PUT /management/v1/users/{id}/secret");
    let made = busy.manage(&path, "{}").await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (client, secret) = (text("clientId"), text("clientSecret"));
    let form = "Content-Type: application/x-www-form-urlencoded".to_owned();
    let basic = |secret: &str| {
        let encoded = STANDARD.encode(format!("{client}:{secret}"));
        vec![format!("Authorization: Basic {encoded}"), form.clone()]
    };
    let (path, grant) = ("POST /oauth/v2/token", "grant_type=client_credentials");
    let given = busy.answer(path, &basic(&secret), grant).await;
    let (_, given) = given.split_once("\r\n\r\n").unwrap();
    let given: Value = serde_json::from_str(given).unwrap();
    let token = given["access_token"].as_str().unwrap().to_owned();

    let headers = std::slice::from_ref(&form);
    for body in [
        format!("{grant}&client_id={client}&client_secret={secret}x"),
        format!("{grant}&client_id={secret}&client_secret={secret}"),
        format!("grant_type={secret}&client_id={client}&client_secret={secret}"),
        format!("grant_type=password&username={secret}&password={PASSWORD}"),
    ] {
        busy.ask(path, headers, &body).await;
    }
    busy.ask(&format!("{path}?client_secret={secret}"), headers, grant)
        .await;
    busy.ask(path, &basic(&token), grant).await;
    misplace(busy, &secret).await;
    misplace(busy, &token).await;
    [secret, token]
}

/// Reads the trail until it tells that a withdrawn token was shown: everything before it is stored then.
async fn until_told(busy: &mut Busy) {
    let told = async {
        loop {
            let page = busy
                .manage("GET /api/v2/auth/audit?kind=authentication.failed", "")
                .await;
            if page.to_string().contains("token_revoked") {
                return page.to_string();
            }
            tokio::task::yield_now().await;
        }
    };
    let page = in_time(told).await;
    busy.said.push(page);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere_after_a_busy_day() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let admin = administrator(&data).await;
    let local = open(&data).await;
    let person = NewAccount::person(
        TenantId::new(TENANT),
        "anna",
        Secret::new(PASSWORD),
        Role::TenantAdmin.into(),
    );
    let accounts = &local.identity.accounts;
    accounts
        .create_account(&Caller::operator(), person, None)
        .await
        .unwrap();
    local.store.close().await;
    let process = Process::start(&data).await;
    let mut busy = Busy {
        process,
        admin,
        said: Vec::new(),
    };
    let body = json!({
        "username": "streamer", "name": "streamer", "accessTokenType": "Bearer",
        "expirationDate": UNTIL,
    });
    let path = format!("POST {ROOT}?withPAT=true");
    let made = busy.manage(&path, &body.to_string()).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (id, pat, token) = (text("machineUserId"), text("credentialId"), text("pat"));
    let form = ["Content-Type: application/x-www-form-urlencoded".to_owned()];
    let login = format!("username=anna&password={PASSWORD}");
    let login = busy.answer("POST /api/v1/auth/login", &form, &login).await;
    let bearer = login
        .lines()
        .find_map(|line| line.strip_prefix("authorization: Bearer "));
    let session = bearer.unwrap_or_else(|| panic!("{login}")).to_owned();

    use_well(&mut busy, &token).await;
    misplace(&mut busy, &token).await;
    misplace(&mut busy, &session).await;
    let [secret, access] = use_secret(&mut busy, &id).await;
    for line in [
        format!("POST {ROOT}/search"),
        format!("POST {ROOT}/{id}/pat/search"),
        format!("GET {ROOT}/{id}/pat/{pat}"),
        format!("DELETE {ROOT}/{id}/pat/{pat}"),
    ] {
        let answer = busy.manage(&line, "").await;
        busy.said.push(answer.to_string());
    }
    use_well(&mut busy, &token).await;
    until_told(&mut busy).await;
    let admin_port = TcpStream::connect(busy.process.admin_address)
        .await
        .unwrap();
    let metrics = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let metrics = exchange(admin_port, metrics).await;
    assert!(
        metrics.contains("tollgate_auth_failures_total"),
        "{metrics}"
    );
    busy.said.push(metrics);
    busy.process.kill();

    let log = busy.process.log();
    assert!(log.contains(r#""level":"TRACE""#), "the log was talkative");
    assert!(find(&data, b"streamer").is_some(), "the search finds");
    let secrets = [
        token,
        session,
        secret,
        access,
        busy.admin.clone(),
        PASSWORD.to_owned(),
    ];
    for secret in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!log.contains(&secret), "{}", around(&log, &secret));
        for said in &busy.said {
            assert!(!said.contains(&secret), "{said}");
        }
        assert_eq!(find(&data, secret.as_bytes()), None);
    }
}

/// The ways in which a secret could be written down.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    // The random part of a token, without which the rest is worth nothing.
    forms.extend(secret.split('_').nth(1).map(|part| part[..20].to_owned()));
    for text in [
        secret.to_owned(),
        format!("root:{secret}"),
        format!("streamer:{secret}"),
    ] {
        forms.push(STANDARD_NO_PAD.encode(&text));
        forms.push(URL_SAFE_NO_PAD.encode(&text));
    }
    forms
}

fn around<'t>(text: &'t str, part: &str) -> &'t str {
    text.lines().find(|line| line.contains(part)).unwrap_or("")
}

/// The file below `folder` that holds `text`.
fn find(folder: &Path, text: &[u8]) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).find_map(|path| {
        if path.is_dir() {
            return find(&path, text);
        }
        let bytes = fs::read(&path).unwrap();
        let is_there = bytes.windows(text.len()).any(|window| window == text);
        is_there.then_some(path)
    })
}
