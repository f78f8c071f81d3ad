//! The schema against its own modules.

mod faults;
mod hostile;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::*;

pub(super) fn schema() -> Schema {
    Schema::load(Source::Embedded).unwrap()
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is not an object"),
    }
}

/// A session of a list entry's own.
pub(super) fn session(id: &str) -> Value {
    json!({"Accedian-session:sessions": {"session": [{
        "session-id": id,
        "session-type": "Accedian-session-type:twamp-light",
        "service-endpoints": [{
            "endpoint-id": "a",
            "session-protocol": {"Accedian-session-twamp-light:twamp-light": {
                "session-sender": {"admin-state": true, "report-interval": 30},
            }},
        }],
    }]}})
}

#[test]
fn collections_are_the_five_lists() {
    let schema = schema();
    let found: Vec<_> = schema
        .collections()
        .iter()
        .map(|it| {
            let leaf = |id: &NodeId| schema.node(*id).name.clone();
            let uniques: Vec<_> = it.uniques.iter().flatten().map(leaf).collect();
            (schema.path(it.list), uniques.join(" "))
        })
        .collect();
    let found: Vec<_> = found
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("/Accedian-alert:alert-policies/alert-policy", "policy-name"),
            ("/Accedian-metadata:metadata-config/metadata-key", ""),
            (
                "/Accedian-service-endpoint:service-endpoints/service-endpoint",
                "endpoint-name"
            ),
            ("/Accedian-service:services/service", "service-name"),
            ("/Accedian-session:sessions/session", "session-name"),
        ]
        .as_slice()
    );
}

#[test]
fn references_are_known_both_ways() {
    let schema = schema();
    let nodes = (0..schema.nodes.len()).map(|index| NodeId(u32::try_from(index).unwrap()));
    let references: Vec<_> = nodes
        .filter(|&id| schema.node(id).is_config)
        .filter_map(|id| Some((schema.path(id), schema.path(schema.node(id).target?))))
        .collect();
    let endpoint = "/Accedian-service-endpoint:service-endpoints/service-endpoint/endpoint-id";
    let from = "/Accedian-session:sessions/session/service-endpoints/endpoint-id";
    assert!(
        references.contains(&(from.to_owned(), endpoint.to_owned())),
        "{references:?}"
    );
    assert_eq!(references.len(), 5, "{references:?}");
}

#[test]
fn entry_is_validated_without_what_it_refers_to() {
    let schema = schema();
    let document = object(session("s"));
    assert_eq!(schema.validate(&document).unwrap(), document);
    let trimmed = schema.with_defaults(&document, Defaults::Trim).unwrap();
    assert!(
        !Value::Object(trimmed)
            .to_string()
            .contains("report-interval")
    );
    let all = schema
        .with_defaults(&document, Defaults::ReportAll)
        .unwrap();
    let all = Value::Object(all).to_string();
    assert!(all.contains(r#""payload-size":82"#), "{all}");
    let tagged = schema
        .with_defaults(&document, Defaults::ReportAllTagged)
        .unwrap();
    let tagged = Value::Object(tagged).to_string();
    assert!(
        tagged.contains("ietf-netconf-with-defaults:default"),
        "{tagged}"
    );
}

#[test]
fn body_is_parsed_in_its_place_in_both_formats() {
    let schema = schema();
    let sessions = schema.find(None, "Accedian-session:sessions").unwrap();
    let list = schema.find(Some(sessions), "session").unwrap();
    let step = |node, key: Option<&str>| Step {
        node,
        keys: key.map(str::to_owned).into_iter().collect(),
    };
    let parent = [step(sessions, None), step(list, Some("s\"<&"))];
    let expected = object(json!({"description": "a <b>"}));
    let json = schema.parse(
        &parent,
        r#" {"Accedian-session:description":"a <b>"} "#,
        Format::Json,
    );
    assert_eq!(json.unwrap_err().tag, Tag::InvalidValue, "the key is no id");
    let parent = [step(sessions, None), step(list, Some("s"))];
    let json = schema.parse(
        &parent,
        r#" {"Accedian-session:description":"a <b>"} "#,
        Format::Json,
    );
    assert_eq!(json.unwrap(), expected);
    let xml = r#"<?xml version="1.0"?><description xmlns="http://accedian.com/ns/yang/session">a &lt;b&gt;</description>"#;
    assert_eq!(schema.parse(&parent, xml, Format::Xml).unwrap(), expected);
    let out = "<description xmlns=\"http://accedian.com/ns/yang/session\">x</description></session>\
               <session><session-id>other</session-id>";
    assert_eq!(
        schema.parse(&parent, out, Format::Xml).unwrap_err().tag,
        Tag::MalformedMessage
    );
    let mut document = object(session("s"));
    let printed = schema.xml(&document, &parent).unwrap();
    assert!(
        printed
            .starts_with("<session xmlns=\"http://accedian.com/ns/yang/session\"><session-id>s<"),
        "{printed}"
    );
    document = schema.parse(&parent[..1], &printed, Format::Xml).unwrap();
    assert_eq!(
        document["session"],
        session("s")["Accedian-session:sessions"]["session"]
    );
}

#[test]
fn input_is_parsed_and_its_mandatory_nodes_are_needed() {
    let schema = schema();
    let operation = schema
        .named(schema.operations(), "Accedian-service", "delete-service")
        .unwrap();
    let parse = |body| schema.parse_input(&[], operation, body, Format::Json);
    let input = parse(r#"{"target":{"service-id":"x"}}"#).unwrap();
    assert_eq!(input, object(json!({"target": {"service-id": "x"}})));
    assert_eq!(parse("{}").unwrap_err().tag, Tag::MissingElement);
    assert_eq!(
        parse(r#"{"target":{"nothing":1}}"#).unwrap_err().tag,
        Tag::UnknownElement
    );
    let xml = r#"<target xmlns="http://accedian.com/ns/yang/service"><service-id>x</service-id></target>"#;
    assert_eq!(
        schema
            .parse_input(&[], operation, xml, Format::Xml)
            .unwrap(),
        input
    );
}

#[test]
fn library_is_valid_and_names_what_it_holds() {
    let schema = schema();
    let library = yang_library(&schema, "https://host/yang");
    let document = object(json!({"ietf-yang-library:yang-library": library}));
    let text = Value::Object(document.clone()).to_string();
    let parsed = schema.parse(&[], &text, Format::Json).unwrap();
    assert_eq!(parsed, document);
    assert!(
        text.contains("https://host/yang/Accedian-session@2025-06-30.yang"),
        "{text}"
    );
    let state = json!({"ietf-yang-library:modules-state": modules_state(&schema, "https://host")})
        .to_string();
    schema.parse(&[], &state, Format::Json).unwrap();
    assert_eq!(content_id(&schema), content_id(&self::schema()));
}
