//! Reading a body that was let in.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use http_body_util::LengthLimitError;
use http_body_util::Limited;

use crate::schema::Fault;
use crate::schema::Format;
use crate::schema::Tag;

use super::error::Refusal;

/// The whole body as text, not longer than it may be.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<String, Refusal> {
    let told = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    if told
        .and_then(|told| told.parse::<usize>().ok())
        .is_some_and(|it| it > LONGEST)
    {
        return Err(too_long());
    }
    let collected = tokio::time::timeout(SLOWEST, Limited::new(body, LONGEST).collect()).await;
    let collected = collected.map_err(|_| {
        Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "operation-failed",
            "body comes too slowly",
        )
    })?;
    let bytes = collected.map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_long()
        } else {
            malformed("body breaks off")
        }
    })?;
    String::from_utf8(bytes.to_bytes().into()).map_err(|_| malformed("body is not UTF-8"))
}

/// What stands in the one member, or the element, `name` of `ietf-restconf` or of an operation's module.
pub(super) fn inside<'a>(body: &'a str, name: &str, format: Format) -> Result<&'a str, Refusal> {
    let missing = || {
        let message = format!("body is not one \"{name}\"");
        Fault::new(Tag::MalformedMessage, message)
    };
    let found = match format {
        Format::Json => json_inside(body, name),
        Format::Xml => xml_inside(body, name),
    };
    Ok(found.ok_or_else(missing)?)
}

fn json_inside<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let rest = body
        .trim()
        .strip_prefix('{')?
        .trim_start()
        .strip_prefix('"')?;
    let (member, rest) = rest.split_once('"')?;
    if member != name {
        return None;
    }
    // That it is one object and nothing behind it, the schema's parser sees: it would not be well-formed.
    let value = rest.trim_start().strip_prefix(':')?.trim_end();
    Some(value.strip_suffix('}')?.trim())
}

fn xml_inside<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let local = name.split_once(':').map_or(name, |(_, local)| local);
    let mut rest = body.trim();
    if rest.starts_with("<?xml") {
        rest = rest.split_once("?>")?.1.trim_start();
    }
    let rest = rest.strip_prefix('<')?.strip_prefix(local)?;
    if !rest.starts_with([' ', '\n', '\r', '\t', '>', '/']) {
        return None;
    }
    let (attributes, rest) = rest.split_once('>')?;
    if attributes.ends_with('/') {
        return rest.is_empty().then_some("");
    }
    let end = rest.strip_suffix('>')?.trim_end().strip_suffix(local)?;
    end.strip_suffix("</")
}

pub(super) fn malformed(message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "malformed-message", message)
}

fn too_long() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-big", "body is too long")
}

/// An entry has some kilobytes; what is longer is a datastore of some thousand entries, better sent in parts.
const LONGEST: usize = 4 << 20;

/// Enough for the longest body over a slow line.
const SLOWEST: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_inside_is_cut_out() {
        let json = |body| json_inside(body, "m:input");
        assert_eq!(json(r#" {"m:input" : {"a":{}} } "#), Some(r#"{"a":{}}"#));
        assert_eq!(json(r#"{"m:output":{}}"#), None);
        assert_eq!(json("[]"), None);
        let xml = |body| xml_inside(body, "m:input");
        assert_eq!(
            xml("<?xml version='1.0'?><input xmlns='n'><a/></input>"),
            Some("<a/>")
        );
        assert_eq!(xml("<input/>"), Some(""));
        assert_eq!(xml("<inputs></inputs>"), None);
    }
}
