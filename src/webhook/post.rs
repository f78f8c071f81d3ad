//! One attempt: a connection, a request, a status.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::Either;
use futures_util::future::select;
use http::Request;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::header::HOST;
use http::header::USER_AGENT;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Endpoint;
use super::Error;

/// Opens a connection for each request: they are minutes apart.
#[derive(Clone)]
pub(super) struct Poster {
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// The connection could not be opened, or broke.
    #[error("no connection")]
    Connection(#[from] io::Error),
    /// No HTTP on it.
    #[error("no http")]
    Http(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("request cannot be written")]
    Request(#[from] http::Error),
    /// Another status than success.
    #[error("answered {0}")]
    Status(StatusCode),
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
}

impl PostError {
    /// Whether another attempt may do better. What the server understands and refuses it will refuse again.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Http(_) | Self::Timeout => true,
            Self::Request(_) => false,
            Self::Status(status) => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
            }
        }
    }
}

impl Poster {
    /// To `endpoint`; over TLS, if that is encrypted, with this configuration.
    pub(super) fn new(endpoint: Endpoint, tls: Arc<ClientConfig>) -> Result<Self, Error> {
        let tls = if endpoint.is_encrypted {
            let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| Error::Host)?;
            Some((TlsConnector::from(tls), name))
        } else {
            None
        };
        Ok(Self { endpoint, tls })
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a message once.
    pub(super) async fn post(
        &self,
        id: &str,
        signature: &str,
        body: String,
        within: Duration,
    ) -> Result<(), PostError> {
        let request = Request::post(&self.endpoint.path)
            .header(HOST, self.endpoint.authority())
            .header(USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header("x-tollgate-delivery", id)
            .header("x-tollgate-signature", signature)
            .body(Full::new(Bytes::from(body)))?;
        let exchange = tokio::time::timeout(within, self.exchange(request));
        let status = exchange.await.map_err(|_| PostError::Timeout)??;
        if status.is_success() {
            Ok(())
        } else {
            Err(PostError::Status(status))
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<StatusCode, PostError> {
        let Endpoint { host, port, .. } = &self.endpoint;
        let tcp = TcpStream::connect((host.as_str(), *port)).await?;
        match &self.tls {
            None => talk(tcp, request).await,
            Some((connector, name)) => {
                let tls = connector.connect(name.clone(), tcp).await?;
                talk(tls, request).await
            }
        }
    }
}

/// The answer's body is of no interest, and not read.
async fn talk(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, PostError> {
    let (mut requests, connection) = http1::handshake(TokioIo::new(io)).await?;
    let response = Box::pin(requests.send_request(request));
    match select(response, Box::pin(connection)).await {
        Either::Left((response, _)) => Ok(response?.status()),
        Either::Right((ended, response)) => {
            ended?;
            Ok(response.await?.status())
        }
    }
}
