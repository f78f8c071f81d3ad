//! TLS connections from chosen addresses.

use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::Channel;
use tonic::transport::Endpoint;
use tower::service_fn;

use super::config::Config;
use super::error::Error;

/// Makes connections to one server.
pub(super) struct Dialer {
    address: String,
    name: ServerName<'static>,
    connector: TlsConnector,
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
            sources: config.sources.clone(),
        })
    }

    /// The `index`th connection. Its window is as large as HTTP/2 allows, so that a stream that does not read holds
    /// up no other one of the connection; that of a stream is small, so that it is the server that has to keep.
    pub(super) async fn dial(&self, index: usize) -> Result<Channel, Error> {
        let source = index
            .checked_rem(self.sources.len())
            .and_then(|index| self.sources.get(index))
            .copied();
        let endpoint = Endpoint::from_shared(format!("https://{}", self.address))
            .map_err(|_| Error::Address(self.address.clone()))?
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .initial_stream_window_size(STREAM_WINDOW_BYTES);
        let (connector, name) = (self.connector.clone(), self.name.clone());
        let target = self.address.clone();
        let connect = service_fn(move |_: http::Uri| {
            let (connector, name, target) = (connector.clone(), name.clone(), target.clone());
            async move {
                let tcp = open(&target, source).await?;
                tcp.set_nodelay(true)?;
                let tls = connector.connect(name, tcp).await?;
                Ok::<_, io::Error>(TokioIo::new(tls))
            }
        });
        endpoint
            .connect_with_connector(connect)
            .await
            .map_err(|source| Error::Connect {
                address: self.address.clone(),
                source,
            })
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

/// The largest of RFC 9113 6.9.1.
const CONNECTION_WINDOW_BYTES: u32 = (1 << 31) - 1;

/// What gRPC clients start with, and RFC 9113's default.
const STREAM_WINDOW_BYTES: u32 = 65_535;
