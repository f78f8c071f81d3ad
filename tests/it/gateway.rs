//! A whole gateway in process: own data directory, free ports on loopback, real TLS, a clock that tests set.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tollgate::app;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::config::Sources;
use tollgate::iam::AccountId;
use tollgate::iam::Accounts;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::iam::NewPat;
use tollgate::iam::PasswordConfig;
use tollgate::iam::Role;
use tollgate::iam::State;
use tollgate::model::Expiry;
use tollgate::model::Nature;
use tollgate::model::Notification;
use tollgate::model::Path;
use tollgate::model::Pattern;
use tollgate::model::Target;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::model::Update;
use tollgate::secret::Secret;
use tollgate::telemetry::Core;
use tollgate::transport::Trust;
use tollgate::transport::dial;
use tollgate::wire;
use tollgate::wire::Origins;
use tollgate::wire::proto::gnmi as pb;
use tonic::transport::Channel;

use crate::client::Client;
use crate::client::in_time;
use crate::client::with_origin;

pub const TENANT: &str = "pca";
pub const ADMIN_USERNAME: &str = "anna";
pub const ADMIN_PASSWORD: &str = "correct horse battery";
const MANY: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();
const EXPORTER: &str = "exporter";

/// A running gateway with one tenant, a person who administers it, and a service account.
pub struct Gateway {
    pub address: SocketAddr,
    pub clock: Clock,
    pub core: Core,
    running: app::Gateway,
    token: String,
    data: TempDir,
}

/// Writes into the tree of [`TENANT`] as a source would.
#[derive(Clone)]
pub struct Publisher {
    clock: Clock,
}

impl Gateway {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with settings that `change` has touched.
    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut gateway = Self::start_bare(tempfile::tempdir().unwrap(), change)
            .await
            .unwrap();
        gateway.make_accounts().await;
        gateway
    }

    /// Starts on a data directory that may hold something, and makes no accounts.
    pub async fn start_bare(
        data: TempDir,
        change: impl FnOnce(&mut Settings),
    ) -> Result<Self, app::Error> {
        let mut settings = settings(data.path());
        change(&mut settings);
        let clock = Clock::fixed(Timestamp::parse_rfc3339("2026-06-01T12:00:00Z").unwrap());
        let running = app::Gateway::start(settings, clock.clone()).await?;
        Ok(Self {
            address: running.address(),
            clock,
            core: running.core().clone(),
            token: String::new(),
            running,
            data,
        })
    }

    /// Where its pepper is.
    pub fn pepper(&self) -> PathBuf {
        self.data.path().join("pepper")
    }

    async fn make_accounts(&mut self) {
        self.accounts()
            .create_tenant(&Caller::operator(), TENANT)
            .await
            .unwrap();
        let password = Secret::new(ADMIN_PASSWORD);
        let person = NewAccount::person(
            tenant(TENANT),
            ADMIN_USERNAME,
            password,
            Role::TenantAdmin.into(),
        );
        self.accounts()
            .create_account(&Caller::operator(), person, None)
            .await
            .unwrap();
        let machine = NewAccount::machine(tenant(TENANT), EXPORTER, Role::TenantAdmin.into());
        let made = self
            .accounts()
            .create_account(&Caller::operator(), machine, None)
            .await;
        self.token = self.token_for(TENANT, &made.unwrap().0.id).await;
    }

    pub fn accounts(&self) -> &Accounts {
        &self.running.identity().accounts
    }

    pub fn data_dir(&self) -> &std::path::Path {
        self.data.path()
    }

    /// The certificate that clients must trust.
    pub fn ca_file(&self) -> &std::path::Path {
        self.running.ca_file()
    }

    pub fn admin_address(&self) -> SocketAddr {
        self.running.admin_address()
    }

    pub fn reloader(&self) -> &app::Reloader {
        self.running.reloader()
    }

    /// A second gateway on the same data directory.
    pub async fn another_node(&self) -> app::Gateway {
        let settings = settings(self.data_dir());
        Box::pin(app::Gateway::start(settings, self.clock.clone()))
            .await
            .unwrap()
    }

    /// The same gateway after a clean end and a new start.
    pub async fn restarted(self) -> Self {
        let Self {
            running,
            token,
            data,
            ..
        } = self;
        running.drain().await;
        let mut gateway = Self::start_bare(data, |_| {}).await.unwrap();
        gateway.token = token;
        gateway
    }

    // Connections.

    pub async fn channel(&self) -> Channel {
        let trust = Trust::from_pem_file(self.running.ca_file()).unwrap();
        in_time(dial(&self.address.to_string(), &trust))
            .await
            .unwrap()
    }

    /// The same under another host name, for which the certificate need not be.
    pub async fn channel_as(&self, host: &str) -> Channel {
        let config = Trust::Anybody.client_config(&[b"h2"]).unwrap();
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
        let name = rustls::pki_types::ServerName::try_from(host.to_owned()).unwrap();
        let address = self.address;
        let connect = tower::service_fn(move |_: http::Uri| {
            let (connector, name) = (connector.clone(), name.clone());
            async move {
                let tcp = TcpStream::connect(address).await?;
                let tls = connector.connect(name, tcp).await?;
                Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(tls))
            }
        });
        let endpoint = tonic::transport::Endpoint::from_shared(format!("https://{host}")).unwrap();
        in_time(endpoint.connect_with_connector(connect))
            .await
            .unwrap()
    }

    /// A connection without a credential.
    pub async fn anonymous(&self) -> Client {
        Client::new(self.channel().await)
    }

    /// A connection with the service account's token.
    pub async fn client(&self) -> Client {
        self.anonymous().await.bearer(&self.token)
    }

    /// Everything that a GET over HTTP/1.1 and TLS answers.
    pub async fn https_get(&self, path: &str) -> String {
        get(self.tls(self.address).await, path).await
    }

    /// Everything that the gateway's port answers to the bytes of one HTTP/1.1 request.
    pub async fn exchange(&self, request: &[u8]) -> String {
        exchange(self.tls(self.address).await, request).await
    }

    /// Everything that the IAM port answers to the bytes of one HTTP/1.1 request.
    pub async fn iam_exchange(&self, request: &[u8]) -> String {
        exchange(self.tls(self.running.iam_address()).await, request).await
    }

    /// A connection to the gateway's port, for frames of HTTP/2.
    pub async fn connect_http2(&self) -> TlsStream<TcpStream> {
        tls_for(b"h2", self.address, self.running.ca_file()).await
    }

    /// A connection to the gateway's port, for requests that are answered bit by bit.
    pub async fn connect(&self) -> TlsStream<TcpStream> {
        self.tls(self.address).await
    }

    pub async fn tls(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        tls(address, self.running.ca_file()).await
    }

    /// Everything that a GET on the admin port answers.
    pub async fn admin_get(&self, path: &str) -> String {
        get(
            TcpStream::connect(self.running.admin_address())
                .await
                .unwrap(),
            path,
        )
        .await
    }

    // Accounts and tokens.

    pub fn account(&self) -> &str {
        EXPORTER
    }

    pub fn token(&self) -> String {
        self.token.clone()
    }

    /// A well-formed token that no account has.
    pub fn unknown_token(&self) -> String {
        let body = format!("tgpat_{}", "0".repeat(43));
        let crc = crc32fast::hash(body.as_bytes());
        format!("{body}_{}", base62(crc))
    }

    /// A token of a new account with this role.
    pub async fn token_of(&self, tenant: &str, role: &str) -> String {
        self.new_token(tenant, role, None).await.0
    }

    /// The same, with its id, and perhaps a short life.
    pub async fn new_token(
        &self,
        tenant: &str,
        role: &str,
        ttl: Option<Duration>,
    ) -> (String, String) {
        let account = self.new_account(tenant, role).await;
        let issued = self.issue(tenant, &account, ttl).await;
        (
            issued.token.expose().to_owned(),
            issued.record.id.to_string(),
        )
    }

    pub async fn new_account(&self, name: &str, role: &str) -> AccountId {
        let caller = Caller::operator();
        // It may exist already.
        let _made = self.accounts().create_tenant(&caller, name).await;
        let username = format!("account-{}", fresh());
        let role: Role = role.parse().unwrap();
        let new = NewAccount::machine(tenant(name), &username, role.into());
        self.accounts()
            .create_account(&caller, new, None)
            .await
            .unwrap()
            .0
            .id
    }

    /// A new token of an account: its id.
    pub async fn new_pat(&self, tenant: &str, account: &AccountId) -> String {
        let issued = self.issue(tenant, account, None).await;
        issued.record.id.to_string()
    }

    pub async fn token_for(&self, tenant: &str, account: &AccountId) -> String {
        self.issue(tenant, account, None)
            .await
            .token
            .expose()
            .to_owned()
    }

    async fn issue(
        &self,
        name: &str,
        account: &AccountId,
        ttl: Option<Duration>,
    ) -> tollgate::iam::Issued {
        let expires = match ttl {
            Some(ttl) => {
                let ttl = i64::try_from(ttl.as_secs()).unwrap();
                Expiry::from_secs(self.clock.now().secs() + ttl)
            }
            None => Expiry::NEVER,
        };
        let new = NewPat::until(expires);
        let caller = Caller::operator();
        self.accounts()
            .create_pat(&caller, &tenant(name), *account, new)
            .await
            .unwrap()
    }

    pub async fn revoke(&self, name: &str, pat: &str) {
        let pat = pat.parse().unwrap();
        self.accounts()
            .revoke_pat(&Caller::operator(), &tenant(name), pat)
            .await
            .unwrap();
    }

    pub async fn set_roles(&self, name: &str, account: &AccountId, roles: &[&str]) {
        let roles = roles
            .iter()
            .map(|role| role.parse::<Role>().unwrap())
            .collect();
        let caller = Caller::operator();
        self.accounts()
            .set_roles(&caller, &tenant(name), *account, roles)
            .await
            .unwrap();
    }

    pub async fn disable(&self, name: &str, account: &AccountId) {
        self.set_state(name, account, State::Disabled).await;
    }

    pub async fn enable(&self, name: &str, account: &AccountId) {
        self.set_state(name, account, State::Active).await;
    }

    async fn set_state(&self, name: &str, account: &AccountId, state: State) {
        let caller = Caller::operator();
        self.accounts()
            .set_state(&caller, &tenant(name), *account, state)
            .await
            .unwrap();
    }

    /// The number of the newest event of the audit trail.
    pub async fn newest_event(&self) -> u64 {
        self.accounts().verify_events().await.unwrap().seq
    }

    /// Stores the uses of tokens, as happens once a minute.
    pub async fn store_uses(&self) {
        self.running.identity().flush().await;
    }

    // Waiting.

    /// People of [`TENANT`] who are locked out after wrong passwords.
    pub fn locked_out(&self) -> usize {
        let authenticator = &self.running.identity().authenticator;
        authenticator.locked(&TenantId::new(TENANT)).len()
    }

    pub fn live_sessions(&self) -> usize {
        self.running.identity().registry.len()
    }

    /// Waits until the gateway has learned that this certificate is revoked.
    pub async fn until_revoked(&self, serial: tollgate::model::Serial) {
        self.until(|gateway| gateway.running.identity().revoked.contains(&serial))
            .await;
    }

    /// Waits until `fact` holds.
    pub async fn until(&self, fact: impl Fn(&Self) -> bool) {
        in_time(async {
            while !fact(self) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits until the client is let in.
    pub async fn until_ok(&self, client: &Client) {
        in_time(async { while client.capabilities().await.is_err() {} }).await;
    }

    /// Lets time pass, and what is due in it happen.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.core.tick(self.clock.now());
    }

    pub async fn drain(self) {
        self.running.drain().await;
    }

    /// Ends it, and keeps what it has stored for the next one.
    pub async fn stop(self) -> TempDir {
        self.running.drain().await;
        self.data
    }

    // Telemetry.

    pub fn publisher(&self) -> Publisher {
        Publisher {
            clock: self.clock.clone(),
        }
    }

    pub fn publish(&self, target: &str, path: &str, value: pb::typed_value::Value) {
        self.publisher().publish(&self.core, target, path, value);
    }

    pub fn publish_at(&self, nanos: i64, target: &str, path: &str, value: pb::typed_value::Value) {
        let update = read_update("", path, value);
        let at = Timestamp::from_nanos(nanos);
        write(
            &self.core,
            Notification {
                timestamp: at,
                ..notification(target, vec![update], at)
            },
        );
    }

    pub fn publish_origin(&self, origin: &str, path: &str, value: pb::typed_value::Value) {
        let update = read_update(origin, path, value);
        write(&self.core, notification("", vec![update], self.clock.now()));
    }

    pub fn publish_atomic(
        &self,
        target: &str,
        prefix: &str,
        leaves: &[(&str, pb::typed_value::Value)],
    ) {
        let updates = leaves
            .iter()
            .map(|(path, value)| read_update("", path, value.clone()));
        let notification = notification(target, updates.collect(), self.clock.now());
        write(
            &self.core,
            Notification {
                atomic: Some(read_path("", prefix)),
                ..notification
            },
        );
    }

    pub fn delete(&self, target: &str, path: &str) {
        let deletes = vec![Pattern::from(&read_path("", path))];
        let notification = notification(target, Vec::new(), self.clock.now());
        write(
            &self.core,
            Notification {
                deletes,
                ..notification
            },
        );
    }

    pub fn remove_target(&self, target: &str) {
        self.core
            .remove_target(&tenant(TENANT), &Target::new(target), self.clock.now());
    }
}

impl Publisher {
    pub fn publish(&self, core: &Core, target: &str, path: &str, value: pb::typed_value::Value) {
        let update = read_update("", path, value);
        write(core, notification(target, vec![update], self.clock.now()));
    }
}

fn settings(data: &std::path::Path) -> Settings {
    let sources = Sources::new()
        .with_flag("gateway.listen", "127.0.0.1:0")
        .with_flag("gateway.iam_listen", "127.0.0.1:0")
        .with_flag("gateway.drain_grace", "0s")
        .with_flag("admin.listen", "127.0.0.1:0")
        .with_flag("store.data_dir", &data.display().to_string());
    let mut settings = Settings::load(&sources).unwrap();
    settings.iam.password = PasswordConfig::insecure();
    // The clock stands, so what is spent stays spent.
    settings.iam.throttle.writes_per_second = MANY;
    settings.iam.throttle.pats_per_minute = MANY;
    settings
}

fn write(core: &Core, notification: Notification) {
    core.publish(&tenant(TENANT), &notification).unwrap();
}

fn notification(target: &str, updates: Vec<Update>, timestamp: Timestamp) -> Notification {
    Notification {
        timestamp,
        target: Target::new(target),
        nature: Nature::State,
        atomic: None,
        deletes: Vec::new(),
        updates,
    }
}

fn read_path(origin: &str, text: &str) -> Path {
    let path = with_origin(origin, crate::client::path(text));
    wire::read_path(None, &path, &Origins::gateway()).unwrap()
}

fn read_update(origin: &str, path: &str, value: pb::typed_value::Value) -> Update {
    let value = pb::TypedValue { value: Some(value) };
    let mut updates = wire::read_updates(&read_path(origin, path), &value).unwrap();
    updates.remove(0)
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name)
}

async fn get(stream: impl AsyncReadExt + AsyncWriteExt + Unpin, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n");
    exchange(stream, request.as_bytes()).await
}

/// A connection over which HTTP/1.1 is spoken.
pub async fn tls(address: SocketAddr, ca_file: &std::path::Path) -> TlsStream<TcpStream> {
    tls_for(b"http/1.1", address, ca_file).await
}

/// A connection over which that protocol is spoken.
async fn tls_for(
    protocol: &[u8],
    address: SocketAddr,
    ca_file: &std::path::Path,
) -> TlsStream<TcpStream> {
    let trust = Trust::from_pem_file(ca_file).unwrap();
    let config = trust.client_config(&[protocol]).unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
    connector.connect(name, tcp).await.unwrap()
}

/// Everything that is answered to the bytes of one request.
pub async fn exchange(
    mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin,
    request: &[u8],
) -> String {
    // A peer that refuses a body early may close before all of it is sent.
    let _sent = stream.write_all(request).await;
    let mut answer = Vec::new();
    // TLS peers may close without a goodbye once all is sent.
    let _ended = in_time(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn base62(mut number: u32) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = DIGITS[usize::try_from(number % 62).unwrap()];
        number /= 62;
    }
    String::from_utf8(text.to_vec()).unwrap()
}

/// A number that no other test of the process has.
fn fresh() -> usize {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
