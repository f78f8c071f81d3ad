//! `tollgate enroll --watch` against a gateway over TLS. Its sleep moves the clock that both go by, so nobody waits.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use parking_lot::Mutex;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::app::Gateway;
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::Sources;
use crate::iam::Caller;
use crate::iam::NewAccount;
use crate::iam::NewPat;
use crate::iam::Role;
use crate::model::Expiry;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::transport::Trust;

use super::args::EnrollArgs;
use super::args::KeyKind;
use super::call::Call;
use super::call::call;
use super::error::EnrollError;
use super::files::Files;
use super::files::Held;
use super::run::Enrolment;

const VALIDATE: &str = "/api/v1/auth/cert/validate/authorization";
const TENANT: &str = "pca";

/// A gateway, and a folder that is kept by a token which its file holds.
struct Site {
    gateway: Gateway,
    clock: Clock,
    folder: TempDir,
}

/// What was in the folder each time that there was something new.
struct Seen {
    at: Timestamp,
    held: Held,
    modes: [u32; 3],
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources::new()
            .with_flag("gateway.listen", "127.0.0.1:0")
            .with_flag("gateway.iam_listen", "127.0.0.1:0")
            .with_flag("gateway.drain_grace", "0s")
            .with_flag("admin.listen", "127.0.0.1:0")
            .with_flag(
                "store.data_dir",
                &folder.path().join("data").display().to_string(),
            );
        // The command looks at the server's certificate by the system's time.
        let clock = Clock::fixed(Clock::system().now());
        let settings = Settings::load(&sources).unwrap();
        let gateway = Gateway::start(settings, clock.clone()).await.unwrap();
        let site = Self {
            gateway,
            clock,
            folder,
        };
        fs::write(site.token_file(), site.token().await).unwrap();
        site
    }

    async fn token(&self) -> String {
        let (accounts, operator) = (&self.gateway.identity().accounts, Caller::operator());
        accounts.create_tenant(&operator, TENANT).await.unwrap();
        let new = NewAccount::machine(TenantId::new(TENANT), "probe", Role::TenantAdmin.into());
        let pat = NewPat::until(Expiry::NEVER);
        let made = accounts.create_account(&operator, new, Some(pat)).await;
        made.unwrap().1.unwrap().token.expose().to_owned()
    }

    fn token_file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("device")
    }

    fn enrolment(&self, rotate_key: bool) -> Enrolment {
        Enrolment {
            files: Files::open(&self.out()).unwrap(),
            clock: self.clock.clone(),
            args: EnrollArgs {
                gateway: self.gateway.address().to_string(),
                out: self.out(),
                ca_file: Some(self.gateway.ca_file().to_owned()),
                token_file: Some(self.token_file()),
                token: None,
                username: None,
                roles: None,
                hours: Some(1),
                key: KeyKind::P256,
                rotate_key,
                watch: true,
            },
        }
    }

    /// Watches until there were `count` certificates. Each sleep is over when the clock has moved by as much.
    async fn watch(&self, count: usize, rotate_key: bool) -> Vec<Seen> {
        let enrolment = self.enrolment(rotate_key);
        let (seen, is_done) = (Mutex::new(Vec::<Seen>::new()), Notify::new());
        let sleep = async |time: Duration| {
            let held = enrolment.files.held().unwrap();
            let is_new = {
                let seen = seen.lock();
                seen.last()
                    .is_none_or(|last| last.held.identity.serial != held.identity.serial)
            };
            if is_new {
                let (at, modes) = (self.clock.now(), self.modes());
                seen.lock().push(Seen { at, held, modes });
                // From now on by the certificate alone.
                let _gone = fs::remove_file(self.token_file());
            }
            if seen.lock().len() == count {
                is_done.notify_one();
                return std::future::pending().await;
            }
            self.clock.advance(time);
        };
        tokio::select! {
            ended = enrolment.watch(sleep) => ended.unwrap(),
            () = is_done.notified() => {}
        }
        seen.into_inner()
    }

    fn modes(&self) -> [u32; 3] {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let file = |name| mode(&self.out().join(name));
        [mode(&self.out()), file("client.key"), file("client.pem")]
    }

    /// The serial number of the certificate that the gateway sees.
    async fn shown(&self, held: &Held) -> Result<Serial, EnrollError> {
        let trust = Trust::from_pem_file(self.gateway.ca_file()).unwrap();
        let mut tls = trust.client_config(&[b"http/1.1"]).unwrap();
        let (chain, key): (_, PrivateKeyDer<'_>) = (held.chain.clone(), held.key.clone_key());
        let own = rustls::sign::CertifiedKey::from_der(chain, key, &crate::pki::provider());
        let own = rustls::sign::SingleCertAndKey::from(own.unwrap());
        tls.client_auth_cert_resolver = std::sync::Arc::new(own);
        let ask = Call {
            method: Method::GET,
            path: VALIDATE,
            token: None,
            body: Vec::new(),
        };
        let answer = call(&self.gateway.address().to_string(), tls, ask).await?;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        Ok(answer["serial"].as_str().unwrap().parse().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_certificate_is_replaced_before_its_end_and_both_hold_for_a_while() {
    let site = Site::new().await;
    let seen = site.watch(3, false).await;
    for pair in seen.windows(2) {
        let (old, new) = (&pair[0].held.identity, &pair[1].held.identity);
        assert!(pair[1].at < old.not_after, "too late: {}", pair[1].at);
        assert!(old.not_after < new.not_after);
        assert_eq!(old.key_hash, new.key_hash, "the key stays");
        assert_eq!(old.username, new.username);
    }
    for seen in &seen {
        assert_eq!(seen.modes, [0o700, 0o600, 0o644], "{}", seen.at);
    }
    // At the time of the last renewal its predecessor still counts; the one before is over.
    let [first, second, third] = [&seen[0].held, &seen[1].held, &seen[2].held];
    for held in [second, third] {
        assert_eq!(site.shown(held).await.unwrap(), held.identity.serial);
    }
    assert!(site.shown(first).await.is_err());
    site.gateway.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_key_is_replaced_with_its_certificate_where_wanted() {
    let site = Site::new().await;
    let seen = site.watch(2, true).await;
    let [old, new] = [&seen[0].held, &seen[1].held];
    assert_ne!(old.identity.key_hash, new.identity.key_hash);
    assert_eq!(seen[1].modes, [0o700, 0o600, 0o644]);
    for held in [old, new] {
        assert_eq!(site.shown(held).await.unwrap(), held.identity.serial);
    }
    site.gateway.drain().await;
}
