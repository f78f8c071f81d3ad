//! `X-Forwarded-JWT`: the other headers once more, signed, so that a service behind a proxy can tell that they come from
//! here (RFC 7519); and the keys by which it does (RFC 7517).
//!
//! An assertion is no credential at this gate. It tells who sent a request at the moment when the proxy asked.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use serde_json::json;
use zeroize::Zeroizing;

use crate::iam::AccountId;
use crate::iam::PatId;
use crate::iam::Principal;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::StatementKey;

use super::Service;
use super::error::Refusal;
use super::error::internal;
use super::view;

/// Signs assertions, and keeps each for half its life. Cheap to clone.
#[derive(Clone)]
pub(super) struct Assertions(Arc<Inner>);

struct Inner {
    /// What the keys come from, the one that signs first.
    secrets: Vec<Zeroizing<[u8; 32]>>,
    keys: ArcSwapOption<Keys>,
    made: Mutex<HashMap<Subject, Made>>,
}

/// The keys of one period.
struct Keys {
    period: i64,
    signing: StatementKey,
    /// All that may be in use, as a JWK set.
    document: Bytes,
}

/// Whom an assertion is about, and by which credential it is known.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Subject {
    account: AccountId,
    tenant: TenantId,
    token: Option<PatId>,
    certificate: Option<[u8; 32]>,
}

struct Made {
    principal: Arc<Principal>,
    at: Timestamp,
    text: HeaderValue,
}

impl Assertions {
    pub(super) fn new(secrets: Vec<Zeroizing<[u8; 32]>>) -> Self {
        Self(Arc::new(Inner {
            secrets,
            keys: ArcSwapOption::empty(),
            made: Mutex::default(),
        }))
    }

    /// That `principal` acts in `tenant`, by the certificate of this SHA-256 if it has shown one.
    pub(super) fn about(
        &self,
        principal: &Arc<Principal>,
        tenant: &TenantId,
        certificate: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<HeaderValue, Refusal> {
        let subject = Subject {
            account: principal.account,
            tenant: tenant.clone(),
            token: principal.token,
            certificate,
        };
        if let Some(made) = self.0.made.lock().get(&subject)
            && made.holds_for(principal, now)
        {
            return Ok(made.text.clone());
        }
        let keys = self.keys(now)?;
        let claims = claims(principal, &subject, now)?;
        let text = keys.signing.sign(&claims).map_err(|_| internal())?;
        let mut text = HeaderValue::try_from(text).map_err(|_| internal())?;
        text.set_sensitive(true);
        let made = Made {
            principal: Arc::clone(principal),
            at: now,
            text: text.clone(),
        };
        let mut kept = self.0.made.lock();
        if kept.len() >= MOST_KEPT {
            // Those in use come back, at one signature each.
            kept.clear();
        }
        kept.insert(subject, made);
        Ok(text)
    }

    fn keys(&self, now: Timestamp) -> Result<Arc<Keys>, Refusal> {
        let period = now.secs().div_euclid(PERIOD.as_secs().cast_signed());
        if let Some(keys) = &*self.0.keys.load()
            && keys.period == period
        {
            return Ok(Arc::clone(keys));
        }
        let keys = Keys::of(&self.0.secrets, period).ok_or_else(internal)?;
        let keys = Arc::new(keys);
        self.0.keys.store(Some(Arc::clone(&keys)));
        Ok(keys)
    }
}

impl Made {
    fn holds_for(&self, principal: &Arc<Principal>, now: Timestamp) -> bool {
        let is_same = Arc::ptr_eq(&self.principal, principal) || self.principal == *principal;
        is_same && self.at <= now && now.since(self.at) < LIFETIME / 2
    }
}

impl Keys {
    fn of(secrets: &[Zeroizing<[u8; 32]>], period: i64) -> Option<Self> {
        let derived = |secret: &Zeroizing<[u8; 32]>, period| {
            StatementKey::derive(secret, period)
                .inspect_err(|error| {
                    tracing::error!(
                        error = error as &dyn std::error::Error,
                        "no key for assertions"
                    );
                })
                .ok()
        };
        let signing = derived(secrets.first()?, period)?;
        // Clocks differ, and documents are cached: the last period's and the next one's belong to it.
        let periods = [period, period.saturating_sub(1), period.saturating_add(1)];
        let all = secrets
            .iter()
            .flat_map(|secret| periods.map(|period| derived(secret, period)));
        let public: Option<Vec<Value>> =
            all.map(|key| key.map(|key| key.public().clone())).collect();
        Some(Self {
            period,
            signing,
            document: Bytes::from(json!({ "keys": public? }).to_string()),
        })
    }
}

fn claims(principal: &Principal, subject: &Subject, now: Timestamp) -> Result<Value, Refusal> {
    let mut id = [0; ID_BYTES];
    getrandom::fill(&mut id).map_err(|_| internal())?;
    let end = now.saturating_add(LIFETIME).secs();
    let mut claims = view::members(json!({
        "iss": ISSUER,
        "sub": principal.account.to_string(),
        "iat": now.secs(),
        "exp": end.min(principal.expires.secs()),
        "jti": URL_SAFE_NO_PAD.encode(id),
        "tenant": subject.tenant.as_str(),
        "username": &*principal.username,
        "roles": view::roles(principal.roles),
    }));
    if !principal.scopes.is_empty() {
        // RFC 8693 4.2: separated by spaces.
        let scope = view::texts(&principal.scopes).join(" ");
        claims.insert("scope".to_owned(), scope.into());
    }
    if let Some(certificate) = subject.certificate {
        // RFC 8705 3.1.
        let confirmation = json!({ "x5t#S256": URL_SAFE_NO_PAD.encode(certificate) });
        claims.insert("cnf".to_owned(), confirmation);
    }
    Ok(claims.into())
}

/// `/.well-known/jwks.json`: for everybody.
pub(super) async fn keys(State(service): State<Service>) -> Result<Response, Refusal> {
    let keys = service.assertions.keys(service.accounts.now())?;
    let mut response = Response::new(Body::from(keys.document.clone()));
    let headers = response.headers_mut();
    // RFC 7517 8.5.
    let media = HeaderValue::from_static("application/jwk-set+json");
    headers.insert(CONTENT_TYPE, media);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHING));
    Ok(response)
}

impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assertions({} kept)", self.0.made.lock().len())
    }
}

/// What the keys of assertions come from, by the name of its purpose.
pub(super) const PURPOSE: &str = "assertions";

/// Whoever has the keys knows whose they are; this tells assertions from those of other programs.
const ISSUER: &str = "tollgate";

/// An assertion goes along with one request: long enough for slow services and clocks that differ a little.
const LIFETIME: Duration = Duration::from_mins(1);

/// A key signs for so long. A document that was cached for less than that has the next one.
const PERIOD: Duration = Duration::from_hours(30 * 24);

/// A day: the document of that age has all keys in use.
const CACHING: &str = "public, max-age=86400";

/// Assertions that are kept, of less than a kilobyte each.
const MOST_KEPT: usize = 10_000;

/// Bits enough that no two are the same (RFC 7519 4.1.7).
const ID_BYTES: usize = 12;
