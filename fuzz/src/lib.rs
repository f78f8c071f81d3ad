//! What the targets share: rooms of the gateway in this process, without a socket.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::header::AUTHORIZATION;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tollgate::app::Local;
use tollgate::clock::Clock;
use tollgate::config::Settings;
use tollgate::config::Sources;
use tollgate::datastore::Datastore;
use tollgate::enroll;
use tollgate::iam::Caller;
use tollgate::iam::NewAccount;
use tollgate::iam::NewPat;
use tollgate::iam::Role;
use tollgate::model::Expiry;
use tollgate::model::Peer;
use tollgate::model::TenantId;
use tollgate::model::Timestamp;
use tollgate::pki::Authority;
use tollgate::restconf;
use tollgate::schema::Schema;
use tollgate::schema::Source;
use tower::ServiceExt as _;

/// A router, and an administrator who asks it.
pub struct Face {
    runtime: Runtime,
    router: Router,
    bearer: String,
    _folder: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub media: String,
    pub body: Bytes,
}

impl Face {
    /// Certificates.
    pub fn enroll() -> Self {
        Self::over(|site| {
            let authority = Authority::open_or_create(site.folder, &site.clock).unwrap();
            let store = Arc::new(site.local.store.clone());
            let config = site.settings.enroll.clone();
            enroll::Service::new(
                Arc::new(authority),
                Arc::clone(&store) as _,
                store,
                &site.local.identity,
                (config, site.clock.clone()),
            )
            .into_router()
        })
    }

    /// RESTCONF.
    pub fn restconf() -> Self {
        Self::over(|site| {
            let schema = Arc::new(Schema::load(Source::Embedded).unwrap());
            let store = Arc::new(site.local.store.clone());
            let datastore = Datastore::new(schema, store, site.clock.clone());
            let (clock, config) = (site.clock.clone(), site.settings.restconf);
            restconf::Service::new(&site.local.identity, datastore, clock, config).into_router()
        })
    }

    fn over(open: impl FnOnce(&Site<'_>) -> Router) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // Every answer waits for the disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        }
        .unwrap();
        let mut sources = Sources::new();
        for rate in ["caller_per_minute", "caller_burst", "per_second"] {
            sources = sources.with_flag(&format!("enroll.{rate}"), "1000000");
        }
        let settings = Settings::load(&sources).unwrap();
        let clock = Clock::fixed(Timestamp::from_secs(1_800_000_000));
        let (router, bearer) = runtime.block_on(async {
            let data = folder.path().join("data");
            let local = Local::open(&data, None, settings.iam.clone(), clock.clone()).await;
            let site = Site {
                local: local.unwrap(),
                settings,
                clock,
                folder: folder.path(),
            };
            (open(&site), site.token().await)
        });
        Self {
            runtime,
            router,
            bearer: format!("Bearer {bearer}"),
            _folder: folder,
        }
    }

    /// Asks what is written as three parts with line ends between: method and path, media type, body. `None` when it is no
    /// request.
    pub fn ask(&self, input: &[u8]) -> Option<Answer> {
        let mut parts = input.splitn(3, |byte| *byte == b'\n');
        let line = std::str::from_utf8(parts.next()?).ok()?;
        let media = parts.next()?;
        let body = parts.next().unwrap_or_default();
        let (method, path) = line.split_once(' ')?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, &self.bearer);
        if !media.is_empty() {
            request = request.header(CONTENT_TYPE, media).header(ACCEPT, media);
        }
        let mut request = request.body(Body::from(body.to_vec())).ok()?;
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        request.extensions_mut().insert(Peer {
            is_encrypted: true,
            ..Peer::plain(address)
        });
        Some(self.runtime.block_on(self.answer(request)))
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let router = self.router.clone();
        let answered = tokio::time::timeout(PATIENCE, router.oneshot(request)).await;
        let Ok(response) = answered.expect("no answer in time");
        let (parts, body) = response.into_parts();
        let media = parts
            .headers
            .get(CONTENT_TYPE)
            .map(|media| media.to_str().unwrap());
        let media = media.unwrap_or_default().to_owned();
        // A stream of events has no end.
        let body = if media == "text/event-stream" {
            Bytes::new()
        } else {
            let whole = tokio::time::timeout(PATIENCE, body.collect()).await;
            whole
                .expect("no end in time")
                .expect("answer broke off")
                .to_bytes()
        };
        Answer {
            status: parts.status,
            media,
            body,
        }
    }
}

/// Fails on an answer that says to be JSON and is not.
pub fn check_json(answer: &Answer) {
    let is_json =
        answer.body.is_empty() || serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok();
    assert!(is_json, "{answer:?}");
}

/// What rooms are made of.
struct Site<'f> {
    local: Local,
    settings: Settings,
    clock: Clock,
    folder: &'f Path,
}

impl Site<'_> {
    async fn token(&self) -> String {
        let (accounts, operator) = (&self.local.identity.accounts, Caller::operator());
        accounts.create_tenant(&operator, "pca").await.unwrap();
        let new = NewAccount::machine(TenantId::new("pca"), "fuzz", Role::TenantAdmin.into());
        let pat = NewPat::until(Expiry::NEVER);
        let made = accounts.create_account(&operator, new, Some(pat)).await;
        made.unwrap().1.unwrap().token.expose().to_owned()
    }
}

/// Nothing that is asked takes so long, instrumented or not.
const PATIENCE: Duration = Duration::from_secs(10);
