//! Certificates as JSON.

use serde_json::Value;
use serde_json::json;

use crate::model::Timestamp;
use crate::pki::hex;
use crate::pki::port::CertificateRecord;

/// What operators see of a certificate.
pub(super) fn certificate(record: &CertificateRecord, now: Timestamp) -> Value {
    let state = match (&record.revoked, record.not_after < now) {
        (Some(_), _) => "revoked",
        (None, true) => "expired",
        (None, false) => "active",
    };
    let mut view = json!({
        "serial": record.serial.to_string(),
        "issuer": record.issuer,
        "tenant": record.tenant.as_str(),
        "accountId": record.account.to_string(),
        "username": record.username,
        "roles": record.roles,
        "tokenId": record.token.map(|token| token.to_string()),
        "requestedBy": record.requester.to_string(),
        "renews": record.renews.map(|serial| serial.to_string()),
        "keySha256": hex(&record.key),
        "issuedAt": record.issued.to_string(),
        "notBefore": record.not_before.to_string(),
        "notAfter": record.not_after.to_string(),
        "state": state,
    });
    if let (Some((at, reason)), Some(members)) = (record.revoked, view.as_object_mut()) {
        members.insert("revokedAt".to_owned(), json!(at.to_string()));
        members.insert("reason".to_owned(), json!(reason.as_str()));
    }
    view
}
