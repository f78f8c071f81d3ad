//! Reading a client certificate that has been verified.

use rustls::CertificateError;
use rustls::Error as TlsError;
use rustls::pki_types::CertificateDer;
use sha2::Digest as _;
use sha2::Sha256;
use x509_parser::parse_x509_certificate;

use crate::model::ClientCertificate;
use crate::model::Holder;
use crate::model::Serial;
use crate::model::Timestamp;
use crate::pki::CLIENT_BACKDATE;
use crate::pki::ClientIdentity;

/// Reads a certificate. Only one of our own authorities says whose account it is.
pub(super) fn read_certificate(
    der: &CertificateDer<'_>,
    is_own: bool,
) -> Result<ClientCertificate, TlsError> {
    let unreadable = || TlsError::InvalidCertificate(CertificateError::BadEncoding);
    let (_, parsed) = parse_x509_certificate(der).map_err(|_| unreadable())?;
    let identity = ClientIdentity::read(der).ok().filter(|_| is_own);
    let validity = parsed.validity();
    let not_before = Timestamp::from_secs(validity.not_before.timestamp());
    Ok(ClientCertificate {
        fingerprint: Sha256::digest(der).into(),
        serial: Serial::from_octets(parsed.raw_serial()).map_err(|_| unreadable())?,
        issuer: parsed.issuer().to_string().into(),
        subject: parsed.subject().to_string().into(),
        issued: match identity {
            Some(_) => not_before.saturating_add(CLIENT_BACKDATE),
            None => not_before,
        },
        not_before,
        not_after: Timestamp::from_secs(validity.not_after.timestamp()),
        holder: identity.map(Holder::from),
    })
}
