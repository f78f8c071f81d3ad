//! The calling side: a TLS connection to a gRPC server, with the trust that the caller states.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::Channel;
use tonic::transport::Endpoint;
use tower::service_fn;

/// Whom a caller believes.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Certificates that lead to one of these.
    Roots(Vec<CertificateDer<'static>>),
    /// Any certificate. Only for a server on this very machine, or by the caller's explicit word.
    Anybody,
}

/// Why dialling failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The address is not of the form `host:port`.
    #[error("address `{0}` is not host:port")]
    Address(String),
    /// The trusted certificates cannot be read.
    #[error("cannot read certificates from {path}")]
    Certificates {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// No TCP connection, no TLS session, or no HTTP/2 on it.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where to.
        address: String,
        /// What went wrong.
        #[source]
        source: tonic::transport::Error,
    },
    /// TLS cannot be set up at all.
    #[error("cannot set up tls")]
    Tls(#[source] rustls::Error),
}

impl Trust {
    /// Trusts the certificates of a PEM file.
    ///
    /// # Errors
    ///
    /// [`DialError::Certificates`] when the file cannot be read or is not PEM.
    pub fn from_pem_file(path: &Path) -> Result<Self, DialError> {
        let failed = |source| DialError::Certificates {
            path: path.display().to_string(),
            source,
        };
        let roots = CertificateDer::pem_file_iter(path)
            .map_err(failed)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        Ok(Self::Roots(roots))
    }

    /// A client configuration with this trust and the given ALPN protocols.
    ///
    /// # Errors
    ///
    /// [`DialError::Tls`] when a root is not a certificate.
    pub fn client_config(&self, alpn: &[&[u8]]) -> Result<ClientConfig, DialError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(DialError::Tls)?;
        let mut config = match self {
            Self::Anybody => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth(),
            Self::Roots(roots) => {
                let mut store = RootCertStore::empty();
                for root in roots {
                    store.add(root.clone()).map_err(DialError::Tls)?;
                }
                builder.with_root_certificates(store).with_no_client_auth()
            }
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }
}

/// Opens one HTTP/2 connection to `address` (`host:port`) for gRPC.
///
/// # Errors
///
/// [`DialError`]: a bad address, or no connection within [`CONNECT_TIMEOUT`].
pub async fn dial(address: &str, trust: &Trust) -> Result<Channel, DialError> {
    dial_with(address, trust.client_config(&[b"h2"])?).await
}

/// The same with a TLS configuration of the caller's, such as one with a client certificate.
///
/// # Errors
///
/// [`DialError`]: a bad address, or no connection within [`CONNECT_TIMEOUT`].
pub async fn dial_with(address: &str, config: ClientConfig) -> Result<Channel, DialError> {
    let (host, _) = address
        .rsplit_once(':')
        .ok_or_else(|| DialError::Address(address.to_owned()))?;
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(host).map_err(|_| DialError::Address(address.to_owned()))?;
    let connector = TlsConnector::from(Arc::new(config));
    let endpoint = Endpoint::from_shared(format!("https://{address}"))
        .map_err(|_| DialError::Address(address.to_owned()))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_while_idle(true);
    let target = address.to_owned();
    let connect = service_fn(move |_: http::Uri| {
        let (connector, name, target) = (connector.clone(), name.clone(), target.clone());
        async move {
            let tcp = TcpStream::connect(target).await?;
            tcp.set_nodelay(true)?;
            let tls = connector.connect(name, tcp).await?;
            Ok::<_, io::Error>(TokioIo::new(tls))
        }
    });
    endpoint
        .connect_with_connector(connect)
        .await
        .map_err(|source| DialError::Connect {
            address: address.to_owned(),
            source,
        })
}

/// Believes every certificate, yet still proves that the server holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A person waits for this connection: longer is worse than an answer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Short enough to keep an idle stream alive through address translation, long enough for strict servers.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
