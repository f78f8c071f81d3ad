//! The way to a server: a socket that is opened when it is needed, and again when it broke.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio_rustls::TlsConnector;

use crate::audit::Link;
use crate::audit::Sink;
use crate::audit::Undelivered;

use super::Address;
use super::Transport;
use super::message::Speaker;

/// Sends audit events to one syslog server.
pub struct Syslog {
    address: Address,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    speaker: Speaker,
    way: Option<Way>,
    /// What was sent last: lost, perhaps, if the way breaks next.
    unsure: Vec<String>,
}

/// The host of a TLS address has no form that a certificate could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syslog host cannot be the name of a certificate")]
pub struct NotAHost;

enum Way {
    Datagrams(UdpSocket),
    Stream(Box<dyn Connection>),
}

trait Connection: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Connection for T {}

impl Syslog {
    /// To `address`, over TLS with this configuration where it says so; as this process of `host`.
    ///
    /// # Errors
    ///
    /// [`NotAHost`]: no certificate could be the server's.
    pub fn new(address: Address, tls: Arc<ClientConfig>, host: &str) -> Result<Self, NotAHost> {
        let tls = if address.transport == Transport::Tls {
            let name = ServerName::try_from(address.host.clone()).map_err(|_| NotAHost)?;
            Some((TlsConnector::from(tls), name))
        } else {
            None
        };
        Ok(Self {
            address,
            tls,
            speaker: Speaker::new(host, std::process::id()),
            way: None,
            unsure: Vec::new(),
        })
    }

    async fn send(&mut self, messages: &[String]) -> io::Result<()> {
        let standing = match self.way.take() {
            Some(mut way) => way.is_open().await.then_some(way),
            None => None,
        };
        let mut way = if let Some(way) = standing {
            way
        } else {
            let mut way = self.open().await?;
            way.send(&self.unsure).await?;
            way
        };
        way.send(messages).await?;
        self.way = Some(way);
        Ok(())
    }

    async fn open(&self) -> io::Result<Way> {
        let target = (self.address.host.as_str(), self.address.port);
        if self.address.transport == Transport::Udp {
            return datagrams(target).await.map(Way::Datagrams);
        }
        let tcp = TcpStream::connect(target).await?;
        Ok(Way::Stream(match &self.tls {
            None => Box::new(tcp),
            Some((connector, name)) => Box::new(connector.connect(name.clone(), tcp).await?),
        }))
    }
}

#[async_trait]
impl Sink for Syslog {
    async fn deliver(&mut self, events: &[Link]) -> Result<(), Undelivered> {
        let messages = events.iter().map(|event| self.speaker.message(event));
        let messages: Vec<String> = messages.collect();
        let sent = tokio::time::timeout(TIMEOUT, self.send(&messages));
        match sent.await {
            Ok(Ok(())) => {
                self.unsure = messages;
                Ok(())
            }
            Ok(Err(error)) => Err(Undelivered(error.to_string())),
            Err(_) => Err(Undelivered("server is too slow".to_owned())),
        }
    }
}

impl Way {
    /// Whether the other side has not closed it. A server says nothing, so whatever can be read is the end.
    async fn is_open(&mut self) -> bool {
        match self {
            Self::Datagrams(socket) => matches!(socket.take_error(), Ok(None)),
            Self::Stream(stream) => {
                let mut byte = [0];
                let read = tokio::time::timeout(Duration::ZERO, stream.read(&mut byte));
                read.await.is_err()
            }
        }
    }

    async fn send(&mut self, messages: &[String]) -> io::Result<()> {
        match self {
            Self::Datagrams(socket) => {
                for message in messages {
                    match socket.send(message.as_bytes()).await {
                        // Longer than a datagram can be: nothing would ever bring it there.
                        Err(error) if error.raw_os_error() == Some(TOO_LONG) => {
                            tracing::warn!("audit event is too long for a datagram");
                        }
                        sent => {
                            sent?;
                        }
                    }
                }
                Ok(())
            }
            Self::Stream(stream) => {
                for message in messages {
                    let frame = format!("{} {message}", message.len());
                    stream.write_all(frame.as_bytes()).await?;
                }
                stream.flush().await
            }
        }
    }
}

async fn datagrams(target: (&str, u16)) -> io::Result<UdpSocket> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in tokio::net::lookup_host(target).await? {
        let any = if address.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        let socket = UdpSocket::bind(any).await?;
        match socket.connect(address).await {
            Ok(()) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl fmt::Debug for Syslog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Syslog(to {})", self.address)
    }
}

/// For one page, with the connection that it may need.
const TIMEOUT: Duration = Duration::from_secs(20);

/// `EMSGSIZE` of Linux.
const TOO_LONG: i32 = 90;
