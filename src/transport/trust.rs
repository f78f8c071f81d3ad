//! Whose client certificates are taken, and what a verified one says.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use rustls::CertificateError;
use rustls::DigitallySignedStruct;
use rustls::DistinguishedName;
use rustls::Error as TlsError;
use rustls::RootCertStore;
use rustls::SignatureScheme;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerified;
use rustls::server::danger::ClientCertVerifier;

use crate::iam::RevokedCertificates;
use crate::model::ClientCertificate;
use crate::pki;

use super::Error;
use super::client::read_certificate;

/// The authorities whose client certificates are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorities {
    /// Our own issuers. Their certificates name accounts, and the store says which of them are revoked.
    pub own: Vec<CertificateDer<'static>>,
    /// The operator's: their certificates vouch for a connection, such as a proxy's, and name no account.
    pub foreign: Vec<CertificateDer<'static>>,
    /// What the foreign authorities have revoked.
    pub crls: Vec<CertificateRevocationListDer<'static>>,
    /// What is done with a certificate of a foreign authority whose list is missing or out of date.
    pub without_crl: WithoutCrl,
    /// Whether a client that is asked for a certificate is told whose are taken.
    pub named: bool,
}

/// What is done with a certificate of a foreign authority whose revocation list is missing or out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutCrl {
    /// It is taken.
    Accept,
    /// It is refused: it may be revoked.
    #[default]
    Refuse,
}

/// Verifies client certificates, at handshakes and whenever one must be looked at again. Cheap to clone.
///
/// Our own authorities are asked first, with the store's revocations; then the operator's, with their lists.
#[derive(Clone)]
pub struct ClientTrust(Arc<Inner>);

struct Inner {
    own: Option<Arc<dyn ClientCertVerifier>>,
    foreign: Option<Arc<dyn ClientCertVerifier>>,
    hints: Vec<DistinguishedName>,
    revoked: RevokedCertificates,
}

impl ClientTrust {
    /// Trusts these authorities, but for what is `revoked` of our own.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] or [`Error::Verifier`] when a root or a list cannot be used.
    pub fn new(authorities: &Authorities, revoked: RevokedCertificates) -> Result<Self, Error> {
        let own = verifier(&authorities.own, |builder| builder)?;
        let foreign = verifier(&authorities.foreign, |builder| {
            let builder = builder
                .with_crls(authorities.crls.iter().cloned())
                .only_check_end_entity_revocation();
            match authorities.without_crl {
                WithoutCrl::Accept => builder.allow_unknown_revocation_status(),
                WithoutCrl::Refuse => builder.enforce_revocation_expiration(),
            }
        })?;
        let hints = own.iter().chain(&foreign).filter(|_| authorities.named);
        let hints = hints.flat_map(|one| one.root_hint_subjects()).cloned();
        Ok(Self(Arc::new(Inner {
            hints: hints.collect(),
            own,
            foreign,
            revoked,
        })))
    }

    /// Verifies a chain, the client's own certificate first, and reads what it says.
    ///
    /// # Errors
    ///
    /// The TLS library's, as it would end the handshake.
    pub fn verify(&self, chain: &[Bytes], now: UnixTime) -> Result<ClientCertificate, TlsError> {
        let chain: Vec<_> = chain
            .iter()
            .map(|one| CertificateDer::from_slice(one))
            .collect();
        let (first, rest) = chain
            .split_first()
            .ok_or(TlsError::NoCertificatesPresented)?;
        let is_own = self.0.check(first, rest, now)?;
        read_certificate(first, is_own)
    }

    /// Whether a connection whose certificate was verified before must end: it is revoked by now. One look-up.
    pub(super) fn has_revoked(&self, certificate: &ClientCertificate) -> bool {
        certificate.holder.is_some() && self.0.revoked.contains(&certificate.serial)
    }

    /// Whether both trust the same authorities.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What the TLS library asks at a handshake; `None` when nobody is trusted, so that no certificate is asked for.
    pub(super) fn verifier(&self) -> Option<Arc<dyn ClientCertVerifier>> {
        let trusts_any = self.0.own.is_some() || self.0.foreign.is_some();
        trusts_any.then(|| Arc::clone(&self.0) as Arc<dyn ClientCertVerifier>)
    }
}

impl Inner {
    /// Whether one of our own authorities vouches for the certificate; an error where none does.
    fn check(
        &self,
        first: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<bool, TlsError> {
        let octets: usize = rest.iter().map(|one| one.len()).sum();
        if rest.len() >= MAX_CHAIN || octets + first.len() > MAX_CHAIN_BYTES {
            return Err(refused());
        }
        let own = self
            .own
            .as_ref()
            .map(|own| own.verify_client_cert(first, rest, now));
        match (own, &self.foreign) {
            (Some(Ok(_)), _) => {
                let serial = read_certificate(first, true)?.serial;
                if self.revoked.contains(&serial) {
                    return Err(TlsError::InvalidCertificate(CertificateError::Revoked));
                }
                Ok(true)
            }
            (Some(Err(error)), Some(foreign)) if is_unknown(&error) => {
                foreign.verify_client_cert(first, rest, now).map(|_| false)
            }
            (None, Some(foreign)) => foreign.verify_client_cert(first, rest, now).map(|_| false),
            (Some(Err(error)), _) => Err(error),
            (None, None) => Err(refused()),
        }
    }

    /// Both verifiers check signatures alike.
    fn any(&self) -> Result<&dyn ClientCertVerifier, TlsError> {
        let any = self.own.as_ref().or(self.foreign.as_ref());
        any.map(AsRef::as_ref).ok_or_else(refused)
    }
}

impl ClientCertVerifier for Inner {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        self.check(end_entity, intermediates, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.any()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.any()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.any()
            .map(ClientCertVerifier::supported_verify_schemes)
            .unwrap_or_default()
    }
}

/// The TLS library's verifier for these roots; none for no roots.
fn verifier(
    roots: &[CertificateDer<'static>],
    refine: impl FnOnce(
        rustls::server::ClientCertVerifierBuilder,
    ) -> rustls::server::ClientCertVerifierBuilder,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, Error> {
    if roots.is_empty() {
        return Ok(None);
    }
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(Error::Tls)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), pki::provider());
    refine(builder).build().map(Some).map_err(Error::Verifier)
}

/// Whether another authority may know the certificate. Two authorities may have one name.
fn is_unknown(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature
        )
    )
}

const fn refused() -> TlsError {
    TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
}

impl fmt::Debug for ClientTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTrust")
            .field("hints", &self.hints.len())
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

/// Certificates above the client's own: a hierarchy of three, and as much again that is superfluous.
const MAX_CHAIN: usize = 7;

/// A certificate is 1 to 2 KiB; the TLS library itself takes 64 KiB.
const MAX_CHAIN_BYTES: usize = 24 << 10;
