//! TLS connections from chosen addresses.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::Channel;
use tonic::transport::Endpoint;
use tower::service_fn;

use super::config::Config;
use super::config::MAX_WINDOW_BYTES;
use super::error::Error;

/// Makes connections to one server.
#[derive(Clone)]
pub(super) struct Dialer {
    address: String,
    name: ServerName<'static>,
    connector: TlsConnector,
    stream_window: u32,
    sources: Vec<IpAddr>,
}

impl Dialer {
    pub(super) fn new(address: &str, config: &Config) -> Result<Self, Error> {
        let bad_address = || Error::Address(address.to_owned());
        let (host, _) = address.rsplit_once(':').ok_or_else(bad_address)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Self {
            address: address.to_owned(),
            name: ServerName::try_from(host.to_owned()).map_err(|_| bad_address())?,
            connector: TlsConnector::from(Arc::clone(&config.tls)),
            stream_window: config.stream_window,
            sources: config.sources.clone(),
        })
    }

    /// The `index`th connection, for subscribers: HTTP/2 without anything above it, as what a message costs here is
    /// to be less than it costs the server. It closes with the last that holds it.
    ///
    /// Its window is as large as HTTP/2 allows, so that a stream that does not read holds up no other one.
    pub(super) async fn dial(&self, index: usize) -> Result<SendRequest<Bytes>, Error> {
        let tls = self.secure(index).await;
        let tls = tls.map_err(|source| self.failed(source))?;
        let (requests, connection) = h2::client::Builder::new()
            .initial_connection_window_size(MAX_WINDOW_BYTES)
            .initial_window_size(self.stream_window)
            .enable_push(false)
            .handshake(tls)
            .await
            .map_err(|source| self.failed(source))?;
        tokio::spawn(async move {
            // Its streams tell how it ended.
            drop(connection.await);
        });
        Ok(requests)
    }

    /// The `index`th connection, for a publisher.
    pub(super) async fn channel(&self, index: usize) -> Result<Channel, Error> {
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address))
            .map_err(|_| Error::Address(self.address.clone()))?;
        let dialer = self.clone();
        let connect = service_fn(move |_: http::Uri| {
            let dialer = dialer.clone();
            async move { dialer.secure(index).await.map(TokioIo::new) }
        });
        endpoint
            .connect_with_connector(connect)
            .await
            .map_err(|source| self.failed(source))
    }

    async fn secure(&self, index: usize) -> io::Result<TlsStream<TcpStream>> {
        let source = index
            .checked_rem(self.sources.len())
            .and_then(|index| self.sources.get(index))
            .copied();
        let tcp = open(&self.address, source).await?;
        tcp.set_nodelay(true)?;
        self.connector.connect(self.name.clone(), tcp).await
    }

    fn failed(&self, source: impl StdError + Send + Sync + 'static) -> Error {
        Error::Connect {
            address: self.address.clone(),
            source: Box::new(source),
        }
    }
}

async fn open(target: &str, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(source) = source else {
        return TcpStream::connect(target).await;
    };
    let remote = tokio::net::lookup_host(target)
        .await?
        .find(|remote| remote.is_ipv4() == source.is_ipv4())
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let socket = if source.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(remote).await
}
