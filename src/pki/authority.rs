//! The issuing CA: made once, then read from its directory.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::PKCS_ECDSA_P256_SHA256;
use rcgen::PublicKeyData;
use rustls::pki_types::CertificateDer;
use x509_parser::parse_x509_certificate;

use crate::clock::Clock;
use crate::model::Timestamp;

use super::Error;
use super::Name;
use super::ServerIdentity;
use super::files;
use super::profile;

/// Signs the certificates of this gateway and of those who enrol with it.
///
/// Files in its directory: `ca.key` (owner only), `ca.pem` (public), `server.pem` (owner only; the gateway's
/// own key and chain).
pub struct Authority {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    ends: Timestamp,
    clock: Clock,
}

impl Authority {
    /// Opens the CA in `dir`, or makes one (EC P-256, ten years) when there is none.
    ///
    /// The key goes to disk before the certificate, each whole or not at all: what an interrupted start left is
    /// completed by the next, and two processes that start at once end with the same CA.
    ///
    /// # Errors
    ///
    /// [`Error`]: the directory cannot be written, the key may be read by others, key and certificate do not
    /// belong together, or the certificate is not that of a CA, or has expired.
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
        let key = read_key(&key_file)?;
        if !exists(&certificate_file)? {
            let certificate = profile::issuer(&key, clock.now())?.self_signed(&key)?;
            files::write_new(
                &certificate_file,
                certificate.pem().as_bytes(),
                files::PUBLIC,
            )?;
            tracing::info!(file = %certificate_file.display(), "issuing ca made");
        }
        Self::open(dir, key, clock)
    }

    fn open(dir: &Path, key: KeyPair, clock: &Clock) -> Result<Self, Error> {
        let path = dir.join(CERTIFICATE_FILE);
        let pem = files::read(&path)?;
        let no_certificate = || Error::NotACertificate { path: path.clone() };
        let certificate = files::parse_certificates(&path, &pem)?
            .into_iter()
            .next()
            .ok_or_else(no_certificate)?;
        let (_, parsed) = parse_x509_certificate(&certificate).map_err(|_| no_certificate())?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(Error::KeyMismatch {
                certificate: path,
                key: dir.join(KEY_FILE),
            });
        }
        let may_sign = parsed.is_ca()
            && parsed
                .key_usage()
                .is_ok_and(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()));
        if !may_sign {
            return Err(Error::NotAnIssuer { path });
        }
        let ends = Timestamp::from_secs(parsed.validity().not_after.timestamp());
        if ends <= clock.now() {
            return Err(Error::Expired { path });
        }
        Ok(Self {
            dir: dir.to_owned(),
            issuer: Issuer::from_ca_cert_der(&certificate, key)?,
            certificate,
            pem: String::from_utf8(pem).map_err(|_| no_certificate())?,
            ends,
            clock: clock.clone(),
        })
    }

    /// The CA's certificate, for those who verify what it issued.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The same as PEM text: the content of `ca.pem`.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Where [`Authority::pem`] lies, for commands that name it.
    pub fn certificate_file(&self) -> PathBuf {
        self.dir.join(CERTIFICATE_FILE)
    }

    /// Whether one of the gateway's own issuers has signed this certificate (DER). Costs a signature check: ask once
    /// per connection. Says nothing of its time or of revocation.
    pub fn has_issued(&self, certificate: &[u8]) -> bool {
        let Ok((_, issuer)) = parse_x509_certificate(&self.certificate) else {
            return false;
        };
        parse_x509_certificate(certificate).is_ok_and(|(_, leaf)| {
            leaf.tbs_certificate.issuer.as_raw() == issuer.tbs_certificate.subject.as_raw()
                && leaf.verify_signature(Some(issuer.public_key())).is_ok()
        })
    }

    /// The gateway's own identity: the stored one, or a new one when there is none, when it ends within 30 days,
    /// when `names` are others, or when another CA issued it.
    ///
    /// # Errors
    ///
    /// [`Error`]: no names, or the file cannot be read or written.
    pub fn server_identity(&self, names: &[Name]) -> Result<ServerIdentity, Error> {
        let path = self.dir.join(SERVER_FILE);
        if exists(&path)? {
            let content = files::read_private(&path, files::GROUP_AND_OTHERS)?;
            // What cannot be parsed is replaced like what has expired: the file is the gateway's own.
            let stored = ServerIdentity::from_pem(&path, &content, &path, &content);
            if let Ok(stored) = stored
                && stored.serves(names, &self.certificate, self.clock.now())
            {
                return Ok(stored);
            }
        }
        let key = generate_key()?;
        let params = profile::server(names, self.clock.now(), self.ends)?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        let content =
            zeroize::Zeroizing::new(format!("{}{}{}", key.serialize_pem(), leaf.pem(), self.pem));
        files::replace(&path, content.as_bytes(), files::OWNER_ONLY)?;
        tracing::info!(file = %path.display(), "server certificate issued");
        ServerIdentity::from_pem(&path, content.as_bytes(), &path, content.as_bytes())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

fn generate_key() -> Result<KeyPair, Error> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

fn read_key(path: &Path) -> Result<KeyPair, Error> {
    let pem = files::read_private(path, files::GROUP_AND_OTHERS)?;
    let key = files::parse_key(path, &pem)?;
    KeyPair::try_from(&key).map_err(|_| Error::NotAKey {
        path: path.to_owned(),
    })
}

fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(files::at(path))
}

const KEY_FILE: &str = "ca.key";
const CERTIFICATE_FILE: &str = "ca.pem";
const SERVER_FILE: &str = "server.pem";
