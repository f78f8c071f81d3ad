//! Certificate signing requests (PKCS#10, RFC 2986): what a stranger sends, and whether it may be looked at.
//!
//! Of a request only the key counts, and a common name, which must not contradict who asks. Everything else that it
//! asks for (extensions, attributes, the rest of the subject) is ignored: certificates are built from the profile.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use sha2::Digest as _;
use sha2::Sha256;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Name;
use x509_parser::x509::X509Version;

use crate::model::Class;

use super::KeyError;
use super::PublicKey;
use super::identity::provider;
use super::key::is_algorithm;

/// A request whose signature proves that the sender has the key, and whose key may be certified.
#[derive(Clone, Debug)]
pub struct Csr {
    key: PublicKey,
    common_name: Option<String>,
    hash: [u8; 32],
}

/// Why a request is refused. Nothing of what was sent is in here: it may have been a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrError {
    /// It is a certificate.
    #[error("a certificate was sent, not a certificate signing request")]
    Certificate,
    /// Nothing was sent.
    #[error("certificate signing request is empty")]
    Empty,
    /// Its key may not be certified.
    #[error("{0}")]
    Key(KeyError),
    /// It is not PKCS#10.
    #[error("not a well-formed certificate signing request")]
    Malformed,
    /// Its common name cannot be read, or there are several.
    #[error("common name is unreadable or given more than once")]
    Name,
    /// It is not PEM as RFC 7468 has it.
    #[error("pem {0}")]
    Pem(&'static str),
    /// It is a private key. Whoever sent it must make a new one.
    #[error("a private key was sent: it must be replaced by a new one")]
    PrivateKey,
    /// The signature is not that of the key.
    #[error("signature does not prove possession of the key")]
    Signature,
    /// The hash of the signature is SHA-1 or MD5, or its algorithm does not fit the key.
    #[error("signature algorithm is not accepted")]
    SignatureAlgorithm,
    /// It is larger than [`MAX_CSR_BYTES`].
    #[error("certificate signing request is larger than 16 KiB")]
    TooLarge,
    /// Something follows it.
    #[error("certificate signing request is followed by something else")]
    Trailing,
}

impl CsrError {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        match self {
            Self::TooLarge => Class::TooLarge,
            _ => Class::Malformed,
        }
    }

    /// The machine word.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Certificate => "certificate_sent",
            Self::Empty => "csr_missing",
            Self::Key(KeyError::Blocked) => "key_blocked",
            Self::Key(_) => "key_not_accepted",
            Self::Malformed | Self::Pem(_) | Self::Trailing => "csr_malformed",
            Self::Name => "csr_name",
            Self::PrivateKey => "private_key_sent",
            Self::Signature => "csr_signature",
            Self::SignatureAlgorithm => "csr_signature_algorithm",
            Self::TooLarge => "too_large",
        }
    }
}

impl From<KeyError> for CsrError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl Csr {
    /// Parses and checks a request in PEM or DER.
    ///
    /// PEM may follow explanatory text (RFC 7468 2), as `openssl req -text` writes it; nothing but white space may
    /// follow the one block.
    ///
    /// # Errors
    ///
    /// [`CsrError`] says what is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, CsrError> {
        if body.len() > MAX_CSR_BYTES {
            return Err(CsrError::TooLarge);
        }
        if body.is_empty() {
            return Err(CsrError::Empty);
        }
        if body.first() == Some(&SEQUENCE) {
            return Self::parse_der(body);
        }
        Self::parse_der(&unwrap_pem(body)?)
    }

    /// The same in base64 without PEM's lines, as EST sends it (RFC 8951 3.1), or in one of the other forms.
    ///
    /// # Errors
    ///
    /// [`CsrError`] says what is wrong.
    pub fn parse_base64(body: &[u8]) -> Result<Self, CsrError> {
        let is_other = body.first() == Some(&SEQUENCE) || contains(body, b"-----");
        if is_other || body.is_empty() || body.len() > MAX_CSR_BYTES {
            return Self::parse(body);
        }
        Self::parse_der(&decode(body)?)
    }

    /// The key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The common name of the subject.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// SHA-256 of the request in DER: the same for PEM and DER.
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    fn parse_der(der: &[u8]) -> Result<Self, CsrError> {
        let Ok((rest, csr)) = X509CertificationRequest::from_der(der) else {
            return Err(recognise(der));
        };
        if !rest.is_empty() {
            return Err(CsrError::Trailing);
        }
        let info = &csr.certification_request_info;
        if info.version != X509Version::V1 {
            return Err(CsrError::Malformed);
        }
        // Before the signature, so that a short key is named as what it is.
        let key = PublicKey::check(info.subject_pki.raw)?;
        verify(der, &key)?;
        Ok(Self {
            key,
            common_name: common_name(&info.subject)?,
            hash: Sha256::digest(der).into(),
        })
    }
}

/// Checks the proof of possession with the algorithms of the TLS library: SHA-256 or better, nothing older.
fn verify(der: &[u8], key: &PublicKey) -> Result<(), CsrError> {
    let (info, algorithm, (signature, count)) = yasna::parse_der(der, |reader| {
        reader.read_sequence(|reader| {
            let info = reader.next().read_der()?;
            let algorithm = reader.next().read_der()?;
            Ok((info, algorithm, reader.next().read_bitvec_bytes()?))
        })
    })
    .map_err(|_| CsrError::Malformed)?;
    if count != signature.len() * 8 {
        return Err(CsrError::Malformed);
    }
    let key_algorithm = yasna::parse_der(key.spki(), |reader| {
        reader.read_sequence(|reader| {
            let algorithm = reader.next().read_der()?;
            reader.next().read_der()?;
            Ok(algorithm)
        })
    })
    .map_err(|_| CsrError::Malformed)?;
    let algorithms = provider().signature_verification_algorithms.all;
    let verifier = algorithms
        .iter()
        .find(|one| {
            is_algorithm(&key_algorithm, one.public_key_alg_id())
                && is_algorithm(&algorithm, one.signature_alg_id())
        })
        .ok_or(CsrError::SignatureAlgorithm)?;
    verifier
        .verify_signature(key.bits(), &info, &signature)
        .map_err(|_| CsrError::Signature)
}

fn common_name(subject: &X509Name<'_>) -> Result<Option<String>, CsrError> {
    let mut names = subject.iter_common_name();
    let Some(name) = names.next() else {
        return Ok(None);
    };
    if names.next().is_some() {
        return Err(CsrError::Name);
    }
    let text = name.as_str().map_err(|_| CsrError::Name)?;
    // Tools that ask for a subject are given an empty one.
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// What else it could have been.
fn recognise(der: &[u8]) -> CsrError {
    if parse_x509_certificate(der).is_ok() {
        CsrError::Certificate
    } else if PrivateKeyDer::try_from(der).is_ok() {
        CsrError::PrivateKey
    } else {
        CsrError::Malformed
    }
}

/// The content of the one block.
fn unwrap_pem(body: &[u8]) -> Result<Vec<u8>, CsrError> {
    // Whatever else is wrong: whoever sends a private key must know that it is one no more.
    if contains(body, b"PRIVATE KEY-----") {
        return Err(CsrError::PrivateKey);
    }
    let text = std::str::from_utf8(body).map_err(|_| CsrError::Malformed)?;
    let (_, rest) = text.split_once(BEGIN).ok_or(CsrError::Malformed)?;
    let (label, rest) = rest.split_once(DASHES).ok_or(CsrError::Pem("is cut off"))?;
    match label {
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {}
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            return Err(CsrError::Certificate);
        }
        _ => return Err(CsrError::Pem("block is of another kind")),
    }
    let (content, rest) = rest.split_once(END).ok_or(CsrError::Pem("is cut off"))?;
    let rest = rest
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES))
        .ok_or(CsrError::Pem("ends otherwise than it begins"))?;
    if rest.contains(BEGIN) {
        return Err(CsrError::Pem("has more than one block"));
    }
    if !rest.trim().is_empty() {
        return Err(CsrError::Trailing);
    }
    decode(content.as_bytes())
}

/// Base64 with white space anywhere.
fn decode(text: &[u8]) -> Result<Vec<u8>, CsrError> {
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    STANDARD
        .decode(digits)
        .map_err(|_| CsrError::Pem("is not base64"))
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

const SEQUENCE: u8 = 0x30;
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A request with an RSA key of 4096 bits and a dozen names takes 3 KiB in PEM (restconf-pki 3.2.7).
pub const MAX_CSR_BYTES: usize = 16 << 10;
