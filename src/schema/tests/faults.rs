//! One fault of each kind, as libyang words it.

use serde_json::Value;
use serde_json::json;

use super::*;

#[track_caller]
fn check(entry: &Value, tag: Tag, app_tag: Option<&str>) {
    let document = object(json!({"Accedian-session:sessions": {"session": [entry]}}));
    let fault = schema().validate(&document).unwrap_err();
    assert_eq!(
        (fault.tag, fault.app_tag.as_deref()),
        (tag, app_tag),
        "{fault:?}"
    );
}

fn with(member: &str, value: Value) -> Value {
    let mut entry = session("s")["Accedian-session:sessions"]["session"][0].take();
    entry[member] = value;
    entry
}

#[test]
fn faults_have_the_tags_of_rfc_7950_section_15() {
    check(&with("unknown", json!(1)), Tag::UnknownElement, None);
    check(&with("session-id", json!("-x")), Tag::InvalidValue, None);
    check(
        &with("session-type", json!("nothing")),
        Tag::InvalidValue,
        None,
    );
    check(
        &with("session-type", json!("Accedian-session-type:echo")),
        Tag::UnknownElement,
        None,
    );
    check(&json!({"session-id": "s"}), Tag::MissingElement, None);
    check(
        &json!({"session-type": "Accedian-session-type:echo"}),
        Tag::MissingElement,
        None,
    );
    let topology: Vec<_> = (0..26).map(|index| index.to_string()).collect();
    check(
        &with("metadata", json!({"topology": topology})),
        Tag::OperationFailed,
        Some("too-many-elements"),
    );
    check(
        &with("status", json!({"status": "running"})),
        Tag::InvalidValue,
        None,
    );
}

#[test]
fn path_of_a_fault_leads_to_its_node() {
    let entry = with("session-name", json!("-x"));
    let document = object(json!({"Accedian-session:sessions": {"session": [entry]}}));
    let fault = schema().validate(&document).unwrap_err();
    assert_eq!(
        fault.path.as_deref(),
        Some("/Accedian-session:sessions/session[session-id='s']/session-name"),
        "{fault:?}"
    );
}

#[test]
fn must_passes_its_message_through() {
    let endpoint = json!({"endpoint-id": "e", "geo-location": {"latitude": "1.5"}});
    let document = object(
        json!({"Accedian-service-endpoint:service-endpoints": {"service-endpoint": [endpoint]}}),
    );
    let fault = schema().validate(&document).unwrap_err();
    assert_eq!(fault.tag, Tag::OperationFailed);
    assert_eq!(fault.message, "latitude needs longitude.");
}
