//! Certificate revocation lists (RFC 5280 5).

use std::time::Duration;

use rcgen::CertificateRevocationListParams;
use rcgen::KeyIdMethod;
use rcgen::RevokedCertParams;
use rcgen::SerialNumber;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::model::Timestamp;

use super::Error;
use super::ca::Ca;
use super::files;
use super::port::RevokedCertificate;
use super::profile::date;

/// A signed list of what one issuer has revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// The list in DER.
    pub der: Vec<u8>,
    /// Greater than that of every earlier list of the issuer (RFC 5280 5.2.3).
    pub number: u64,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next one is there at the latest.
    pub next_update: Timestamp,
}

impl Crl {
    /// The list as PEM text.
    pub fn to_pem(&self) -> String {
        files::pem("X509 CRL", &self.der)
    }
}

/// Builds and signs a list. A hundred thousand entries take about a tenth of a second and 4 MiB.
pub(super) fn build(
    ca: &Ca,
    revoked: &[RevokedCertificate],
    number: u64,
    now: Timestamp,
    lifetime: Duration,
) -> Result<Crl, Error> {
    let entry = |entry: &RevokedCertificate| RevokedCertParams {
        serial_number: SerialNumber::from_slice(entry.serial.octets()),
        revocation_time: date(entry.at),
        reason_code: entry.reason.coded(),
        invalidity_date: None,
    };
    let next_update = now.saturating_add(lifetime.max(SHORTEST));
    let params = CertificateRevocationListParams {
        this_update: date(now),
        next_update: date(next_update),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: revoked.iter().map(entry).collect(),
        key_identifier_method: KeyIdMethod::PreSpecified(ca.key_id.clone()),
    };
    Ok(Crl {
        der: params.signed_by(&ca.issuer)?.der().to_vec(),
        number,
        this_update: now,
        next_update,
    })
}

/// Whether what this CA signs names it byte for byte as its certificate does. The library writes names anew, which
/// verifiers would not recognise where it does so differently.
pub(super) fn names_issuer(ca: &Ca) -> Result<bool, Error> {
    let crl = build(ca, &[], 1, ca.view.not_before, SHORTEST)?;
    let parsed = CertificateRevocationList::from_der(&crl.der);
    Ok(parsed.is_ok_and(|(_, crl)| crl.issuer().as_raw() == ca.subject))
}

/// A list must be younger than its end (RFC 5280 5.1.2.5), to the second.
const SHORTEST: Duration = Duration::from_secs(1);
