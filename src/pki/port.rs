//! Where issued certificates and their revocations are kept.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::audit::Event;
use crate::model::Class;
use crate::model::Serial;
use crate::model::TenantId;
use crate::model::Timestamp;

use super::Reason;

/// The store of issued certificates. `store` implements it.
///
/// Revocations go into the same numbered log as those of tokens, in the same transaction, so that every node that
/// follows the log learns of them.
#[async_trait]
pub trait Certificates: Debug + Send + Sync {
    /// Keeps a new certificate and the audit event of its issue: both or neither, before anybody is given it.
    ///
    /// # Errors
    ///
    /// [`CertificatesError::KeyOfAnother`] and [`CertificatesError::KeyCompromised`] when the key may not be certified
    /// (again).
    async fn keep(
        &self,
        certificate: &CertificateRecord,
        window: Duration,
        event: &Event,
    ) -> Result<Kept, CertificatesError>;

    /// The certificate that an equal request was given since then, and that is not revoked.
    async fn given(
        &self,
        request: &[u8; 32],
        since: Timestamp,
    ) -> Result<Option<CertificateRecord>, CertificatesError>;

    /// One certificate.
    async fn certificate(
        &self,
        serial: Serial,
    ) -> Result<Option<CertificateRecord>, CertificatesError>;

    /// Certificates that `query` asks for, the newest first.
    async fn certificates(
        &self,
        query: &CertificateQuery,
    ) -> Result<Vec<CertificateRecord>, CertificatesError>;

    /// Revokes what is not yet revoked nor over, with one entry of the revocation log for each, and the audit event.
    /// Doing it again changes nothing. Returns what was revoked now.
    async fn revoke(
        &self,
        revocation: &Revoke,
        at: Timestamp,
        event: &Event,
    ) -> Result<Vec<Serial>, CertificatesError>;

    /// Everything revoked whose time is not over at `now`: of one issuer (by its key identifier in hexadecimal), or
    /// of all.
    async fn revoked(
        &self,
        issuer: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<RevokedCertificate>, CertificatesError>;

    /// Whether deleting an account, or revoking a token, revokes its certificates. Holds for every process that uses the
    /// store, until it is said otherwise; at first it does.
    async fn set_cascade(&self, is_on: bool) -> Result<(), CertificatesError>;

    /// A number for a revocation list: greater than every one before, on whatever node.
    async fn next_crl_number(&self) -> Result<u64, CertificatesError>;
}

/// An issued certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRecord {
    /// Its serial number.
    pub serial: Serial,
    /// Its issuer's key identifier in hexadecimal.
    pub issuer: String,
    /// The holder's tenant.
    pub tenant: TenantId,
    /// The holder's account, as `iam::AccountId` counts.
    pub account: i64,
    /// The holder's user name at issue.
    pub username: String,
    /// The roles that it is limited to.
    pub roles: Vec<String>,
    /// The token with which it, or the certificate that it renews, was asked for; `None` after a login with a password.
    pub token: Option<i64>,
    /// The account that asked for it.
    pub requester: i64,
    /// The certificate that it renews.
    pub renews: Option<Serial>,
    /// SHA-256 of the whole request: the CSR, who asked, and for what.
    pub request: [u8; 32],
    /// SHA-256 of the CSR in DER.
    pub csr: [u8; 32],
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key: [u8; 32],
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// When it was issued.
    pub issued: Timestamp,
    /// When and why it was revoked.
    pub revoked: Option<(Timestamp, Reason)>,
    /// The certificate in DER.
    pub der: Vec<u8>,
}

/// What became of a new certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// An equal request was given this one meanwhile; the new one was not kept.
    Another(Box<CertificateRecord>),
    /// It is kept.
    New,
}

/// Which certificates to list.
#[derive(Clone, Debug, Default)]
pub struct CertificateQuery {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this account.
    pub account: Option<i64>,
    /// Asked for with this token.
    pub token: Option<i64>,
    /// Only those that hold at this time and are not revoked.
    pub active_at: Option<Timestamp>,
    /// Pass over so many.
    pub offset: u64,
    /// At most so many.
    pub limit: u32,
}

/// Which certificates to revoke, and why.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// Which.
    pub which: Which,
    /// Only in this tenant; `None` is in all.
    pub tenant: Option<TenantId>,
    /// Why.
    pub reason: Reason,
}

/// Which certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of an account.
    Account(i64),
    /// All that were issued before.
    IssuedBefore(Timestamp),
    /// One.
    Serial(Serial),
    /// All that a token was used to ask for, renewals included.
    Token(i64),
}

/// An entry of a revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// Which.
    pub serial: Serial,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificatesError {
    /// A certificate with this key was revoked because the key was lost to somebody.
    #[error("key was reported compromised")]
    KeyCompromised,
    /// Another account has a certificate with this key.
    #[error("key belongs to another account")]
    KeyOfAnother,
    /// No certificate has this serial number.
    #[error("no such certificate")]
    NotFound,
    /// The store cannot be used now. It has logged why.
    #[error("store is unavailable")]
    Unavailable,
}

impl CertificatesError {
    /// Whose fault it is.
    pub const fn class(self) -> Class {
        match self {
            Self::KeyCompromised => Class::Malformed,
            Self::KeyOfAnother => Class::Conflict,
            Self::NotFound => Class::NotFound,
            Self::Unavailable => Class::Unavailable,
        }
    }
}

/// The greatest page of [`Certificates::certificates`].
pub const PAGE_LIMIT: u32 = 500;
