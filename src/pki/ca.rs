//! One issuing CA: its key, its certificate, and those above it.

use std::fmt;
use std::fmt::Write as _;
use std::path::Path;

use rcgen::Issuer;
use rcgen::KeyPair;
use rcgen::PublicKeyData as _;
use rustls::pki_types::CertificateDer;
use sha2::Digest as _;
use sha2::Sha256;
use x509_parser::extensions::ParsedExtension;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use crate::model::Serial;
use crate::model::Timestamp;

use super::Error;
use super::crl;
use super::files;

/// A key that signs, and the certificate that says so.
pub(super) struct Ca {
    pub(super) issuer: Issuer<'static, KeyPair>,
    /// Its own certificate first, then those above it.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// The chain as PEM text.
    pub(super) pem: String,
    /// Its subject in DER.
    pub(super) subject: Vec<u8>,
    /// What the certificates that it issues name it by (RFC 5280 4.2.1.1).
    pub(super) key_id: Vec<u8>,
    pub(super) key_hash: [u8; 32],
    pub(super) ends: Timestamp,
    pub(super) view: IssuerView,
}

/// What can be told of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerView {
    /// Its key identifier in hexadecimal: how records and revocation lists name it.
    pub id: String,
    /// Its name.
    pub subject: String,
    /// Who issued its certificate; itself, if it is a root.
    pub issuer: String,
    /// The serial number of its certificate.
    pub serial: Serial,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// SHA-256 of its certificate.
    pub fingerprint: [u8; 32],
}

impl Ca {
    /// Reads the two files, and has the key sign something to see that it can.
    pub(super) fn read(certificate_file: &Path, key_file: &Path) -> Result<Self, Error> {
        let certificate = files::read(certificate_file)?;
        let key = files::read_private(key_file, files::GROUP_AND_OTHERS)?;
        Self::from_pem(certificate_file, &certificate, key_file, &key)
    }

    /// The same of their contents; the files are named in errors.
    pub(super) fn from_pem(
        certificate_file: &Path,
        certificate: &[u8],
        key_file: &Path,
        key: &[u8],
    ) -> Result<Self, Error> {
        let no_certificate = || Error::NotACertificate {
            path: certificate_file.to_owned(),
        };
        let key = files::parse_key(key_file, key)?;
        let key = KeyPair::try_from(&key).map_err(|_| Error::NotAKey {
            path: key_file.to_owned(),
        })?;
        let chain = files::parse_certificates(certificate_file, certificate)?;
        let first = chain.first().ok_or_else(no_certificate)?.clone();
        let (_, parsed) = parse_x509_certificate(&first).map_err(|_| no_certificate())?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(Error::KeyMismatch {
                certificate: certificate_file.to_owned(),
                key: key_file.to_owned(),
            });
        }
        if !may_sign(&parsed) || !is_chain(&chain) {
            return Err(Error::NotAnIssuer {
                path: certificate_file.to_owned(),
            });
        }
        let key_id = key_identifier(&parsed);
        let ca = Self {
            subject: parsed.tbs_certificate.subject.as_raw().to_vec(),
            key_hash: Sha256::digest(parsed.public_key().raw).into(),
            ends: Timestamp::from_secs(parsed.validity().not_after.timestamp()),
            view: view(&parsed, &first, &key_id).ok_or_else(no_certificate)?,
            issuer: Issuer::from_ca_cert_der(&first, key)?,
            pem: chain.iter().map(|one| files::to_pem(one)).collect(),
            chain,
            key_id,
        };
        if crl::names_issuer(&ca)? {
            Ok(ca)
        } else {
            Err(Error::IssuerName {
                path: certificate_file.to_owned(),
            })
        }
    }

    /// Its certificate.
    pub(super) fn certificate(&self) -> Result<&CertificateDer<'static>, Error> {
        self.chain.first().ok_or(Error::NoIssuer)
    }

    /// Whether this key has signed that certificate.
    pub(super) fn has_issued(&self, leaf: &X509Certificate<'_>) -> bool {
        let Some((_, own)) = self
            .chain
            .first()
            .and_then(|own| parse_x509_certificate(own).ok())
        else {
            return false;
        };
        leaf.tbs_certificate.issuer.as_raw() == self.subject
            && leaf.verify_signature(Some(own.public_key())).is_ok()
    }
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ca({})", self.view.id)
    }
}

/// RFC 5280 4.2.1.3 and 4.2.1.9: it signs certificates and the list of those that are revoked.
fn may_sign(certificate: &X509Certificate<'_>) -> bool {
    certificate.is_ca()
        && certificate.key_usage().is_ok_and(|usage| {
            usage.is_none_or(|usage| usage.value.key_cert_sign() && usage.value.crl_sign())
        })
}

/// Whether each certificate is signed by the next.
fn is_chain(chain: &[CertificateDer<'_>]) -> bool {
    chain.windows(2).all(|pair| {
        let [below, above] = pair else {
            return false;
        };
        let (Ok((_, below)), Ok((_, above))) =
            (parse_x509_certificate(below), parse_x509_certificate(above))
        else {
            return false;
        };
        may_sign(&above) && below.verify_signature(Some(above.public_key())).is_ok()
    })
}

/// The identifier that the certificate gives its key, or that we would give it.
fn key_identifier(certificate: &X509Certificate<'_>) -> Vec<u8> {
    let given =
        certificate
            .iter_extensions()
            .find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            });
    given.unwrap_or_else(|| {
        let mut hash = Sha256::digest(certificate.public_key().raw).to_vec();
        hash.truncate(KEY_ID_BYTES);
        hash
    })
}

fn view(
    certificate: &X509Certificate<'_>,
    der: &CertificateDer<'_>,
    key_id: &[u8],
) -> Option<IssuerView> {
    let validity = certificate.validity();
    Some(IssuerView {
        id: hex(key_id),
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: Serial::from_octets(certificate.raw_serial()).ok()?,
        not_before: Timestamp::from_secs(validity.not_before.timestamp()),
        not_after: Timestamp::from_secs(validity.not_after.timestamp()),
        fingerprint: Sha256::digest(der).into(),
    })
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ok = write!(text, "{byte:02x}");
    }
    text
}

/// RFC 7093 2: the left 160 bits of a SHA-256.
const KEY_ID_BYTES: usize = 20;
