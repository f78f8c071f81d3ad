//! What is sent.

use serde_json::json;

use crate::iam::Notice;

/// The body: JSON, without the token itself, which nobody has any more.
pub(super) fn body(notice: &Notice) -> String {
    let event = match notice.days {
        0 => "pat.expired",
        _ => "pat.expiring",
    };
    let body = json!({
        "id": id(notice),
        "event": event,
        "at": notice.at.to_string(),
        "tenantId": notice.tenant.as_str(),
        "credentialId": notice.token.to_string(),
        "name": notice.name,
        "accountId": notice.account.to_string(),
        "username": notice.username,
        "createdBy": notice.created_by.map(|account| account.to_string()),
        "expirationDate": notice.expires.to_string(),
        "days": notice.days,
    });
    body.to_string()
}

/// The same at every attempt, so that a receiver can tell a repetition.
pub(super) fn id(notice: &Notice) -> String {
    format!("{}-{}", notice.token, notice.days)
}
