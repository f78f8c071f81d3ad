//! The program itself, as a process that can be killed: what it has acknowledged is on the disk, and nothing is half done.

use std::collections::BTreeMap;
use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tollgate::app::Local;
use tollgate::clock::Clock;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::Config;
use tollgate::iam::Credential;
use tollgate::iam::NewAccount;
use tollgate::iam::NewPat;
use tollgate::iam::Role;
use tollgate::iam::port::Page;
use tollgate::model::Expiry;
use tollgate::model::TenantId;
use tollgate::secret::Secret;

use crate::client::in_time;
use crate::gateway::TENANT;
use crate::gateway::exchange;
use crate::gateway::tls;

const ROOT: &str = "/api/v2/auth/serviceaccount";
const UNTIL: &str = "2099-12-31T23:59:59Z";

/// A running `tollgate serve`. Dropping it kills it.
pub struct Process {
    pub address: SocketAddr,
    pub iam_address: SocketAddr,
    pub admin_address: SocketAddr,
    ca_file: PathBuf,
    log: Arc<Mutex<String>>,
    /// Reads what the process logs, until its end.
    reader: Option<JoinHandle<()>>,
    child: Child,
}

impl Process {
    /// Starts on the data directory `data`, and logs everything that there is to log.
    pub async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// Starts with settings of the test's own.
    pub async fn start_with(data: &Path, settings: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command
            .arg("serve")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        for setting in [
            "gateway.listen=127.0.0.1:0",
            "gateway.iam_listen=127.0.0.1:0",
            "admin.listen=127.0.0.1:0",
            "log.format=json",
            "log.level=trace",
            "iam.writes_per_second=1000",
            "iam.pats_per_minute=10000",
            &format!("store.data_dir={}", data.display()),
        ]
        .iter()
        .chain(settings)
        {
            command.args(["--set", setting]);
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log: Arc<Mutex<String>> = Arc::default();
        let (tell, told) = oneshot::channel();
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || keep(lines, &log, tell)
        });
        let fields = in_time(told).await.unwrap();
        let address = |name: &str| fields[name].as_str().unwrap().parse().unwrap();
        Self {
            address: address("address"),
            iam_address: address("iam"),
            admin_address: address("admin"),
            ca_file: data.join("pki/ca.pem"),
            log,
            reader: Some(reader),
            child,
        }
    }

    /// Everything that the gateway's port answers to one HTTP/1.1 request.
    pub async fn exchange(&self, request: &[u8]) -> String {
        exchange(tls(self.address, &self.ca_file).await, request).await
    }

    /// The same on the IAM port.
    pub async fn iam_exchange(&self, request: &[u8]) -> String {
        exchange(tls(self.iam_address, &self.ca_file).await, request).await
    }

    pub async fn metrics(&self) -> String {
        let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        exchange(
            TcpStream::connect(self.admin_address).await.unwrap(),
            request,
        )
        .await
    }

    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    pub fn log(&self) -> String {
        self.log.lock().clone()
    }

    /// Ends it as a power cut would: without a word.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps every line, and tells the fields of the one that says where the gateway serves.
fn keep(
    lines: impl Iterator<Item = io::Result<String>>,
    log: &Mutex<String>,
    tell: oneshot::Sender<Value>,
) {
    let mut tell = Some(tell);
    for line in lines.map_while(Result::ok) {
        if line.contains(r#""message":"serving""#)
            && let Ok(line) = serde_json::from_str::<Value>(&line)
            && let Some(tell) = tell.take()
        {
            // Whoever has given up waiting has failed already.
            let _ = tell.send(line["fields"].clone());
        }
        let mut log = log.lock();
        log.push_str(&line);
        log.push('\n');
    }
}

/// Opens the data directory as a command does.
pub async fn open(data: &Path) -> Local {
    Local::open(data, None, Config::default(), Clock::system())
        .await
        .unwrap()
}

/// Makes the tenant and an administrator with a token: the token.
pub async fn administrator(data: &Path) -> String {
    let local = open(data).await;
    let (accounts, operator) = (&local.identity.accounts, Caller::operator());
    accounts.create_tenant(&operator, TENANT).await.unwrap();
    let new = NewAccount::machine(TenantId::new(TENANT), "root", Role::TenantAdmin.into());
    let pat = NewPat::until(Expiry::NEVER);
    let made = accounts.create_account(&operator, new, Some(pat)).await;
    let token = made.unwrap().1.unwrap().token.expose().to_owned();
    local.store.close().await;
    token
}

/// What the gateway has acknowledged: of each account whether its token was revoked.
type Acknowledged = Arc<Mutex<BTreeMap<String, (String, bool)>>>;

/// Creates accounts with a token each, and revokes every second one, until nobody answers any more.
async fn write_until_killed(
    process: Arc<Process>,
    admin: String,
    writer: usize,
    acknowledged: Acknowledged,
) {
    for number in 0.. {
        let body = json!({
            "username": format!("machine-{writer}-{number}"),
            "name": "machine",
            "accessTokenType": "Bearer",
            "expirationDate": UNTIL,
        });
        let path = format!("{ROOT}?withPAT=true");
        let Some(made) = call(&process, "POST", &path, &admin, &body.to_string()).await else {
            return;
        };
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (id, pat, token) = (text("machineUserId"), text("credentialId"), text("pat"));
        acknowledged
            .lock()
            .insert(id.clone(), (token.clone(), false));
        if number % 2 == 0 {
            let path = format!("{ROOT}/{id}/pat/{pat}");
            if call(&process, "DELETE", &path, &admin, "").await.is_none() {
                // It may or may not have happened.
                acknowledged.lock().remove(&id);
                return;
            }
            acknowledged.lock().insert(id, (token, true));
        }
    }
}

/// The body of a success; `None` once the process is gone.
async fn call(
    process: &Process,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> Option<Value> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\nx-forwarded-tenant-id: {TENANT}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (address, ca_file) = (process.address, process.ca_file().to_owned());
    let answer = tokio::spawn(async move {
        // A connection that breaks off fails this task alone.
        exchange(tls(address, &ca_file).await, request.as_bytes()).await
    });
    let answer = answer.await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let is_success = head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 201");
    is_success
        .then(|| serde_json::from_str(body).ok())
        .flatten()
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_kill_and_none_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let admin = administrator(&data).await;
    let acknowledged = Acknowledged::default();
    for round in 0..3 {
        let process = Process::start(&data).await;
        let pid = process.child.id().to_string();
        let process = Arc::new(process);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (process, admin) = (Arc::clone(&process), admin.clone());
                let acknowledged = Arc::clone(&acknowledged);
                tokio::spawn(write_until_killed(
                    process,
                    admin,
                    round * 10 + writer,
                    acknowledged,
                ))
            })
            .collect();
        let enough = (round + 1) * 20;
        in_time(async {
            while acknowledged.lock().len() < enough {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
        assert!(killed.success());
        for writer in writers {
            in_time(writer).await.unwrap();
        }
        drop(process);
        check(&data, &acknowledged).await;
    }
}

/// What was acknowledged is there, and of every account its token.
async fn check(data: &Path, acknowledged: &Acknowledged) {
    let local = open(data).await;
    let (identity, operator) = (&local.identity, Caller::operator());
    let tenant = TenantId::new(TENANT);
    let acknowledged = acknowledged.lock().clone();
    for (id, (token, is_revoked)) in &acknowledged {
        let id: AccountId = id.parse().unwrap();
        identity
            .accounts
            .account(&operator, &tenant, id)
            .await
            .unwrap();
        let from = std::net::IpAddr::from([192, 0, 2, 1]);
        let credential = Credential::Bearer(Secret::new(token.as_str()));
        let known = identity.authenticator.authenticate(credential, from).await;
        assert_eq!(known.is_err(), *is_revoked, "{known:?}");
    }
    let all = identity
        .accounts
        .accounts(&operator, &tenant, &Page::first())
        .await
        .unwrap();
    assert!(
        all.len() > acknowledged.len(),
        "the administrator is one more"
    );
    for account in all {
        let pats = identity
            .accounts
            .pats(&operator, &tenant, account.id)
            .await
            .unwrap();
        assert_eq!(pats.len(), 1, "{} has no token", account.username);
    }
    identity.accounts.verify_events().await.unwrap();
    local.store.close().await;
}
