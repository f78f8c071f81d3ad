//! Client certificates: the handshake, what they are worth, and what ends them.

mod assertion;
pub mod certificates;
mod credential;
mod handshake;
mod mixing;
mod proxies;
mod reload;
mod revocation;
mod validate;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::SupportedProtocolVersion;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tollgate::iam::AccountId;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::iam::Role;
use tollgate::model::Serial;
use tollgate::model::TenantId;
use tollgate::transport::dial_with;
use tonic::transport::Channel;

use crate::client::Client;
use crate::client::in_time;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

pub const VALIDATE: &str = "/api/v1/auth/cert/validate/authorization";

/// A client's certificate, its key, and whose it is.
pub struct Device {
    pub account: AccountId,
    pub username: String,
    pub serial: Serial,
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Device {
    /// Connects, and returns once the handshake is done on this side.
    pub async fn connect(
        &self,
        gateway: &Gateway,
        alpn: &[&[u8]],
    ) -> io::Result<TlsStream<TcpStream>> {
        connect(gateway, self.config(gateway, alpn)).await
    }

    pub fn config(&self, gateway: &Gateway, alpn: &[&[u8]]) -> ClientConfig {
        config(gateway, &self.chain, &self.key, alpn, rustls::ALL_VERSIONS)
    }

    /// A gRPC connection with this certificate.
    pub async fn channel(&self, gateway: &Gateway) -> Channel {
        let config = self.config(gateway, &[b"h2"]);
        in_time(dial_with(&gateway.address.to_string(), config))
            .await
            .unwrap()
    }

    pub async fn client(&self, gateway: &Gateway) -> Client {
        Client::new(self.channel(gateway).await)
    }

    /// One GET over HTTP/1.1: status, head and body.
    pub async fn get(&self, gateway: &Gateway, path: &str, headers: &str) -> Answer {
        let stream = self.connect(gateway, &[b"http/1.1"]).await;
        get(stream.unwrap(), path, headers).await
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["errors"][0]["code"], code, "{self:?}");
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// TLS with these client credentials. The server's certificate is verified against the gateway's own authority.
pub fn config(
    gateway: &Gateway,
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
    alpn: &[&[u8]],
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots(gateway))
        .with_client_auth_cert(chain.to_vec(), key.clone_key())
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

fn roots(gateway: &Gateway) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(gateway.ca_file()).unwrap() {
        roots.add(root.unwrap()).unwrap();
    }
    roots
}

pub async fn connect(gateway: &Gateway, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(gateway.address).await.unwrap();
    over(tcp, config).await
}

pub async fn over(tcp: TcpStream, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    in_time(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await
}

/// One GET on a connection, which it closes. TLS 1.3 tells of a refused certificate only here: then the error.
pub async fn try_get(
    mut stream: TlsStream<TcpStream>,
    path: &str,
    headers: &str,
) -> io::Result<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: gw\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    in_time(stream.read_to_end(&mut answer)).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok(Answer {
        status: status.parse().unwrap(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_else(|_| json!(body)),
    })
}

pub async fn get(stream: TlsStream<TcpStream>, path: &str, headers: &str) -> Answer {
    try_get(stream, path, headers).await.unwrap()
}

/// The alert with which the gateway refuses a handshake, at whatever point the client hears of it.
pub async fn alert(gateway: &Gateway, config: ClientConfig) -> String {
    let error = match connect(gateway, config).await {
        Err(error) => error,
        Ok(stream) => try_get(stream, "/healthz", "").await.unwrap_err(),
    };
    error.to_string()
}

/// A service account with these roles.
pub async fn account(gateway: &Gateway, username: &str, role: &str) -> AccountId {
    let role: Role = role.parse().unwrap();
    let new = NewAccount::machine(TenantId::new(TENANT), username, role.into());
    let made = gateway
        .accounts()
        .create_account(&Caller::operator(), new, None)
        .await;
    made.unwrap().0.id
}

/// A new service account with a certificate for the same role.
pub async fn device(gateway: &Gateway, username: &str, role: &str) -> Device {
    let account = account(gateway, username, role).await;
    certificates::issue(gateway, account, username, &[role], DAY).await
}

pub const DAY: Duration = Duration::from_hours(24);
