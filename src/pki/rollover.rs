//! From one issuer to the next (restconf-pki 3.2.18).
//!
//! A new issuer is announced first ([`Authority::prepare`]): it is trusted and handed out, so that clients know it before
//! anything is signed with it. Then it takes over ([`Authority::rotate`]), and the old one stays trusted until it ends.
//! Commands do this beside a running gateway, which follows with [`Authority::reload`]. Each step on disk is whole or
//! not at all; a rotation that was cut off in the middle is completed by whoever reads the directory next.

use std::fs;
use std::path::Path;

use rcgen::PublicKeyData as _;
use zeroize::Zeroizing;

use super::Authority;
use super::Error;
use super::authority::CERTIFICATE_FILE;
use super::authority::KEY_FILE;
use super::authority::NEXT_CERTIFICATE_FILE;
use super::authority::NEXT_KEY_FILE;
use super::authority::RETIRED;
use super::authority::exists;
use super::authority::generate_key;
use super::ca::Ca;
use super::files;
use super::profile;

impl Authority {
    /// Makes the next issuer, unless there is one. It is trusted from now on, and signs nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error`] when the directory cannot be written.
    pub fn prepare(&self) -> Result<(), Error> {
        if self.issuers.load().next.is_some() {
            return Ok(());
        }
        let key = generate_key()?;
        let certificate = profile::issuer(&key, self.clock.now())?.self_signed(&key)?;
        let key = Zeroizing::new(key.serialize_pem());
        self.put_next(certificate.pem().as_bytes(), key.as_bytes())
    }

    /// Takes an issuer that was made elsewhere (a chain in PEM, the issuer's certificate first, and its key) as the
    /// next one.
    ///
    /// # Errors
    ///
    /// [`Error`]: the two do not belong together, the certificate is not that of a CA, or has expired.
    pub fn import(&self, certificate: &Path, key: &Path) -> Result<(), Error> {
        let ca = Ca::read(certificate, key)?;
        if ca.ends <= self.clock.now() {
            return Err(Error::Expired {
                path: certificate.to_owned(),
            });
        }
        let key = files::read_private(key, files::GROUP_AND_OTHERS)?;
        self.put_next(ca.pem.as_bytes(), &key)
    }

    /// Has the next issuer sign from now on; without one, makes one. The issuer so far retires.
    ///
    /// # Errors
    ///
    /// [`Error`] when the directory cannot be written.
    pub fn rotate(&self) -> Result<(), Error> {
        self.prepare()?;
        let (key, certificate) = (self.dir.join(KEY_FILE), self.dir.join(CERTIFICATE_FILE));
        let retired = self.dir.join(RETIRED);
        files::make_dir(&retired)?;
        let name = self.issuers.load().current.view.id.clone();
        let old_key = files::read_private(&key, files::GROUP_AND_OTHERS)?;
        // The certificate last: it is what a reader of the directory looks for.
        let kept = retired.join(format!("{name}.key"));
        files::write_new(&kept, &old_key, files::OWNER_ONLY)?;
        let kept = retired.join(format!("{name}.pem"));
        files::write_new(&kept, &files::read(&certificate)?, files::PUBLIC)?;
        files::rename(&self.dir.join(NEXT_KEY_FILE), &key)?;
        complete(&self.dir)?;
        self.reload().map(drop)
    }

    fn put_next(&self, certificate: &[u8], key: &[u8]) -> Result<(), Error> {
        files::replace(&self.dir.join(NEXT_KEY_FILE), key, files::OWNER_ONLY)?;
        let path = self.dir.join(NEXT_CERTIFICATE_FILE);
        files::replace(&path, certificate, files::PUBLIC)?;
        self.reload().map(drop)
    }
}

/// Completes a rotation: the next issuer's key has taken its place, and its certificate follows.
pub(super) fn complete(dir: &Path) -> Result<(), Error> {
    let next = dir.join(NEXT_CERTIFICATE_FILE);
    if !exists(&next)? || exists(&dir.join(NEXT_KEY_FILE))? {
        return Ok(());
    }
    let key_file = dir.join(KEY_FILE);
    let content = files::read_private(&key_file, files::GROUP_AND_OTHERS)?;
    let key = rcgen::KeyPair::try_from(&files::parse_key(&key_file, &content)?)?;
    let chain = files::read_certificates(&next)?;
    let belongs = chain.first().is_some_and(|first| {
        x509_parser::parse_x509_certificate(first)
            .is_ok_and(|(_, parsed)| parsed.public_key().raw == key.subject_public_key_info())
    });
    if belongs {
        files::rename(&next, &dir.join(CERTIFICATE_FILE))
    } else {
        fs::remove_file(&next).map_err(files::at(&next))
    }
}
