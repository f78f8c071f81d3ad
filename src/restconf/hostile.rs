//! Whatever stands in a path, a query or a body: it is understood or refused with 4xx, and nothing panics.

use std::sync::LazyLock;

use axum::http::Method;
use proptest::prelude::*;

use crate::schema::Format;
use crate::schema::Schema;
use crate::schema::Source;

use super::error::Refusal;
use super::fields::Fields;
use super::filter::Filter;
use super::patch::Patch;
use super::query::Datastores;
use super::query::Query;
use super::target::Target;
use super::xml::Element;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::load(Source::Embedded).unwrap());

fn fits<T>(read: Result<T, Refusal>) -> Result<Option<T>, TestCaseError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(refusal) => {
            prop_assert!(refusal.status.is_client_error(), "{}", refusal.status);
            Ok(None)
        }
    }
}

/// Words of the language, and noise between them.
fn text(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(words).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
        1 => any::<String>(),
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

const PATH: &[&str] = &[
    "/",
    "=",
    ",",
    "%",
    "%2F",
    "%00",
    "%ff",
    "+",
    "..",
    ":",
    "a",
    "Accedian-session:sessions",
    "session",
    "session=s",
    "service-endpoints",
    "start",
    "status",
    "Accedian-alert:alert-policies",
    "alert-policy=p",
    "topology=x",
    "ietf-yang-library:yang-library",
];
const QUERY: &[&str] = &[
    "&",
    "=",
    "%26",
    "content",
    "config",
    "depth",
    "1",
    "65536",
    "-1",
    "fields",
    "with-defaults",
    "report-all",
    "with-origin",
    "insert",
    "before",
    "point",
    "/Accedian-session:sessions/session=s",
];
const EXPRESSION: &[&str] = &[
    "(",
    ")",
    ";",
    "/",
    "Accedian-session:sessions",
    "session",
    "session-id",
    "status",
    "|",
    "[",
    "]",
    "='s'",
    "'",
    "/Accedian-session:state-change-event",
    "./",
    "status=\"running\"",
];
const XML: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "<yang-patch xmlns=\"urn:ietf:params:xml:ns:yang:ietf-yang-patch\">",
    "</yang-patch>",
    "<edit>",
    "</edit>",
    "<patch-id>",
    "</patch-id>",
    "<value>",
    "</value>",
    "<a:b",
    " xmlns:a='b'",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x",
    "?>",
    "&amp;",
    "&#x41;",
    "&x;",
    "\"",
    "'",
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "1",
    "\"ietf-yang-patch:yang-patch\"",
    "\"patch-id\"",
    "\"edit\"",
    "\"edit-id\"",
    "\"target\"",
    "\"value\"",
    "\\u0000",
    "\\ud800",
];

proptest! {
    #[test]
    fn paths_and_queries_are_read_or_refused(path in text(PATH), query in text(QUERY)) {
        let target = fits(Target::parse(&SCHEMA, &path))?;
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let query = fits(Query::parse(&method, Some(&query)))?;
            if let (Some(query), Some(target)) = (query, &target) {
                for datastores in [Datastores::Unified, Datastores::Operational, Datastores::Running] {
                    fits(query.view(&SCHEMA, target, datastores))?;
                }
                fits(query.position(&SCHEMA, target))?;
            }
        }
    }

    #[test]
    fn expressions_are_read_or_refused(expression in text(EXPRESSION)) {
        fits(Fields::parse(&SCHEMA, None, &expression))?;
        fits(Filter::default().narrow(&SCHEMA, &expression))?;
    }

    #[test]
    fn patches_are_read_or_refused(xml in text(XML), json in text(JSON)) {
        fits(Patch::parse(&xml, Format::Xml))?;
        fits(Patch::parse(&json, Format::Json))?;
        if let Some(root) = Element::document(&xml) {
            // What is cut out can be cut apart again, and says the same.
            for child in root.children(usize::MAX).unwrap_or_default() {
                let alone = child.alone();
                let again = Element::document(&alone);
                let again = again.map(|it| (it.name.to_owned(), it.namespace));
                prop_assert_eq!(again, Some((child.name.to_owned(), child.namespace)));
            }
        }
    }

    #[test]
    fn bodies_are_read_or_refused(json in text(JSON), xml in text(XML)) {
        for (body, format) in [(json, Format::Json), (xml, Format::Xml)] {
            let lenience = crate::schema::Lenience { numbers: true, ignored: &[] };
            fits(SCHEMA.parse_leniently(&[], &body, (format, lenience)).map_err(Refusal::from))?;
        }
    }
}
