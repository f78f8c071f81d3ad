//! One HTTPS request to the gateway.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::Request;
use http::header::AUTHORIZATION;
use http::header::CONTENT_TYPE;
use http::header::HOST;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use http_body_util::Limited;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::secret::Secret;

use super::error::EnrollError;

/// What to ask.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: &'a str,
    pub(super) token: Option<&'a Secret>,
    pub(super) body: Vec<u8>,
}

/// Asks, and returns the body of a good answer.
pub(super) async fn call(
    gateway: &str,
    tls: ClientConfig,
    call: Call<'_>,
) -> Result<Bytes, EnrollError> {
    let exchange = exchange(gateway, tls, call);
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .map_err(|_| EnrollError::TimedOut)?
}

async fn exchange(gateway: &str, tls: ClientConfig, call: Call<'_>) -> Result<Bytes, EnrollError> {
    let (host, _) = gateway.rsplit_once(':').ok_or(EnrollError::Address)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(|_| EnrollError::Address)?;
    let failed = |source| EnrollError::Connect(gateway.to_owned(), source);
    let tcp = TcpStream::connect(gateway).await.map_err(failed)?;
    let connector = TlsConnector::from(Arc::new(tls));
    let stream = connector.connect(name, tcp).await.map_err(failed)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(call.method)
        .uri(call.path)
        .header(HOST, gateway)
        .header(CONTENT_TYPE, "application/octet-stream");
    if let Some(token) = call.token {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
    }
    let request = request
        .body(Full::new(Bytes::from(call.body)))
        .map_err(|_| EnrollError::Address)?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER)
        .collect()
        .await;
    connection.abort();
    let body = body.map_err(|_| EnrollError::Answer)?.to_bytes();
    if status.is_success() {
        return Ok(body);
    }
    Err(EnrollError::Refused {
        status: status.as_u16(),
        detail: detail(&body),
    })
}

/// What a problem document says, without what a terminal would obey.
fn detail(body: &[u8]) -> String {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let word = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or("");
    let text = format!("{}: {}", word("code"), word("detail"));
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_DETAIL)
        .collect()
}

/// From the first packet to the last.
const PATIENCE: Duration = Duration::from_secs(30);

/// A chain of certificates takes a tenth.
const MAX_ANSWER: usize = 64 << 10;

const MAX_DETAIL: usize = 300;
