//! Doing it: once, or again and again.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::KeyPair;
use rcgen::PublicKeyData as _;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::Digest as _;
use sha2::Sha256;

use crate::cli::output;
use crate::cli::serve::stop_signal;
use crate::clock::Clock;
use crate::pki::ClientIdentity;
use crate::secret::Secret;
use crate::transport::Trust;

use super::args::EnrollArgs;
use super::call::Call;
use super::call::call;
use super::error::EnrollError;
use super::files::Files;
use super::files::Held;
use super::files::generate;
use super::schedule::Schedule;

/// Enrols, and with `--watch` stays until told to stop.
pub(in crate::cli) fn run(args: EnrollArgs) -> ExitCode {
    match try_run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failure(&error),
    }
}

fn try_run(args: EnrollArgs) -> Result<(), EnrollError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let enrolment = Enrolment {
        files: Files::open(&args.out)?,
        clock: Clock::system(),
        args,
    };
    runtime.block_on(async {
        if enrolment.args.watch {
            tokio::select! {
                () = stop_signal() => Ok(()),
                ended = enrolment.watch(tokio::time::sleep) => ended,
            }
        } else {
            let identity = enrolment.with_token().await?;
            enrolment.tell(&identity)
        }
    })
}

/// One directory that is kept.
pub(super) struct Enrolment {
    pub(super) args: EnrollArgs,
    pub(super) files: Files,
    pub(super) clock: Clock,
}

impl Enrolment {
    /// Renews for ever, and waits by `sleep` in between. The first certificate must come at once; later failures are told and
    /// tried again.
    pub(super) async fn watch(&self, sleep: impl AsyncFn(Duration)) -> Result<(), EnrollError> {
        let held = self
            .files
            .held()
            .filter(|held| held.identity.holds_at(self.clock.now()));
        let first = match held {
            Some(held) => held.identity,
            None => self.with_token().await?,
        };
        self.tell(&first)?;
        let mut schedule = Schedule::new(first.not_before, first.not_after);
        loop {
            sleep(schedule.wait(self.clock.now())).await;
            if !schedule.is_due(self.clock.now()) {
                continue;
            }
            match self.renew().await {
                Ok(identity) => {
                    self.tell(&identity)?;
                    schedule = Schedule::new(identity.not_before, identity.not_after);
                }
                Err(error) => {
                    let _told = output::failure(&error);
                    schedule = schedule.put_off(self.clock.now());
                }
            }
        }
    }

    /// By the certificate that there is; where that does not do, by the token.
    async fn renew(&self) -> Result<ClientIdentity, EnrollError> {
        let held = self.files.held();
        let by_certificate = match &held {
            Some(held) if held.identity.holds_at(self.clock.now()) => {
                Some(self.with_certificate(held).await)
            }
            _ => None,
        };
        match by_certificate {
            Some(Ok(identity)) => Ok(identity),
            Some(Err(error)) => match self.with_token().await {
                // What the certificate was refused for says more than that there is no token.
                Err(EnrollError::NoToken) => Err(error),
                other => other,
            },
            None => self.with_token().await,
        }
    }

    async fn with_token(&self) -> Result<ClientIdentity, EnrollError> {
        let token = self.token()?;
        let tls = self.tls()?;
        self.enroll(tls, Some(&token), self.args.username.as_deref())
            .await
    }

    async fn with_certificate(&self, held: &Held) -> Result<ClientIdentity, EnrollError> {
        let mut tls = self.tls()?;
        let own = rustls::sign::CertifiedKey::from_der(
            held.chain.clone(),
            held.key.clone_key(),
            &crate::pki::provider(),
        )
        .map_err(EnrollError::Own)?;
        let own = rustls::sign::SingleCertAndKey::from(own);
        tls.client_auth_cert_resolver = std::sync::Arc::new(own);
        self.enroll(tls, None, Some(&held.identity.username)).await
    }

    /// Asks for a certificate, checks that it is for this key, and puts everything in its place.
    async fn enroll(
        &self,
        tls: ClientConfig,
        token: Option<&Secret>,
        username: Option<&str>,
    ) -> Result<ClientIdentity, EnrollError> {
        let is_first = self.files.held().is_none();
        let fresh = if self.args.rotate_key && !is_first {
            Some(generate(self.args.key)?)
        } else {
            None
        };
        let key = match fresh {
            Some(fresh) => fresh,
            None => self.files.key(self.args.key)?,
        };
        let path = self.path(username);
        let ask = Call {
            method: Method::POST,
            path: &path,
            token,
            body: csr(&key, username)?,
        };
        let chain = call(&self.args.gateway, tls.clone(), ask).await?;
        let identity = check(&chain, &key)?;
        let ask = Call {
            method: Method::GET,
            path: "/distribution/ca.pem",
            token: None,
            body: Vec::new(),
        };
        let bundle = call(&self.args.gateway, tls, ask).await?;
        self.files.put_ca(&bundle)?;
        let changed = self.args.rotate_key && !is_first;
        self.files.put(changed.then_some(&key), &chain)?;
        Ok(identity)
    }

    fn path(&self, username: Option<&str>) -> String {
        let mut path = "/distribution/sign-csr?format=pem".to_owned();
        let mut add = |name: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ok = write!(path, "&{name}=");
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b',') {
                    path.push(char::from(byte));
                } else {
                    let _ok = write!(path, "%{byte:02X}");
                }
            }
        };
        if let Some(hours) = self.args.hours {
            add("certduration", &hours.to_string());
        }
        if let Some(username) = username {
            add("requestedUsername", username);
        }
        if let Some(roles) = &self.args.roles {
            add("assignedRoles", roles);
        }
        path
    }

    /// TLS that believes `--ca-file`, and what an earlier run has fetched over a connection that was believed.
    fn tls(&self) -> Result<ClientConfig, EnrollError> {
        let own = self.files.ca_file();
        let given = self.args.ca_file.as_deref();
        let mut roots = Vec::new();
        // After a rollover the fetched bundle knows more than the operator's file.
        let fetched = (own.exists() || given.is_none()).then_some(own.as_path());
        for file in given.into_iter().chain(fetched) {
            if let Trust::Roots(more) = Trust::from_pem_file(file)? {
                roots.extend(more);
            }
        }
        Ok(Trust::Roots(roots).client_config(&[b"http/1.1"])?)
    }

    fn token(&self) -> Result<Secret, EnrollError> {
        if let Some(path) = &self.args.token_file {
            let text = read_token(path).map_err(|source| EnrollError::Token {
                path: path.clone(),
                source,
            })?;
            return Ok(Secret::new(text.trim()));
        }
        let token = self.args.token.as_deref();
        token.map(Secret::new).ok_or(EnrollError::NoToken)
    }

    fn tell(&self, identity: &ClientIdentity) -> Result<(), EnrollError> {
        output::line(&format!(
            "certificate {} for {} in {} until {}",
            identity.serial,
            identity.username,
            self.files.certificate_file().display(),
            identity.not_after
        ))?;
        Ok(())
    }
}

fn read_token(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().take(MAX_TOKEN).read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

fn csr(key: &KeyPair, username: Option<&str>) -> Result<Vec<u8>, EnrollError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if let Some(username) = username {
        params.distinguished_name.push(DnType::CommonName, username);
    }
    Ok(params.serialize_request(key)?.der().to_vec())
}

/// What was signed must be for the key that was sent.
fn check(chain: &[u8], key: &KeyPair) -> Result<ClientIdentity, EnrollError> {
    let first = CertificateDer::from_pem_slice(chain).map_err(|_| EnrollError::Answer)?;
    let identity = ClientIdentity::read(&first).map_err(|_| EnrollError::Answer)?;
    let own: [u8; 32] = Sha256::digest(key.subject_public_key_info()).into();
    if identity.key_hash == own {
        Ok(identity)
    } else {
        Err(EnrollError::Answer)
    }
}

/// A token takes 60.
const MAX_TOKEN: u64 = 4_096;
