//! What stands in each kind of certificate. `certs/README.md` says the same for people.

use std::fmt::Write;
use std::time::Duration;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::SerialNumber;
use time::OffsetDateTime;

use crate::model::Timestamp;

use super::Error;
use super::Name;

/// The self-signed certificate of the issuing CA.
pub(super) fn issuer(key: &KeyPair, now: Timestamp) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    // Named after its key, so that two CAs never share a name, and the same key always gives the same one.
    let mut tag = String::new();
    for byte in params.key_identifier(key).iter().take(TAG_BYTES) {
        // Writing to a String cannot fail.
        let _ok = write!(tag, "{byte:02x}");
    }
    params.distinguished_name = subject(&format!("Tollgate issuing CA {tag}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial()?);
    params.not_before = date(now.saturating_sub(CLOCK_SKEW));
    params.not_after = date(now.saturating_add(ISSUER_LIFETIME));
    Ok(params)
}

/// The gateway's own certificate. It ends no later than `issuer_end`.
pub(super) fn server(
    names: &[Name],
    now: Timestamp,
    issuer_end: Timestamp,
) -> Result<CertificateParams, Error> {
    let first = names.first().ok_or(Error::NoNames)?;
    let mut params = CertificateParams::default();
    // pygnmi reads the common name and fails without one.
    params.distinguished_name = subject(&first.to_string());
    params.subject_alt_names = names.iter().map(Name::to_san).collect::<Result<_, _>>()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial()?);
    params.not_before = date(now.saturating_sub(CLOCK_SKEW));
    params.not_after = date(now.saturating_add(SERVER_LIFETIME).min(issuer_end));
    Ok(params)
}

fn subject(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Tollgate");
    name.push(DnType::CommonName, common_name);
    name
}

/// 128 random bits: unique without a counter, and not to be guessed (RFC 5280 4.1.2.2).
fn serial() -> Result<SerialNumber, Error> {
    let mut bytes = [0; SERIAL_BYTES];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(SerialNumber::from_slice(&bytes))
}

fn date(at: Timestamp) -> OffsetDateTime {
    // A Timestamp spans the years 1678 to 2262, all of which are dates.
    OffsetDateTime::from_unix_timestamp(at.secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Ten years.
const ISSUER_LIFETIME: Duration = Duration::from_hours(3_652 * 24);

/// With the day of [`CLOCK_SKEW`] 397 days in all: clients in the field accept no more than 398 (Apple, since 2020).
const SERVER_LIFETIME: Duration = Duration::from_hours(396 * 24);

/// A certificate that ends sooner is renewed at start.
pub(super) const RENEW_BEFORE: Duration = Duration::from_hours(30 * 24);

/// Devices without a battery start with a clock that is late.
const CLOCK_SKEW: Duration = Duration::from_hours(24);

const SERIAL_BYTES: usize = 16;
const TAG_BYTES: usize = 4;
