//! A whole gateway in the benchmark's process, one reader's account, and clients of it over TLS.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each benchmark is a crate that uses its part of this"
)]

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tollgate::app::Gateway;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::config::Sources;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::Issued;
use tollgate::iam::NewAccount;
use tollgate::iam::NewPat;
use tollgate::iam::Role;
use tollgate::model::Elem;
use tollgate::model::Expiry;
use tollgate::model::Nature;
use tollgate::model::Notification;
use tollgate::model::Origin;
use tollgate::model::Path;
use tollgate::model::Target;
use tollgate::model::TenantId;
use tollgate::model::Update;
use tollgate::model::Value;
use tollgate::secret::Secret;
use tollgate::transport::Trust;
use tollgate::transport::dial;
use tollgate::wire::proto::gnmi as pb;
use tollgate::wire::proto::gnmi::g_nmi_client::GNmiClient;
use tonic::Request;
use tonic::Streaming;
use tonic::transport::Channel;

pub const TENANT: &str = "bench";

/// A running gateway.
pub struct Running {
    pub gateway: Gateway,
    pub clock: Clock,
    /// Who reads.
    pub account: AccountId,
    pub token: Secret,
    data: tempfile::TempDir,
}

impl Running {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with some settings of its own.
    pub async fn start_with(flags: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut sources = Sources::new()
            .with_flag("gateway.listen", "127.0.0.1:0")
            .with_flag("gateway.iam_listen", "127.0.0.1:0")
            .with_flag("gateway.drain_grace", "0s")
            .with_flag("gnmi.hold_unknown_target", "true")
            .with_flag("admin.listen", "127.0.0.1:0")
            .with_flag("store.data_dir", &data.path().display().to_string());
        for (name, value) in flags {
            sources = sources.with_flag(name, value);
        }
        let clock = Clock::system();
        let settings = Settings::load(&sources).unwrap();
        let gateway = Gateway::start(settings, clock.clone()).await.unwrap();
        let accounts = &gateway.identity().accounts;
        let operator = Caller::operator();
        accounts.create_tenant(&operator, TENANT).await.unwrap();
        let (account, issued) = create(&gateway, "reader", Role::TenantUser).await;
        Self {
            gateway,
            clock,
            account,
            token: issued.token,
            data,
        }
    }

    /// Another account, with a token.
    pub async fn create(&self, name: &str, role: Role) -> (AccountId, Issued) {
        create(&self.gateway, name, role).await
    }

    /// A connection that speaks HTTP/1.1.
    pub async fn tls(&self) -> TlsStream<TcpStream> {
        let trust = Trust::from_pem_file(self.gateway.ca_file()).unwrap();
        let config = trust.client_config(&[b"http/1.1"]).unwrap();
        let address = self.gateway.address();
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(address.ip().into(), tcp).await.unwrap()
    }

    pub fn data_dir(&self) -> &std::path::Path {
        self.data.path()
    }

    /// A connection of its own.
    pub async fn channel(&self) -> Channel {
        let trust = Trust::from_pem_file(self.gateway.ca_file()).unwrap();
        let address = self.gateway.address().to_string();
        dial(&address, &trust).await.unwrap()
    }

    /// An open stream of what [`Running::publish`] writes, its initial values read.
    pub async fn subscribe(
        &self,
        channel: &Channel,
        token: &Secret,
    ) -> Streaming<pb::SubscribeResponse> {
        use pb::subscribe_response::Response::SyncResponse;

        let (tx, rx) = mpsc::channel(1);
        tx.send(on_change()).await.unwrap();
        let request = with_bearer(ReceiverStream::new(rx), token.expose());
        let opened = GNmiClient::new(channel.clone()).subscribe(request).await;
        let mut stream = opened.unwrap().into_inner();
        while let Some(message) = stream.message().await.unwrap() {
            if matches!(message.response, Some(SyncResponse(true))) {
                break;
            }
        }
        stream
    }

    /// Writes a number to a leaf.
    pub fn publish(&self, leaf: i64, number: i64) {
        let elems = vec![
            Elem::new("bench"),
            Elem::with_keys("leaf", [("id", leaf.to_string())]),
            Elem::new("value"),
        ];
        let notification = Notification {
            timestamp: self.clock.now(),
            target: Target::own(),
            nature: Nature::State,
            atomic: None,
            deletes: Vec::new(),
            updates: vec![Update {
                path: Path::new(Origin::default(), elems),
                value: Value::Int(number),
            }],
        };
        let core = self.gateway.core();
        core.publish(&TenantId::new(TENANT), &notification).unwrap();
    }
}

async fn create(gateway: &Gateway, name: &str, role: Role) -> (AccountId, Issued) {
    let machine = NewAccount::machine(TenantId::new(TENANT), name, role.into());
    let pat = Some(NewPat::until(Expiry::NEVER));
    let accounts = &gateway.identity().accounts;
    let operator = Caller::operator();
    let made = accounts.create_account(&operator, machine, pat);
    let (account, issued) = made.await.unwrap();
    (account.id, issued.unwrap())
}

/// What asks for every leaf that is published here.
pub fn on_change() -> pb::SubscribeRequest {
    let path = pb::Path {
        elem: vec![pb::PathElem {
            name: "bench".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let list = pb::SubscriptionList {
        subscription: vec![pb::Subscription {
            path: Some(path),
            mode: pb::SubscriptionMode::OnChange.into(),
            ..Default::default()
        }],
        encoding: pb::Encoding::Proto.into(),
        ..Default::default()
    };
    pb::SubscribeRequest {
        request: Some(pb::subscribe_request::Request::Subscribe(list)),
        extension: Vec::new(),
    }
}

pub fn with_bearer<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// A runtime as the program has it.
pub fn run(benchmark: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(benchmark);
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
