//! XML where this room has to look into it itself: elements cut apart, and JSON of the model written as elements. What
//! stands in a value libyang reads.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use crate::schema::Schema;

use super::error::escaped;

/// An element of a document.
#[derive(Clone, Debug)]
pub(super) struct Element<'a> {
    /// Its name without a prefix.
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    qualified: &'a str,
    whole: &'a str,
    inside: &'a str,
    /// The namespaces that hold around it, and in it: prefixes and what they stand for, the latest last.
    /// Elements that declare none share those of the element that they stand in.
    around: Scope<'a>,
    scope: Scope<'a>,
}

type Scope<'a> = Arc<[(&'a str, &'a str)]>;

/// A start tag.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
    is_empty: bool,
    length: usize,
}

impl<'a> Element<'a> {
    /// The one element of a document; `None` when it is none.
    pub(super) fn document(text: &'a str) -> Option<Self> {
        let is_wrong = |c: char| c.is_control() && !SPACE.contains(&c);
        if text.contains(is_wrong) {
            return None;
        }
        let mut found = elements(text.trim_start_matches('\u{feff}'), &Arc::default(), 1)?;
        found.pop().filter(|_| found.is_empty())
    }

    /// The elements in it; `None` when it holds text, too, or more than `most` elements.
    pub(super) fn children(&self, most: usize) -> Option<Vec<Self>> {
        elements(self.inside, &self.scope, most)
    }

    /// The text in it; `None` when it holds elements.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.inside;
        while let Some((before, after)) = rest.split_once('<') {
            text.push_str(&unescaped(before)?);
            let literal = after.strip_prefix("![CDATA[")?;
            let (literal, after) = literal.split_once("]]>")?;
            text.push_str(literal);
            rest = after;
        }
        text.push_str(&unescaped(rest)?);
        Some(text.trim_matches(SPACE).to_owned())
    }

    /// The element as a document of its own, which knows the namespaces that were declared around it.
    pub(super) fn alone(&self) -> String {
        let mut text = format!("<{}", self.qualified);
        let own = self.scope.get(self.around.len()..).unwrap_or_default();
        let mut declared: Vec<&str> = own.iter().map(|(prefix, _)| *prefix).collect();
        for (prefix, namespace) in self.around.iter().rev() {
            if !declared.contains(prefix) {
                declared.push(prefix);
                let colon = if prefix.is_empty() { "" } else { ":" };
                let namespace = namespace.replace('"', "&quot;");
                // Writing to a String does not fail.
                let _ = write!(text, " xmlns{colon}{prefix}=\"{namespace}\"");
            }
        }
        let start = self.qualified.len() + 1;
        text.push_str(self.whole.get(start..).unwrap_or_default());
        text
    }
}

/// The elements of which a text is made, and nothing else but space and comments; `None` when they are too many.
fn elements<'a>(text: &'a str, scope: &Scope<'a>, most: usize) -> Option<Vec<Element<'a>>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(SPACE);
        if rest.is_empty() {
            return Some(found);
        }
        if is_beside(rest) {
            rest = after_beside(rest)?;
            continue;
        }
        if found.len() >= most {
            return None;
        }
        let tag = Tag::parse(rest)?;
        let length = if tag.is_empty {
            tag.length
        } else {
            length(rest, &tag)?
        };
        let (whole, after) = rest.split_at_checked(length)?;
        let inside = if tag.is_empty {
            ""
        } else {
            whole.get(tag.length..)?.rsplit_once("</")?.0
        };
        let own = inner_scope(scope, &tag)?;
        let (prefix, name) = tag.name.split_once(':').unwrap_or(("", tag.name));
        let mut known = own.iter().rev();
        let namespace = known.find(|(known, _)| *known == prefix);
        found.push(Element {
            name,
            namespace: namespace.map_or("", |(_, it)| *it),
            qualified: tag.name,
            whole,
            inside,
            around: Arc::clone(scope),
            scope: own,
        });
        rest = after;
    }
}

/// The namespaces that hold in an element; `None` when they are too long together.
fn inner_scope<'a>(around: &Scope<'a>, tag: &Tag<'a>) -> Option<Scope<'a>> {
    let mut declared = Vec::new();
    for (name, value) in &tag.attributes {
        match name.strip_prefix("xmlns") {
            Some("") => declared.push(("", *value)),
            Some(prefix) => declared.extend(prefix.strip_prefix(':').map(|it| (it, *value))),
            None => {}
        }
    }
    if declared.is_empty() {
        return Some(Arc::clone(around));
    }
    let all = || around.iter().chain(&declared);
    let length: usize = all().map(|(prefix, it)| prefix.len() + it.len()).sum();
    (length <= MOST_DECLARED).then(|| all().copied().collect())
}

/// Whether the text begins with a comment or an instruction.
fn is_beside(text: &str) -> bool {
    text.starts_with("<!--") || text.starts_with("<?")
}

/// What follows it; `None` if it has no end.
fn after_beside(text: &str) -> Option<&str> {
    let (rest, end) = match text.strip_prefix("<!--") {
        Some(rest) => (rest, "-->"),
        None => (text.strip_prefix("<?")?, "?>"),
    };
    rest.split_once(end).map(|(_, rest)| rest)
}

/// How long the element is that begins with `tag`.
fn length(text: &str, tag: &Tag<'_>) -> Option<usize> {
    let mut open = vec![tag.name];
    let mut rest = text.get(tag.length..)?;
    while let Some(name) = open.last() {
        rest = rest.get(rest.find('<')?..)?;
        if is_beside(rest) {
            rest = after_beside(rest)?;
        } else if let Some(after) = rest.strip_prefix("<![CDATA[") {
            rest = after.split_once("]]>")?.1;
        } else if let Some(after) = rest.strip_prefix("</") {
            let (ended, after) = after.split_once('>')?;
            if ended.trim_end_matches(SPACE) != *name {
                return None;
            }
            open.pop();
            rest = after;
        } else {
            let inner = Tag::parse(rest)?;
            rest = rest.get(inner.length..)?;
            if !inner.is_empty {
                open.push(inner.name);
            }
            if open.len() > DEEPEST {
                return None;
            }
        }
    }
    Some(text.len() - rest.len())
}

impl<'a> Tag<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix('<')?;
        let is_end = |c: char| SPACE.contains(&c) || matches!(c, '/' | '>');
        let (name, mut rest) = rest.split_at_checked(rest.find(is_end)?)?;
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(SPACE);
            let end = match (rest.strip_prefix("/>"), rest.strip_prefix('>')) {
                (Some(after), _) => Some((true, after)),
                (None, Some(after)) => Some((false, after)),
                (None, None) => None,
            };
            if let Some((is_empty, after)) = end {
                let length = text.len() - after.len();
                return Some(Self {
                    name,
                    attributes,
                    is_empty,
                    length,
                });
            }
            let (attribute, value) = rest.split_once('=')?;
            let value = value.trim_start_matches(SPACE);
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, after) = value.strip_prefix(quote)?.split_once(quote)?;
            if value.contains('<') || attributes.len() > MOST_ATTRIBUTES {
                return None;
            }
            attributes.push((attribute.trim_end_matches(SPACE), value));
            rest = after;
        }
    }
}

/// Text without its entities; `None` when one is unknown.
fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';')?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code).filter(|c| !c.is_control() || SPACE.contains(c))?
            }
        });
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

/// A member of the model's JSON as an element; entries of a list are several. The namespace is said where it changes.
pub(super) fn member(schema: &Schema, name: &str, value: &Value) -> String {
    let (module, local) = match name.split_once(':') {
        Some((module, local)) => (Some(module), local),
        None => (None, name),
    };
    let namespace = module.and_then(|module| schema.module(module));
    let namespace = namespace.map(|it| format!(" xmlns=\"{}\"", it.namespace));
    let namespace = namespace.unwrap_or_default();
    let one = |inner: String| format!("<{local}{namespace}>{inner}</{local}>");
    match value {
        Value::Array(entries) => {
            let entries = entries.iter().map(|entry| member(schema, name, entry));
            entries.collect()
        }
        Value::Object(members) => {
            let inner = members.iter().map(|(name, it)| member(schema, name, it));
            one(inner.collect())
        }
        Value::Null => one(String::new()),
        Value::String(text) => one(escaped(text)),
        other => one(other.to_string()),
    }
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The model is less deep.
const DEEPEST: usize = 128;

/// Bytes of the namespaces, with their prefixes, that hold in an element: every value of a patch repeats them.
const MOST_DECLARED: usize = 2_048;

/// An element has a handful of namespaces.
const MOST_ATTRIBUTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_cut_apart_and_know_their_namespaces() {
        let text = "<?xml version='1.0'?><!-- x --><p:a xmlns:p='urn:p' xmlns=\"urn:d\">\n\
                    <b>1 &amp; <![CDATA[<2>]]></b><p:c d='>'/><!-- </p:a> -->\
                    <e xmlns='urn:e'><f><f/></f></e></p:a>";
        let root = Element::document(text).unwrap();
        assert_eq!((root.name, root.namespace), ("a", "urn:p"));
        let children = root.children(3).unwrap();
        let names: Vec<_> = children.iter().map(|it| (it.name, it.namespace)).collect();
        assert_eq!(names, [("b", "urn:d"), ("c", "urn:p"), ("e", "urn:e")]);
        assert_eq!(children[0].text().unwrap(), "1 & <2>");
        assert_eq!(
            children[1].alone(),
            "<p:c xmlns=\"urn:d\" xmlns:p=\"urn:p\" d='>'/>"
        );
        assert_eq!(
            children[2].alone(),
            "<e xmlns:p=\"urn:p\" xmlns='urn:e'><f><f/></f></e>"
        );
        assert!(children[2].text().is_none() && children[0].children(9).is_none());
    }

    #[test]
    fn children_share_their_scope_and_are_limited() {
        let long = format!("<a xmlns='{}'/>", "u".repeat(MOST_DECLARED + 1));
        assert!(Element::document(&long).is_none());
        let root = Element::document("<a xmlns='urn:a'><b/><b/><b/></a>").unwrap();
        assert!(root.children(2).is_none());
        let children = root.children(3).unwrap();
        assert!(
            children
                .iter()
                .all(|it| Arc::ptr_eq(&it.scope, &root.scope))
        );
        assert!(
            children
                .iter()
                .all(|it| Arc::ptr_eq(&it.around, &root.scope))
        );
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a b=c/>",
            "<a b='<'/>",
            "<a><!-- </a>",
            "<1/>",
            "<!DOCTYPE a><a/>",
            "<a>\0</a>",
            "<",
            "<a",
            "<a b",
            "<a b='",
        ] {
            assert!(Element::document(text).is_none(), "{text:?}");
        }
        let deep = "<a>".repeat(1_000) + &"</a>".repeat(1_000);
        assert!(Element::document(&deep).is_none());
        let unknown = Element::document("<a>&nothing; &#0;</a>").unwrap();
        assert_eq!(unknown.text(), None);
    }
}
