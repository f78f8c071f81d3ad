//! What stands in each kind of certificate. `certs/README.md` says the same for people.

use std::fmt::Write;
use std::time::Duration;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CrlDistributionPoint;
use rcgen::DistinguishedName;
use rcgen::DnType;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::KeyPair;
use rcgen::KeyUsagePurpose;
use rcgen::SanType;
use rcgen::SerialNumber;
use time::OffsetDateTime;

use crate::model::Serial;
use crate::model::Timestamp;

use super::Error;
use super::Grant;
use super::Name;
use super::client::Claims;

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
    params.serial_number = Some(SerialNumber::from_slice(serial()?.octets()));
    params.not_before = date(now.saturating_sub(CLOCK_SKEW));
    params.not_after = date(now.saturating_add(ISSUER_LIFETIME));
    Ok(params)
}

/// The gateway's own certificate. It ends no later than `issuer_end`.
pub(super) fn server(
    names: &[Name],
    now: Timestamp,
    issuer_end: Timestamp,
    crl_point: Option<String>,
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
    params.crl_distribution_points = crl_points(crl_point);
    params.serial_number = Some(SerialNumber::from_slice(serial()?.octets()));
    params.not_before = date(now.saturating_sub(CLOCK_SKEW));
    params.not_after = date(now.saturating_add(SERVER_LIFETIME).min(issuer_end));
    Ok(params)
}

/// Where the list of one issuer is, below the place of all lists.
pub(super) fn crl_point(url: &str, issuer_id: &str) -> String {
    format!("{}/{issuer_id}", url.trim_end_matches('/'))
}

fn crl_points(uri: Option<String>) -> Vec<CrlDistributionPoint> {
    let point = |uri| CrlDistributionPoint { uris: vec![uri] };
    uri.map(point).into_iter().collect()
}

fn subject(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Tollgate");
    name.push(DnType::CommonName, common_name);
    name
}

/// A client's certificate. Nothing of it comes from the request but the key, which is not in here.
pub(super) fn client(
    grant: &Grant<'_>,
    issuer: (&str, Timestamp),
    now: Timestamp,
) -> Result<(Serial, CertificateParams), Error> {
    let (issuer_id, issuer_end) = issuer;
    let claims = Claims {
        tenant: grant.tenant,
        account: grant.account,
        username: grant.username,
        roles: grant.roles,
    };
    let serial = serial()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let name = &mut params.distinguished_name;
    name.push(DnType::OrganizationName, grant.tenant.as_str());
    name.push(DnType::CommonName, claims.common_name());
    params.subject_alt_names = vec![SanType::URI(claims.urn().try_into()?)];
    params.custom_extensions = vec![claims.extension()];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points = crl_points(grant.crl_url.map(|url| crl_point(url, issuer_id)));
    params.serial_number = Some(SerialNumber::from_slice(serial.octets()));
    params.not_before = date(now.saturating_sub(CLIENT_BACKDATE));
    params.not_after = date(grant.ends.min(issuer_end));
    Ok((serial, params))
}

/// 126 random bits: unique without a counter, so also after a restart and on several nodes, and not to be guessed (RFC
/// 5280 4.1.2.2). Positive without a padding byte, and all of one length.
fn serial() -> Result<Serial, Error> {
    let mut octets = [0; SERIAL_BYTES];
    getrandom::fill(&mut octets).map_err(Error::Random)?;
    let [first, ..] = &mut octets;
    *first = *first & 0x7f | 0x40;
    Serial::from_octets(&octets).map_err(|_| Error::NoIssuer)
}

pub(super) fn date(at: Timestamp) -> OffsetDateTime {
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

/// Devices with a clock that is a little late can use their certificate at once; more would reach back before the
/// decision to issue it.
pub const CLIENT_BACKDATE: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn million_serials_are_unique_positive_and_of_one_length() {
        let mut seen = HashSet::with_capacity(1_000_000);
        for _ in 0..1_000_000 {
            let serial = serial().unwrap();
            assert_eq!(serial.octets().len(), 16);
            assert!(serial.octets()[0] < 0x80);
            assert!(seen.insert(serial), "{serial} came twice");
        }
    }
}
