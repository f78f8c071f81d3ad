//! What a client certificate says of its holder: written at issue, read when it is presented.
//!
//! Tenant and user stand in a subject alternative name, `urn:tollgate:tenant:<tenant>:user:<user>`; account and roles
//! in an extension of our own. The common name is for people, and nothing relies on it alone.

use std::fmt::Write as _;

use rcgen::CustomExtension;
use sha2::Digest as _;
use sha2::Sha256;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use crate::model::Holder;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;

/// What a client certificate of one of our own issuers says.
///
/// It is a claim until the issuer's signature was checked: the TLS handshake does that for a chain up to *some*
/// trusted root, and [`super::Authority::has_issued`] for our own issuers, which alone may make this claim. It says what was
/// true at issue; whether the account still exists, is enabled and has the roles is asked at each use, so that a
/// certificate only ever narrows (restconf-pki 3.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Unique among all certificates of our issuers.
    pub serial: Serial,
    /// The issuer's name, for people.
    pub issuer: String,
    /// The subject's name, for people.
    pub subject: String,
    /// The holder's tenant.
    pub tenant: TenantId,
    /// The holder's account, as `iam::AccountId::from_raw` takes it.
    pub account: i64,
    /// The holder's user name at issue.
    pub username: String,
    /// The names of the roles that the certificate is limited to. Empty: none at all.
    pub roles: Vec<String>,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// SHA-256 of the public key (the whole SubjectPublicKeyInfo): two certificates with the same key have the same.
    pub key_hash: [u8; 32],
}

/// The certificate is not one that our issuers make for clients, or is not a certificate at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate does not name a client of this gateway")]
pub struct NotAClient;

/// What is written into a certificate about its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claims<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) account: i64,
    pub(super) username: &'a str,
    pub(super) roles: &'a [String],
}

impl ClientIdentity {
    /// Reads the identity of a certificate in DER.
    ///
    /// # Errors
    ///
    /// [`NotAClient`] when it is not a certificate, or not one with exactly the marks of our client profile: the name
    /// and the extension once each, and consistent with the subject.
    pub fn read(der: &[u8]) -> Result<Self, NotAClient> {
        let (rest, certificate) = parse_x509_certificate(der).map_err(|_| NotAClient)?;
        if !rest.is_empty() {
            return Err(NotAClient);
        }
        let (tenant, username) = named(&certificate).ok_or(NotAClient)?;
        let (account, roles) = marked(&certificate).ok_or(NotAClient)?;
        let common = certificate.subject().iter_common_name().next();
        let common = common.and_then(|name| name.as_str().ok());
        if common != Some(&common_name(&username, account)) {
            return Err(NotAClient);
        }
        let validity = certificate.validity();
        Ok(Self {
            serial: Serial::from_octets(certificate.raw_serial()).map_err(|_| NotAClient)?,
            issuer: certificate.issuer().to_string(),
            subject: certificate.subject().to_string(),
            tenant: TenantId::new(tenant),
            account,
            username,
            roles,
            not_before: Timestamp::from_secs(validity.not_before.timestamp()),
            not_after: Timestamp::from_secs(validity.not_after.timestamp()),
            key_hash: Sha256::digest(certificate.public_key().raw).into(),
        })
    }

    /// Whether `now` lies within the validity, ends included (RFC 5280 4.1.2.5).
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

impl From<ClientIdentity> for Holder {
    fn from(identity: ClientIdentity) -> Self {
        Self {
            tenant: identity.tenant,
            username: identity.username.into(),
            account: identity.account,
            roles: identity.roles.into(),
        }
    }
}

impl Claims<'_> {
    /// The extension with account and roles: `SEQUENCE { UTF8String, SEQUENCE OF UTF8String }`.
    pub(super) fn extension(&self) -> CustomExtension {
        let content = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_utf8_string(&self.account.to_string());
                writer.next().write_sequence_of(|writer| {
                    for role in self.roles {
                        writer.next().write_utf8_string(role);
                    }
                });
            });
        });
        CustomExtension::from_oid_content(EXTENSION, content)
    }

    /// The name with tenant and user (RFC 8141: an informal namespace of our own).
    pub(super) fn urn(&self) -> String {
        let mut urn = TENANT.to_owned();
        escape(&mut urn, self.tenant.as_str());
        urn.push_str(USER);
        escape(&mut urn, self.username);
        urn
    }

    pub(super) fn common_name(&self) -> String {
        common_name(self.username, self.account)
    }
}

/// The user name, or the account's id where it is longer than a common name may be (RFC 5280 appendix A).
fn common_name(username: &str, account: i64) -> String {
    if username.chars().count() > COMMON_NAME_CHARS {
        account.to_string()
    } else {
        username.to_owned()
    }
}

/// Tenant and user of the one name that says so.
fn named(certificate: &X509Certificate<'_>) -> Option<(String, String)> {
    let extension = certificate.subject_alternative_name().ok().flatten()?;
    let mut names = extension.value.general_names.iter();
    let Some(GeneralName::URI(uri)) = names.next() else {
        return None;
    };
    if names.next().is_some() {
        return None;
    }
    let (tenant, user) = uri.strip_prefix(TENANT)?.split_once(USER)?;
    Some((unescape(tenant)?, unescape(user)?))
}

/// Account and roles of the one extension that says so.
fn marked(certificate: &X509Certificate<'_>) -> Option<(i64, Vec<String>)> {
    let mut own = certificate.extensions().iter().filter(|extension| {
        let arcs = extension.oid.iter();
        arcs.is_some_and(|arcs| arcs.eq(EXTENSION.iter().copied()))
    });
    let content = own.next()?.value;
    if own.next().is_some() {
        return None;
    }
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone is not general enough in its lifetimes"
    )]
    let (account, roles) = yasna::parse_der(content, |reader| {
        reader.read_sequence(|reader| {
            let account = reader.next().read_utf8string()?;
            let roles = reader
                .next()
                .collect_sequence_of(|role| role.read_utf8string())?;
            Ok((account, roles))
        })
    })
    .ok()?;
    Some((account.parse().ok()?, roles))
}

/// Percent-encodes all but the unreserved characters (RFC 3986 2.3).
fn escape(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ok = write!(into, "%{byte:02X}");
        }
    }
}

/// The inverse of [`escape`], and of nothing else: each text has one spelling.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let plain = String::from_utf8(bytes).ok()?;
    let mut again = String::with_capacity(text.len());
    escape(&mut again, &plain);
    (again == text && !plain.is_empty()).then_some(plain)
}

/// `1.3.6.1.4.1.32473.7443.1`, below the enterprise number that RFC 5612 sets aside: no product has it, and its arcs are
/// small enough for every parser (Go refuses those of the UUID arc 2.25). Who has a number of their own puts it here.
const EXTENSION: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 7443, 1];

const TENANT: &str = "urn:tollgate:tenant:";
const USER: &str = ":user:";

/// `ub-common-name` of RFC 5280 appendix A.
const COMMON_NAME_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        for text in ["pca", "a.b_c-d~e", "a:user:b", "ä %/"] {
            let mut escaped = String::new();
            escape(&mut escaped, text);
            assert!(!escaped.contains(':'), "{escaped}");
            assert_eq!(unescape(&escaped).as_deref(), Some(text));
        }
        for wrong in ["", "%", "%4", "%zz", "%61", "%c3%a4", "%FF", "a b"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn identity_is_read_from_nothing_else() {
        for der in [&b""[..], b"garbage", &[0x30, 0x80]] {
            assert_eq!(ClientIdentity::read(der), Err(NotAClient));
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        let foreign = params.self_signed(&key).unwrap();
        assert_eq!(ClientIdentity::read(foreign.der()), Err(NotAClient));
    }
}
