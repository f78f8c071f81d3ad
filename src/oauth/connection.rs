//! A few HTTP/1.1 connections to one server, kept open between requests.

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use http::Request;
use http::Response;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::client::conn::http1;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

type Sender = SendRequest<Full<Bytes>>;

/// Connections to one server. Whoever uses it bounds how many requests there are at once, and how long one takes.
pub(super) struct Connections {
    address: String,
    name: ServerName<'static>,
    connector: TlsConnector,
    idle: Mutex<Vec<Sender>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    /// The answer is larger than it may be, or broke off.
    #[error("answer is too large or broke off")]
    Body,
    /// No TCP connection, or no TLS session on it.
    #[error("no connection")]
    Connect(#[source] std::io::Error),
    /// HTTP went wrong.
    #[error("no answer")]
    Http(#[source] hyper::Error),
}

impl Connections {
    pub(super) fn new(address: String, name: ServerName<'static>, tls: ClientConfig) -> Self {
        Self {
            address,
            name,
            connector: TlsConnector::from(Arc::new(tls)),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Sends a request that may be sent twice: a connection that was kept may have been closed meanwhile. Redirects are
    /// answers like others; nobody follows them.
    pub(super) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<Response<Bytes>, ConnectionError> {
        loop {
            let Some(sender) = self.take() else {
                break;
            };
            match self.send_on(sender, request.clone(), most).await {
                Err(ConnectionError::Http(_)) => {}
                answered => return answered,
            }
        }
        let sender = self.connect().await?;
        self.send_on(sender, request, most).await
    }

    async fn send_on(
        &self,
        mut sender: Sender,
        request: Request<Full<Bytes>>,
        most: usize,
    ) -> Result<Response<Bytes>, ConnectionError> {
        sender.ready().await.map_err(ConnectionError::Http)?;
        let response = sender
            .send_request(request)
            .await
            .map_err(ConnectionError::Http)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, most).collect().await;
        let body = body.map_err(|_| ConnectionError::Body)?.to_bytes();
        self.keep(sender);
        Ok(Response::from_parts(parts, body))
    }

    async fn connect(&self) -> Result<Sender, ConnectionError> {
        let tcp = TcpStream::connect(&self.address)
            .await
            .map_err(ConnectionError::Connect)?;
        tcp.set_nodelay(true).map_err(ConnectionError::Connect)?;
        let tls = self.connector.connect(self.name.clone(), tcp).await;
        let tls = TokioIo::new(tls.map_err(ConnectionError::Connect)?);
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER_BYTES)
            .handshake(tls)
            .await
            .map_err(ConnectionError::Http)?;
        // It ends when the sender is dropped, or the server closes; whoever sends on it hears of it.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn take(&self) -> Option<Sender> {
        let mut idle = self.idle.lock();
        while let Some(sender) = idle.pop() {
            if !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock();
        if idle.len() < MOST_IDLE && !sender.is_closed() {
            idle.push(sender);
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({})", self.address)
    }
}

/// Headers of an answer, and what is read ahead of its body.
const BUFFER_BYTES: usize = 64 << 10;

/// Connections that wait for the next request.
const MOST_IDLE: usize = 16;
