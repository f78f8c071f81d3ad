//! The asking side: what a configured issuer says of a token (RFC 7662 2.1).

use std::fmt;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::Request;
use http::StatusCode;
use http::Uri;
use http::header::ACCEPT;
use http::header::AUTHORIZATION;
use http::header::CONTENT_TYPE;
use http::header::HOST;
use http_body_util::Full;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::form::encode;
use crate::iam::Issuer;
use crate::iam::NoAnswer;
use crate::iam::Told;
use crate::meter;
use crate::model::Timestamp;
use crate::secret::Secret;

use super::claims::Claims;
use super::connection::ConnectionError;
use super::connection::Connections;

/// Where an issuer is asked, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerConfig {
    /// Its endpoint, `https` alone.
    pub url: Uri,
    /// As whom this gateway asks.
    pub client_id: String,
    /// How long one question may take, waiting and connecting included.
    pub timeout: Duration,
    /// Questions at once; more wait, within their time.
    pub concurrency: usize,
    /// Which members of an answer say what.
    pub claims: Claims,
}

/// The address of an issuer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("issuer's address is not https://host[:port]/path")]
pub struct NotAnAddress;

/// An issuer of tokens that is asked over HTTPS.
pub struct HttpIssuer {
    config: IssuerConfig,
    authorization: HeaderValue,
    host: HeaderValue,
    path: String,
    connections: Connections,
    turns: Semaphore,
    clock: Clock,
    /// When a failure was last logged, in nanoseconds since the epoch.
    logged: AtomicI64,
}

/// Why a question came to nothing.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Connection(ConnectionError),
    #[error("it refuses this gateway's client id and secret")]
    Refused,
    #[error("it answers with status {0}")]
    Status(StatusCode),
    #[error("it did not answer in time")]
    Timeout,
    #[error("its {0}")]
    Unusable(super::claims::Unusable),
}

impl HttpIssuer {
    /// An issuer that is believed to be who it is by `tls`, and is shown `secret`.
    ///
    /// # Errors
    ///
    /// [`NotAnAddress`].
    pub fn new(
        config: IssuerConfig,
        secret: &Secret,
        tls: ClientConfig,
        clock: Clock,
    ) -> Result<Self, NotAnAddress> {
        let (address, name, host) = parts(&config.url).ok_or(NotAnAddress)?;
        // RFC 6749 2.3.1: both parts are written as forms are.
        let credentials = format!("{}:{}", encode(&config.client_id), encode(secret.expose()));
        let credentials = format!("Basic {}", STANDARD.encode(credentials));
        let mut authorization = HeaderValue::try_from(credentials).map_err(|_| NotAnAddress)?;
        authorization.set_sensitive(true);
        let path = config.url.path_and_query();
        Ok(Self {
            authorization,
            host,
            path: path.map_or("/", |path| path.as_str()).to_owned(),
            connections: Connections::new(address, name, tls),
            turns: Semaphore::new(config.concurrency),
            clock,
            logged: AtomicI64::new(i64::MIN),
            config,
        })
    }

    /// Each request of an outage fails; one line in ten seconds says it.
    fn is_worth_telling(&self) -> bool {
        let (now, last) = (self.clock.now(), self.logged.load(Ordering::Relaxed));
        let is_due = now.since(Timestamp::from_nanos(last)) >= LOG_INTERVAL;
        is_due
            && self
                .logged
                .compare_exchange(last, now.nanos(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    async fn ask(&self, token: &Secret) -> Result<Option<Told>, Failure> {
        let _turn = self.turns.acquire().await.map_err(|_| Failure::Timeout)?;
        let answer = self.connections.send(self.request(token), ANSWER_BYTES);
        let answer = answer.await.map_err(Failure::Connection)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Failure::Refused),
            status => return Err(Failure::Status(status)),
        }
        let told = self.config.claims.read(answer.body(), self.clock.now());
        told.map_err(Failure::Unusable)
    }

    fn request(&self, token: &Secret) -> Request<Full<Bytes>> {
        let body = format!(
            "token={}&token_type_hint=access_token",
            encode(token.expose())
        );
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        request
    }
}

#[async_trait]
impl Issuer for HttpIssuer {
    async fn introspect(&self, token: &Secret) -> Result<Option<Told>, NoAnswer> {
        let asked = tokio::time::timeout(self.config.timeout, self.ask(token)).await;
        asked.unwrap_or(Err(Failure::Timeout)).map_err(|failure| {
            meter::counter(FAILURES, "Questions to the issuer without a usable answer")
                .increment(1);
            if self.is_worth_telling() {
                let source = std::error::Error::source(&failure).map(ToString::to_string);
                tracing::warn!(error = %failure, source, "issuer cannot be asked");
            }
            NoAnswer
        })
    }
}

impl fmt::Debug for HttpIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpIssuer({})", self.config.url)
    }
}

/// Where to dial, whom to expect, and what to ask for.
fn parts(url: &Uri) -> Option<(String, ServerName<'static>, HeaderValue)> {
    if url.scheme_str() != Some("https") {
        return None;
    }
    let authority = url.authority().filter(|it| !it.as_str().contains('@'))?;
    let address = format!(
        "{}:{}",
        authority.host(),
        authority.port_u16().unwrap_or(443)
    );
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).ok()?;
    Some((
        address,
        name,
        HeaderValue::try_from(authority.as_str()).ok()?,
    ))
}

const LOG_INTERVAL: Duration = Duration::from_secs(10);

const FAILURES: &str = "tollgate_issuer_failures_total";

/// An answer has some dozen members; one with ten times as many is none.
const ANSWER_BYTES: usize = 64 << 10;
