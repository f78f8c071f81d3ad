//! What a client's certificate says, as plain data.

use std::sync::Arc;

use super::Serial;
use super::TenantId;
use super::Timestamp;

/// A certificate whose chain and proof of possession have been verified, read once for its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the certificate: what caches know it by, and the `x5t#S256` of RFC 8705 3.1.
    pub fingerprint: [u8; 32],
    /// Its serial number.
    pub serial: Serial,
    /// Who issued it, as text (RFC 4514).
    pub issuer: Arc<str>,
    /// Whom it was issued to, as text (RFC 4514).
    pub subject: Arc<str>,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// The last second in which it holds.
    pub not_after: Timestamp,
    /// Whose account it names. `None` when a foreign authority issued it, or when it names none.
    pub holder: Option<Holder>,
}

/// The account that a certificate names, as it was when the certificate was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The account's tenant.
    pub tenant: TenantId,
    /// Its user name.
    pub username: Arc<str>,
    /// Its id, which outlives a user name; the stored number.
    pub account: i64,
    /// The names of the roles that the certificate is narrowed to. Empty: none at all.
    pub roles: Arc<[String]>,
}
