//! What every answer is made of.

use serde_json::Value;
use serde_json::json;

use crate::iam::AccountRecord;
use crate::iam::PatRecord;
use crate::model::TenantId;
use crate::model::Timestamp;

/// Leaves out what protojson does not write: members whose value is the zero of its type. Messages stay, also empty ones.
pub(super) fn without_zeros(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !is_zero(member))
            .map(|(name, member)| (name, without_zeros(member)))
            .collect(),
        Value::Array(elements) => elements.into_iter().map(without_zeros).collect(),
        other => other,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Bool(true) | Value::Object(_) => false,
    }
}

/// A 64-bit number: a string, so that no client loses digits; nothing for zero.
pub(super) fn uint64(number: u64) -> Value {
    match number {
        0 => Value::Null,
        number => Value::String(number.to_string()),
    }
}

/// `ObjectDetails` of something created.
pub(super) fn created(at: Timestamp, owner: &TenantId) -> Value {
    json!({ "sequence": "1", "creationDate": at.to_string(), "resourceOwner": owner.as_str() })
}

/// `ObjectDetails` of something changed or deleted: without a creation date.
pub(super) fn changed(sequence: u64, at: Timestamp, owner: &TenantId) -> Value {
    json!({
        "sequence": uint64(sequence),
        "changeDate": at.to_string(),
        "resourceOwner": owner.as_str(),
    })
}

/// `ObjectDetails` of an account that is read.
pub(super) fn account_details(account: &AccountRecord) -> Value {
    json!({
        "sequence": uint64(sequence(account)),
        "creationDate": account.created.to_string(),
        "changeDate": account.updated.to_string(),
        "resourceOwner": account.tenant.as_str(),
    })
}

/// `ObjectDetails` of a token that is read. A token never changes: revoked, it is gone.
pub(super) fn pat_details(pat: &PatRecord) -> Value {
    json!({
        "sequence": "1",
        "creationDate": pat.created.to_string(),
        "changeDate": pat.created.to_string(),
        "resourceOwner": pat.tenant.as_str(),
    })
}

/// `ListDetails`.
pub(super) fn list_details(total: usize, now: Timestamp) -> Value {
    json!({
        "totalResult": uint64(u64::try_from(total).unwrap_or(u64::MAX)),
        "viewTimestamp": now.to_string(),
    })
}

/// Creation counts as the first event of an account, each change as one more.
pub(super) const fn sequence(account: &AccountRecord) -> u64 {
    account.version.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_left_out_and_messages_stay() {
        let full = json!({
            "a": 0, "b": "", "c": false, "d": [], "e": null, "f": {}, "g": [{ "h": 0 }], "i": { "j": "", "k": 1 },
        });
        let left = json!({ "f": {}, "g": [{}], "i": { "k": 1 } });
        assert_eq!(without_zeros(full), left);
    }
}
