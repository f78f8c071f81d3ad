//! Certificates over HTTP: signing, renewal, EST, lists and revocation.

mod est;
mod lists;
mod policy;
mod renewal;
mod revocation;
mod sign;
mod trail;

use std::fmt::Write as _;

use rcgen::CertificateParams;
use rcgen::DnType;
use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tollgate::iam::AccountId;
use tollgate::pki::ClientIdentity;

use crate::client::in_time;
use crate::gateway::Gateway;
use crate::mtls::Device;
use crate::openapi;

pub const SIGN: &str = "/distribution/sign-csr";

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?} {}", self.text());
        assert_eq!(self.json()["code"], code, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
    }

    /// The certificates of a PEM answer.
    #[track_caller]
    pub fn certificates(&self) -> Vec<CertificateDer<'static>> {
        assert_eq!(self.status, 200, "{}", self.text());
        CertificateDer::pem_slice_iter(&self.body)
            .collect::<Result<_, _>>()
            .unwrap()
    }

    /// What the first certificate says.
    #[track_caller]
    pub fn identity(&self) -> ClientIdentity {
        ClientIdentity::read(&self.certificates()[0]).unwrap()
    }
}

/// One request over HTTP/1.1 and TLS, with these header lines.
pub async fn send(
    gateway: &Gateway,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let stream = gateway.tls(gateway.address).await;
    send_over(stream, (method, path), headers, body).await
}

/// The same with a client certificate.
pub async fn send_as(
    device: &Device,
    gateway: &Gateway,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let stream = device.connect(gateway, &[b"http/1.1"]).await.unwrap();
    send_over(stream, (method, path), headers, body).await
}

/// The same over a connection that there is.
pub async fn send_over(
    mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: gw\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "content-length: {}\r\n\r\n", body.len()).unwrap();
    // A peer that refuses a body early may close before all of it is sent.
    let _sent = stream.write_all(&[request.as_bytes(), body].concat()).await;
    let mut answer = Vec::new();
    let _ended = in_time(stream.read_to_end(&mut answer)).await;
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let status = status.parse().unwrap();
    openapi::check(&openapi::Exchange {
        on_iam_port: false,
        method,
        path,
        request: body,
        status,
        answer: &serde_json::from_slice(&answer[end + 4..]).unwrap_or_default(),
    });
    Reply {
        status,
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: answer[end + 4..].to_vec(),
    }
}

/// Has a CSR signed, as the vendor's example does.
pub async fn sign(gateway: &Gateway, token: &str, query: &str, csr: &[u8]) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/octet-stream"),
    ];
    let path = format!("{SIGN}{query}");
    send(gateway, ("POST", &path), &headers, csr).await
}

/// A CSR for this key, with a common name where one is given.
pub fn csr_of(key: &KeyPair, name: Option<&str>) -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(name) = name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params.serialize_request(key).unwrap().pem().unwrap()
}

/// The same for a new key.
pub fn csr(name: &str) -> String {
    csr_of(&KeyPair::generate().unwrap(), Some(name))
}

/// A device that was given its certificate by this token.
pub async fn enrolled(gateway: &Gateway, token: &str, username: &str, query: &str) -> Device {
    let key = KeyPair::generate().unwrap();
    let reply = sign(
        gateway,
        token,
        query,
        csr_of(&key, Some(username)).as_bytes(),
    )
    .await;
    let identity = reply.identity();
    Device {
        account: AccountId::from_raw(identity.account),
        username: identity.username,
        serial: identity.serial,
        chain: reply.certificates(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

/// The bodies of all audit events of this kind, the oldest first.
pub async fn events(gateway: &Gateway, kind: &str) -> Vec<Value> {
    use tollgate::audit::Log as _;
    let store = crate::mtls::certificates::store(gateway).await;
    let links = store.links(0, 100_000).await.unwrap();
    let events = links
        .iter()
        .map(|link| serde_json::from_str::<Value>(&link.body).unwrap());
    events.filter(|event| event["event"] == kind).collect()
}
