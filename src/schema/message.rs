//! libyang's words for what is wrong, turned into error-tags (RFC 7950 section 15). The binding hides the library's
//! own code, so the words have to do; `tests/faults.rs` has one of each kind.

use super::Fault;
use super::Tag;

/// What libyang said about data.
pub(super) fn fault(error: yang5::Error) -> Fault {
    let message = error.msg.unwrap_or_default();
    let (tag, app_tag) = match &error.apptag {
        // A `must` may come with a message of its own, by which nobody could tell it.
        Some(app_tag) if app_tag == MUST => (Tag::OperationFailed, None),
        _ => classify(&message),
    };
    let mut fault = Fault::new(tag, shortened(message));
    fault.app_tag = error
        .apptag
        .or_else(|| app_tag.map(str::to_owned))
        .filter(|app_tag| !app_tag.is_empty());
    fault.path = error.path.filter(|path| path.starts_with('/'));
    fault
}

fn classify(message: &str) -> (Tag, Option<&'static str>) {
    let found = WORDS
        .iter()
        .find(|(start, part, ..)| message.starts_with(start) && message.contains(part));
    found.map_or((Tag::InvalidValue, None), |(_, _, tag, app_tag)| {
        (*tag, *app_tag)
    })
}

fn shortened(mut message: String) -> String {
    if message.len() > LONGEST_MESSAGE {
        let end = message.floor_char_boundary(LONGEST_MESSAGE);
        message.truncate(end);
        message.push('…');
    }
    message
}

/// How a message begins, what else it has, and what that means. What is not here is about a value.
const WORDS: &[(&str, &str, Tag, Option<&str>)] = &[
    (
        "Mandatory choice",
        "",
        Tag::MissingElement,
        Some("missing-choice"),
    ),
    ("Mandatory node", "", Tag::MissingElement, None),
    (
        "List instance is missing its key",
        "",
        Tag::MissingElement,
        None,
    ),
    (
        "Unique data leaf",
        "",
        Tag::OperationFailed,
        Some("data-not-unique"),
    ),
    (
        "Too many",
        "",
        Tag::OperationFailed,
        Some("too-many-elements"),
    ),
    (
        "Too few",
        "",
        Tag::OperationFailed,
        Some("too-few-elements"),
    ),
    ("Must condition", "", Tag::OperationFailed, Some(MUST)),
    ("When condition", "", Tag::UnknownElement, None),
    ("Duplicate instance", "", Tag::BadElement, None),
    ("Data for both cases", "", Tag::BadElement, None),
    ("Unexpected data state node", "", Tag::InvalidValue, None),
    ("No module", "in the context", Tag::UnknownNamespace, None),
    ("Node \"", "not found", Tag::UnknownElement, None),
    ("Unknown element", "", Tag::UnknownElement, None),
    (
        "Top-level JSON object member",
        "",
        Tag::UnknownNamespace,
        None,
    ),
    (
        "Unknown (or not implemented) YANG module",
        "",
        Tag::UnknownAttribute,
        None,
    ),
    (
        "Missing YANG module of metadata",
        "",
        Tag::UnknownAttribute,
        None,
    ),
    ("Metadata in JSON", "", Tag::UnknownAttribute, None),
    ("Prefix \"", "of the metadata", Tag::UnknownAttribute, None),
    ("Annotation definition", "", Tag::UnknownAttribute, None),
    (
        "Invalid character sequence",
        "",
        Tag::MalformedMessage,
        None,
    ),
    ("Invalid character", "", Tag::MalformedMessage, None),
    ("Unexpected end-of-input", "", Tag::MalformedMessage, None),
    ("Missing quotation-mark", "", Tag::MalformedMessage, None),
    ("Expecting JSON", "", Tag::InvalidValue, None),
];

/// Values come back in messages; long ones are cut.
const LONGEST_MESSAGE: usize = 512;

const MUST: &str = "must-violation";
