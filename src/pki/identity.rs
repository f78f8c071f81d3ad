//! What the gateway shows to its peers: a certificate chain and the key of its first certificate.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use sha2::Digest as _;
use sha2::Sha256;
use x509_parser::extensions::DistributionPointName;
use x509_parser::extensions::GeneralName;
use x509_parser::extensions::ParsedExtension;
use x509_parser::parse_x509_certificate;

use crate::clock::Clock;
use crate::model::Timestamp;

use super::Error;
use super::Name;
use super::files;
use super::profile::RENEW_BEFORE;

/// A chain and its key, known to belong together.
pub struct ServerIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    ends: Timestamp,
}

/// The one provider of cryptography in this process.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

impl ServerIdentity {
    /// Reads a chain (PEM, server certificate first) and its key (PEM: PKCS#8, SEC1 or PKCS#1) that the operator
    /// brings. The key may be readable by its group, not by everybody.
    ///
    /// A certificate that ends within 30 days is logged; one that has ended is an error.
    ///
    /// # Errors
    ///
    /// [`Error`]: a file cannot be read, holds something else, or the two do not belong together.
    pub fn from_files(certificate: &Path, key: &Path, clock: &Clock) -> Result<Self, Error> {
        let chain = files::read(certificate)?;
        let secret = files::read_private(key, files::OTHERS)?;
        let identity = Self::from_pem(certificate, &chain, key, &secret)?;
        if identity.ends <= clock.now() {
            return Err(Error::Expired {
                path: certificate.to_owned(),
            });
        }
        if identity.renew_at() <= clock.now() {
            tracing::warn!(file = %certificate.display(), ends = %identity.ends, "server certificate ends soon");
        }
        Ok(identity)
    }

    pub(super) fn from_pem(
        certificate_file: &Path,
        certificate: &[u8],
        key_file: &Path,
        key: &[u8],
    ) -> Result<Self, Error> {
        let chain = files::parse_certificates(certificate_file, certificate)?;
        let key = files::parse_key(key_file, key)?;
        let no_certificate = || Error::NotACertificate {
            path: certificate_file.to_owned(),
        };
        let first = chain.first().ok_or_else(no_certificate)?;
        let (_, parsed) = parse_x509_certificate(first).map_err(|_| no_certificate())?;
        let ends = Timestamp::from_secs(parsed.validity().not_after.timestamp());
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider()).map_err(|error| {
            match error {
                rustls::Error::InconsistentKeys(_) => Error::KeyMismatch {
                    certificate: certificate_file.to_owned(),
                    key: key_file.to_owned(),
                },
                rustls::Error::InvalidCertificate(_) => no_certificate(),
                _ => Error::NotAKey {
                    path: key_file.to_owned(),
                },
            }
        })?;
        Ok(Self { chain, key, ends })
    }

    /// The chain, server certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// A copy of the key, for the TLS library that keeps it.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        self.key.clone_key()
    }

    /// SHA-256 of its SubjectPublicKeyInfo.
    pub fn key_hash(&self) -> [u8; 32] {
        let parsed = self
            .chain
            .first()
            .map(|first| parse_x509_certificate(first));
        match parsed {
            Some(Ok((_, parsed))) => Sha256::digest(parsed.public_key().raw).into(),
            _ => [0; 32],
        }
    }

    /// From when on a new certificate should be made: 30 days before this one ends.
    pub fn renew_at(&self) -> Timestamp {
        self.ends.saturating_sub(RENEW_BEFORE)
    }

    /// Where it says that its issuer's revocation list is.
    pub(super) fn crl_point(&self) -> Option<String> {
        let (_, parsed) = parse_x509_certificate(self.chain.first()?).ok()?;
        let extensions = parsed.extensions().iter();
        let mut points = extensions.filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::CRLDistributionPoints(points) => points.points.first(),
            _ => None,
        });
        match &points.next()?.distribution_point {
            Some(DistributionPointName::FullName(names)) => match names.first() {
                Some(GeneralName::URI(uri)) => Some((*uri).to_owned()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether clients that trust `issuer` accept this for exactly `names`, for another 30 days.
    pub(super) fn serves(
        &self,
        names: &[Name],
        issuer: &CertificateDer<'static>,
        now: Timestamp,
    ) -> bool {
        let wanted: BTreeSet<_> = names.iter().cloned().collect();
        let (Some(first), Some(name)) = (self.chain.first(), names.first()) else {
            return false;
        };
        let Some(name) = name.to_server_name() else {
            return false;
        };
        let mut roots = RootCertStore::empty();
        if names_of(first) != wanted || roots.add(issuer.clone()).is_err() {
            return false;
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let at = u64::try_from(now.saturating_add(RENEW_BEFORE).secs()).unwrap_or(0);
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        verifier.is_ok_and(|verifier| {
            verifier
                .verify_server_cert(first, &[], &name, &[], at)
                .is_ok()
        })
    }
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerIdentity")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

/// The subject alternative names of a certificate; those of other kinds are left out.
fn names_of(certificate: &CertificateDer<'_>) -> BTreeSet<Name> {
    let Ok((_, parsed)) = parse_x509_certificate(certificate) else {
        return BTreeSet::new();
    };
    let Ok(Some(extension)) = parsed.subject_alternative_name() else {
        return BTreeSet::new();
    };
    let names = extension.value.general_names.iter();
    names.filter_map(name_of).collect()
}

fn name_of(name: &GeneralName<'_>) -> Option<Name> {
    match name {
        GeneralName::DNSName(host) => Some(Name::Dns((*host).to_owned())),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from))
                .ok()
                .map(Name::Ip)
        }
        _ => None,
    }
}
