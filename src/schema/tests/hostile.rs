//! What no honest client sends.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn refused(body: &str, tag: Tag) {
    let fault = schema().parse(&[], body, Format::Json).unwrap_err();
    assert_eq!(fault.tag, tag, "{fault:?}");
}

#[test]
fn hostile_bodies_are_refused() {
    refused("{\"a\":\"\0\"}", Tag::MalformedMessage);
    refused("\u{feff}{}", Tag::MalformedMessage);
    refused("", Tag::MalformedMessage);
    refused("[]", Tag::MalformedMessage);
    refused("{} {}", Tag::MalformedMessage);
    refused(&"{\"a\":".repeat(5_000), Tag::MalformedMessage);
    refused(r#"{"sessions":{}}"#, Tag::UnknownNamespace);
    refused(r#"{"nothing:sessions":{}}"#, Tag::UnknownNamespace);
    refused(r#"{"Accedian-session:nothing":{}}"#, Tag::UnknownElement);
    refused(
        r#"{"Accedian-session:sessions":{"@":{"a:c":1}}}"#,
        Tag::UnknownAttribute,
    );
    refused(
        &format!("{{\"a\":\"{}\"}}", "x".repeat(17 << 20)),
        Tag::TooBig,
    );
    let text = |value: &str| {
        format!(
            r#"{{"Accedian-session:sessions":{{"session":[{{"session-id":"s","description":"{value}"}}]}}}}"#
        )
    };
    schema().parse(&[], &text("\\u00e9"), Format::Json).unwrap();
    assert!(schema().parse(&[], &text("\\ud800"), Format::Json).is_err());
    assert!(schema().parse(&[], &text("\\u0000"), Format::Json).is_err());
    let twice = r#"{"Accedian-session:sessions":{"session":[{"session-id":"s","description":"a","description":"b"}]}}"#;
    let parsed = schema().parse(&[], twice, Format::Json);
    assert!(parsed.is_err(), "{parsed:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_a_peer_sends_panics(body in ".{0,200}", head in "[<{]", is_xml: bool) {
        let schema = schema_once();
        let format = if is_xml { Format::Xml } else { Format::Json };
        let _ = schema.parse(&[], &format!("{head}{body}"), format);
    }

    #[test]
    fn what_is_valid_comes_back(id in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}", text in "[^\\x00-\\x1f\\x7f-\\x9f\\u{fffe}\\u{ffff}]{0,40}") {
        let schema = schema_once();
        let mut document = session(&id);
        document["Accedian-session:sessions"]["session"][0]["description"] = json!(text);
        let document = object(document);
        let parsed = schema.parse(&[], &Value::Object(document.clone()).to_string(), Format::Json);
        prop_assert_eq!(parsed.unwrap(), document);
    }
}

fn schema_once() -> &'static Schema {
    static ONCE: std::sync::OnceLock<Schema> = std::sync::OnceLock::new();
    ONCE.get_or_init(schema)
}
