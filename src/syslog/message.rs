//! One event as a syslog message (RFC 5424 6).

use std::fmt::Write as _;

use serde_json::Map;
use serde_json::Value;

use crate::audit::Link;

/// Who says it: host and process.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    host: String,
    process: u32,
}

impl Speaker {
    /// A host's name as far as a header can hold it.
    pub(super) fn new(host: &str, process: u32) -> Self {
        Self {
            host: header(host, HOST_CHARS),
            process,
        }
    }

    /// The message. All that is known stands in the structured data; the text says it in two words.
    pub(super) fn message(&self, event: &Link) -> String {
        let members = event.to_members();
        let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or(NIL);
        let (kind, outcome) = (text("event"), text("outcome"));
        let priority = FACILITY * 8 + severity(outcome, members.contains_key("severity"));
        let mut message = format!(
            "<{priority}>1 {at} {host} tollgate {process} {id} [{SD_ID}",
            at = text("at"),
            host = self.host,
            process = self.process,
            id = header(kind, MSGID_CHARS),
        );
        write_params(&mut message, &members);
        // RFC 5424 6.4: a byte order mark says that the text is UTF-8.
        let _ok = write!(message, "] \u{feff}{kind} {outcome}");
        message
    }
}

/// Warning for what failed, critical for what somebody should look at now, informational for the rest.
fn severity(outcome: &str, is_high: bool) -> u8 {
    match outcome {
        _ if is_high => 2,
        "failure" => 4,
        _ => 6,
    }
}

fn write_params(message: &mut String, members: &Map<String, Value>) {
    for (name, value) in members {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let _ok = write!(message, " {name}=\"");
        for c in value.chars().take(VALUE_CHARS) {
            match c {
                // RFC 5424 6.3.3.
                '"' | '\\' | ']' => message.extend(['\\', c]),
                // iam A5: what a peer says must not end a line, nor steer a terminal.
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    let _ok = write!(message, "\\\\u{:04x}", u32::from(c));
                }
                c => message.push(c),
            }
        }
        message.push('"');
    }
}

/// Printable ASCII without spaces, or the nil value.
fn header(text: &str, most: usize) -> String {
    let text: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(most)
        .collect();
    if text.is_empty() {
        NIL.to_owned()
    } else {
        text
    }
}

/// Log audit (RFC 5424 table 1).
const FACILITY: u8 = 13;

/// The enterprise number that RFC 5612 keeps for documentation: we have none of our own.
const SD_ID: &str = "audit@32473";

const NIL: &str = "-";
const HOST_CHARS: usize = 255;
const MSGID_CHARS: usize = 32;

/// Of one value: longer than any but a hostile one, and all of them together fit a datagram.
const VALUE_CHARS: usize = 1_024;
