//! The three files: key, certificate with its issuer's, and what to trust.

use std::path::Path;
use std::path::PathBuf;

use rcgen::KeyPair;
use rcgen::RsaKeySize;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;

use crate::pki;
use crate::pki::ClientIdentity;

use super::args::KeyKind;
use super::error::EnrollError;

/// Where the files lie.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
}

/// A certificate that is there, and its key.
pub(super) struct Held {
    pub(super) identity: ClientIdentity,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Files {
    /// The directory, made for its owner alone when it is not there.
    pub(super) fn open(dir: &Path) -> Result<Self, EnrollError> {
        pki::make_secret_dir(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// The key that is there, or a new one. A new one is on the disk before it is certified, so that no certificate is
    /// ever without its key.
    pub(super) fn key(&self, kind: KeyKind) -> Result<KeyPair, EnrollError> {
        let path = self.key_file();
        if path.exists() {
            let pem = pki::read_secret(&path)?;
            let key = std::str::from_utf8(&pem).map(KeyPair::from_pem);
            return key
                .ok()
                .and_then(Result::ok)
                .ok_or(EnrollError::Files(pki::Error::NotAKey { path }));
        }
        let key = generate(kind)?;
        self.put_key(&key)?;
        Ok(key)
    }

    /// The certificate that is there, if it is one for the key that is there.
    pub(super) fn held(&self) -> Option<Held> {
        let chain = pki::read_certificates(&self.certificate_file()).ok()?;
        let identity = ClientIdentity::read(chain.first()?).ok()?;
        let pem = pki::read_secret(&self.key_file()).ok()?;
        let key = KeyPair::from_pem(std::str::from_utf8(&pem).ok()?).ok()?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).ok()?;
        Some(Held {
            identity,
            chain,
            key,
        })
    }

    /// Puts the certificate in its place; a new key just before it.
    pub(super) fn put(&self, key: Option<&KeyPair>, chain: &[u8]) -> Result<(), EnrollError> {
        if let Some(key) = key {
            self.put_key(key)?;
        }
        Ok(pki::write_public(&self.certificate_file(), chain)?)
    }

    pub(super) fn put_ca(&self, bundle: &[u8]) -> Result<(), EnrollError> {
        Ok(pki::write_public(&self.ca_file(), bundle)?)
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    pub(super) fn certificate_file(&self) -> PathBuf {
        self.dir.join("client.pem")
    }

    fn key_file(&self) -> PathBuf {
        self.dir.join("client.key")
    }

    fn put_key(&self, key: &KeyPair) -> Result<(), EnrollError> {
        let pem = pki::key_to_pem(key);
        Ok(pki::write_secret(&self.key_file(), pem.as_bytes())?)
    }
}

/// A new key.
pub(super) fn generate(kind: KeyKind) -> Result<KeyPair, rcgen::Error> {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    match kind {
        KeyKind::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
        KeyKind::P256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        KeyKind::P384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        KeyKind::Rsa2048 => rsa(RsaKeySize::_2048),
        KeyKind::Rsa3072 => rsa(RsaKeySize::_3072),
        KeyKind::Rsa4096 => rsa(RsaKeySize::_4096),
    }
}
