//! The issuing CA: made once, then read from its directory.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rcgen::KeyPair;
use rcgen::PKCS_ECDSA_P256_SHA256;
use rustls::pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;

use crate::clock::Clock;

use super::Error;
use super::Name;
use super::ServerIdentity;
use super::ca::Ca;
use super::ca::IssuerView;
use super::files;
use super::profile;

/// Signs the certificates of this gateway and of those who enrol with it. Share it with an `Arc`.
///
/// Files in its directory: `ca.key` (owner only) and `ca.pem` (public), the issuer; `next.*`, one that is announced
/// and does not sign yet; `retired/*`, those that signed before, are still trusted, and sign lists of what they have
/// issued; `server.pem` (owner only), the gateway's own key and chain.
pub struct Authority {
    pub(super) dir: PathBuf,
    pub(super) clock: Clock,
    pub(super) issuers: ArcSwap<Issuers>,
    /// Keys that are nobody else's: SHA-256 of each.
    pub(super) blocked: Mutex<HashSet<[u8; 32]>>,
    /// Where the gateway's own certificate says that revocation lists are.
    crl_url: Mutex<Option<String>>,
}

/// All issuers of a directory, as they were when it was last read.
#[derive(Debug)]
pub(super) struct Issuers {
    pub(super) current: Ca,
    pub(super) next: Option<Ca>,
    pub(super) retired: Vec<Ca>,
}

/// What an issuer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerRole {
    /// It signs.
    Current,
    /// It will sign; clients should learn to trust it.
    Next,
    /// It signed, and what it signed still holds.
    Retired,
}

impl Authority {
    /// Opens the CA in `dir`, or makes one (EC P-256, ten years) when there is none.
    ///
    /// The key goes to disk before the certificate, each whole or not at all: what an interrupted start left is
    /// completed by the next, and two processes that start at once end with the same CA.
    ///
    /// # Errors
    ///
    /// [`Error`]: the directory cannot be written, a key may be read by others, key and certificate do not
    /// belong together, or a certificate is not that of a CA, or the issuer's has expired.
    pub fn open_or_create(dir: &Path, clock: &Clock) -> Result<Self, Error> {
        files::make_dir(dir)?;
        let (key_file, certificate_file) = (dir.join(KEY_FILE), dir.join(CERTIFICATE_FILE));
        if !exists(&key_file)? {
            if exists(&certificate_file)? {
                return Err(Error::KeyMissing {
                    certificate: certificate_file,
                    key: key_file,
                });
            }
            let pem = zeroize::Zeroizing::new(generate_key()?.serialize_pem());
            files::write_new(&key_file, pem.as_bytes(), files::OWNER_ONLY)?;
        }
        if !exists(&certificate_file)? {
            let content = files::read_private(&key_file, files::GROUP_AND_OTHERS)?;
            let key = KeyPair::try_from(&files::parse_key(&key_file, &content)?).map_err(|_| {
                Error::NotAKey {
                    path: key_file.clone(),
                }
            })?;
            let certificate = profile::issuer(&key, clock.now())?.self_signed(&key)?;
            files::write_new(
                &certificate_file,
                certificate.pem().as_bytes(),
                files::PUBLIC,
            )?;
            tracing::info!(file = %certificate_file.display(), "issuing ca made");
        }
        Ok(Self {
            dir: dir.to_owned(),
            issuers: ArcSwap::from_pointee(Issuers::read(dir, clock)?),
            clock: clock.clone(),
            blocked: Mutex::default(),
            crl_url: Mutex::default(),
        })
    }

    /// From now on the gateway's own certificate says that revocation lists are there, with the issuer's key identifier
    /// appended.
    pub fn publish_lists_at(&self, url: &str) {
        *self.crl_url.lock() = Some(url.to_owned());
    }

    /// Reads the directory again: after a rollover by a command, or a restore. Says whether anything is different.
    ///
    /// # Errors
    ///
    /// [`Error`] as at the start; what was read before stays.
    pub fn reload(&self) -> Result<bool, Error> {
        let fresh = Issuers::read(&self.dir, &self.clock)?;
        let ids = |issuers: &Issuers| -> Vec<(IssuerRole, [u8; 32])> {
            let all = issuers.all();
            all.map(|(role, ca)| (role, ca.view.fingerprint)).collect()
        };
        let is_new = ids(&fresh) != ids(&self.issuers.load());
        if is_new {
            self.issuers.store(Arc::new(fresh));
        }
        Ok(is_new)
    }

    /// The issuer's certificate, for those who verify what it issued.
    pub fn certificate(&self) -> CertificateDer<'static> {
        let issuers = self.issuers.load();
        // A chain is never empty: it was read from its file.
        let first = issuers.current.chain.first();
        first
            .cloned()
            .unwrap_or_else(|| CertificateDer::from(Vec::new()))
    }

    /// What clients must trust, as PEM text: the issuer's certificate and those above it, then the same of the next
    /// one, and of those that retired and have not ended.
    pub fn pem(&self) -> String {
        let issuers = self.issuers.load();
        let all = issuers.all();
        all.map(|(_, ca)| ca.pem.as_str()).collect()
    }

    /// The certificates in [`Authority::pem`] that issue to clients, or did: whoever shows a certificate of theirs is one
    /// of ours.
    pub fn roots(&self) -> Vec<CertificateDer<'static>> {
        let issuers = self.issuers.load();
        let all = issuers.all();
        all.filter_map(|(_, ca)| ca.chain.first().cloned())
            .collect()
    }

    /// The whole bundle of [`Authority::pem`], one by one.
    pub fn bundle(&self) -> Vec<CertificateDer<'static>> {
        let issuers = self.issuers.load();
        let all = issuers.all();
        all.flat_map(|(_, ca)| ca.chain.iter().cloned()).collect()
    }

    /// All issuers, the one that signs first.
    pub fn issuers(&self) -> Vec<(IssuerRole, IssuerView)> {
        let issuers = self.issuers.load();
        let all = issuers.all();
        all.map(|(role, ca)| (role, ca.view.clone())).collect()
    }

    /// Where the issuer's certificate lies, for commands that name it.
    pub fn certificate_file(&self) -> PathBuf {
        self.dir.join(CERTIFICATE_FILE)
    }

    /// Whether one of the gateway's own issuers has signed this certificate (DER). Costs a signature check: ask once
    /// per connection. Says nothing of its time or of revocation.
    pub fn has_issued(&self, certificate: &[u8]) -> bool {
        let issuers = self.issuers.load();
        let Ok((rest, leaf)) = parse_x509_certificate(certificate) else {
            return false;
        };
        rest.is_empty() && issuers.all().any(|(_, ca)| ca.has_issued(&leaf))
    }

    /// The gateway's own identity: the stored one, or a new one when there is none, when it ends within 30 days,
    /// when `names` or the place of revocation lists are others, or when another CA issued it. Its key is never certified for a client.
    ///
    /// # Errors
    ///
    /// [`Error`]: no names, or the file cannot be read or written.
    pub fn server_identity(&self, names: &[Name]) -> Result<ServerIdentity, Error> {
        let identity = self.stored_or_new_identity(names)?;
        self.block(identity.key_hash());
        Ok(identity)
    }

    /// A key, by the SHA-256 of its SubjectPublicKeyInfo, that is never certified for a client.
    pub fn block(&self, key: [u8; 32]) {
        self.blocked.lock().insert(key);
    }

    fn stored_or_new_identity(&self, names: &[Name]) -> Result<ServerIdentity, Error> {
        let issuers = self.issuers.load();
        let ca = &issuers.current;
        let path = self.dir.join(SERVER_FILE);
        let url = self.crl_url.lock().clone();
        let crl_point = url.map(|url| profile::crl_point(&url, &ca.view.id));
        if exists(&path)? {
            let content = files::read_private(&path, files::GROUP_AND_OTHERS)?;
            // What cannot be parsed is replaced like what has expired: the file is the gateway's own.
            let stored = ServerIdentity::from_pem(&path, &content, &path, &content);
            if let Ok(stored) = stored
                && stored.crl_point() == crl_point
                && stored.serves(names, ca.certificate()?, self.clock.now())
            {
                return Ok(stored);
            }
        }
        let key = generate_key()?;
        let params = profile::server(names, self.clock.now(), ca.ends, crl_point)?;
        let leaf = params.signed_by(&key, &ca.issuer)?;
        let content =
            zeroize::Zeroizing::new(format!("{}{}{}", key.serialize_pem(), leaf.pem(), ca.pem));
        files::replace(&path, content.as_bytes(), files::OWNER_ONLY)?;
        tracing::info!(file = %path.display(), "server certificate issued");
        ServerIdentity::from_pem(&path, content.as_bytes(), &path, content.as_bytes())
    }
}

impl Issuers {
    fn read(dir: &Path, clock: &Clock) -> Result<Self, Error> {
        super::rollover::complete(dir)?;
        let file = |name: &str| dir.join(name);
        let current = Ca::read(&file(CERTIFICATE_FILE), &file(KEY_FILE))?;
        if current.ends <= clock.now() {
            return Err(Error::Expired {
                path: file(CERTIFICATE_FILE),
            });
        }
        let next = file(NEXT_CERTIFICATE_FILE);
        let next = if exists(&next)? {
            Some(Ca::read(&next, &file(NEXT_KEY_FILE))?)
        } else {
            None
        };
        let mut retired = read_retired(&file(RETIRED))?;
        retired.retain(|ca| ca.ends > clock.now());
        retired.sort_by_key(|ca| std::cmp::Reverse(ca.ends));
        Ok(Self {
            current,
            next,
            retired,
        })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (IssuerRole, &Ca)> {
        let current = std::iter::once((IssuerRole::Current, &self.current));
        let next = self.next.iter().map(|ca| (IssuerRole::Next, ca));
        let retired = self.retired.iter().map(|ca| (IssuerRole::Retired, ca));
        current.chain(next).chain(retired)
    }
}

impl IssuerRole {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

fn read_retired(dir: &Path) -> Result<Vec<Ca>, Error> {
    if !exists(dir)? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(files::at(dir))? {
        let path = entry.map_err(files::at(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            found.push(Ca::read(&path, &path.with_extension("key"))?);
        }
    }
    Ok(found)
}

pub(super) fn generate_key() -> Result<KeyPair, Error> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

pub(super) fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(files::at(path))
}

pub(super) const KEY_FILE: &str = "ca.key";
pub(super) const CERTIFICATE_FILE: &str = "ca.pem";
pub(super) const NEXT_KEY_FILE: &str = "next.key";
pub(super) const NEXT_CERTIFICATE_FILE: &str = "next.pem";
pub(super) const RETIRED: &str = "retired";
const SERVER_FILE: &str = "server.pem";
