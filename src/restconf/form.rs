//! How a notification is written: as RFC 8040 section 6.4 has it, or as the vendor's documents show it (restconf-pki 2.4).

use serde_json::Value;
use serde_json::json;

use crate::datastore::Notice;
use crate::model::Timestamp;
use crate::schema::Schema;

use super::Config;
use super::xml::member;

/// The form of a stream's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Rfc,
    /// RFC 8040 in XML.
    Xml,
    /// With what these settings switch on.
    Vendor(Config),
}

impl Form {
    /// The form of a stream, which `is_vendors` when it is below the vendor's path.
    pub(super) const fn of(config: Config, is_vendors: bool) -> Self {
        if is_vendors {
            Self::Vendor(config)
        } else {
            Self::Rfc
        }
    }

    /// One event: JSON has no line breaks, so that it is one line of data.
    pub(super) fn event(self, schema: &Schema, notice: &Notice) -> String {
        if self == Self::Xml {
            let content = member(schema, &notice.kind, &notice.content);
            let at = notice.at;
            // Line breaks can only stand in text, where a reference says the same.
            let content = content.replace('\r', "&#13;").replace('\n', "&#10;");
            return format!(
                "id: {}\ndata: <notification xmlns=\"{NOTIFICATION}\"><eventTime>{at}</eventTime>{content}</notification>\n\n",
                notice.id
            );
        }
        format!("id: {}\ndata: {}\n\n", notice.id, self.body(notice))
    }

    /// What says that the past has been told (RFC 5277 2.1.1): what follows happens now.
    pub(super) fn replayed(self, now: Timestamp) -> String {
        if self == Self::Xml {
            return format!(
                "data: <notification xmlns=\"{NOTIFICATION}\"><eventTime>{now}</eventTime>\
                 <replayComplete xmlns=\"urn:ietf:params:xml:ns:netmod:notification\"/></notification>\n\n"
            );
        }
        let time = match self {
            Self::Vendor(config) if config.notification_arrays => "event-time",
            _ => "eventTime",
        };
        let body = json!({ "ietf-restconf:notification": {
            time: now.to_string(), "nc-notifications:replayComplete": {},
        }});
        format!("data: {body}\n\n")
    }

    fn body(self, notice: &Notice) -> Value {
        let at = notice.at.to_string();
        let Self::Vendor(config) = self else {
            return json!({ "ietf-restconf:notification": {
                "eventTime": at, &notice.kind: notice.content,
            }});
        };
        let mut content = spelt(config, notice.content.clone());
        if let (true, Value::Object(members)) = (
            config.session_identifier && notice.kind == SESSION_EVENT,
            &mut content,
        ) && let Some(id) = members.shift_remove("session-id")
        {
            members.shift_insert(0, "identifier".to_owned(), id);
        }
        if config.notification_arrays {
            json!({ "ietf-restconf:notification": { "event-time": at, &notice.kind: [content] } })
        } else {
            json!({ "ietf-restconf:notification": { "eventTime": at, &notice.kind: content } })
        }
    }
}

/// Statuses and errors in the vendor's words, however deep.
fn spelt(config: Config, value: Value) -> Value {
    match value {
        Value::Array(entries) => {
            let entries = entries.into_iter().map(|entry| spelt(config, entry));
            Value::Array(entries.collect())
        }
        Value::Object(members) => {
            let is_error = config.error_leaves && members.contains_key("tag");
            let members = members.into_iter().map(|(name, value)| {
                let value = match value {
                    Value::String(text) if config.capital_status && name == "status" => {
                        Value::String(capital(&text))
                    }
                    value => spelt(config, value),
                };
                match name.as_str() {
                    "tag" if is_error => ("error-tag".to_owned(), value),
                    "msg" if is_error => ("error-message".to_owned(), value),
                    _ => (name, value),
                }
            });
            Value::Object(members.collect())
        }
        value => value,
    }
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}

/// RFC 5277 4.
const NOTIFICATION: &str = "urn:ietf:params:xml:ns:netconf:notification:1.0";

const SESSION_EVENT: &str = "Accedian-session:state-change-event";

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    const OFF: Config = Config {
        string_numbers: false,
        notification_arrays: false,
        capital_status: false,
        error_leaves: false,
        session_identifier: false,
        auto_start: false,
        vendor_locations: false,
        group_id: false,
        empty_body: false,
        several_entries: false,
        plain_json: false,
        absent_delete_status: StatusCode::CONFLICT,
    };

    #[test]
    fn each_switch_changes_its_part_of_a_notification() {
        let errors = json!({ "error": [{ "tag": "operation-failed", "msg": "no answer" }] });
        let content = json!({ "session-id": "s", "status": "error", "errors": errors });
        let notice = Notice {
            id: 1,
            at: Timestamp::EPOCH,
            kind: SESSION_EVENT.to_owned(),
            group: None,
            content: content.clone(),
        };
        let body = |config| {
            let mut body = Form::Vendor(config).body(&notice);
            body["ietf-restconf:notification"].take()
        };
        let at = "1970-01-01T00:00:00Z";
        let plain = json!({ "eventTime": at, SESSION_EVENT: content });
        assert_eq!(body(OFF), plain);
        assert_eq!(Form::Rfc.body(&notice)["ietf-restconf:notification"], plain);
        let arrays = Config {
            notification_arrays: true,
            ..OFF
        };
        assert_eq!(
            body(arrays),
            json!({ "event-time": at, SESSION_EVENT: [content] })
        );
        let capital = Config {
            capital_status: true,
            ..OFF
        };
        assert_eq!(body(capital)[SESSION_EVENT]["status"], "Error");
        let leaves = Config {
            error_leaves: true,
            ..OFF
        };
        assert_eq!(
            body(leaves)[SESSION_EVENT]["errors"]["error"][0],
            json!({ "error-tag": "operation-failed", "error-message": "no answer" })
        );
        let identifier = Config {
            session_identifier: true,
            ..OFF
        };
        let named = body(identifier)[SESSION_EVENT].take();
        assert_eq!(
            (&named["identifier"], named.get("session-id")),
            (&json!("s"), None)
        );
    }
}
