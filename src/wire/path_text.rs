//! The textual form of paths: `origin:/a/b[k=v]` (gNMI path-strings).
//!
//! Within a name `/`, `[` and `\` are escaped, within a key's name `=`, `]` and `\`, within its
//! value `]` and `\`; line ends are `\n` and `\r`. A backslash before any other character stands
//! for that character.

use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

use super::error::PathTextError;
use super::origin::is_identifier;
use super::proto::gnmi as pb;
use crate::model::write_key;
use crate::model::write_name;

/// Reads a path's text. `/`, the empty text and `origin:/` are the root; a trailing slash is
/// ignored.
///
/// # Errors
///
/// A [`PathTextError`] with the byte at which the text stops being a path.
pub fn parse_path_text(text: &str) -> Result<pb::Path, PathTextError> {
    let (origin, rest) = split_origin(text);
    let mut scanner = Scanner::new(rest, text.len() - rest.len());
    let mut path = pb::Path {
        origin: origin.to_owned(),
        ..pb::Path::default()
    };
    scanner.take('/');
    while scanner.peek().is_some() {
        path.elem.push(scanner.elem(&['/', '['])?);
        if !scanner.take('/') && scanner.peek().is_some() {
            return Err(PathTextError::Trailing(scanner.at()));
        }
    }
    Ok(path)
}

/// The text of prefix and path together. The target is not part of it.
///
/// An origin that is no YANG identifier is printed but cannot be read back.
pub fn path_text(prefix: Option<&pb::Path>, path: Option<&pb::Path>) -> String {
    Printed { prefix, path }.to_string()
}

/// Reads one string of the deprecated `element` field: `name[k=v]`, in which a slash belongs to the
/// name.
pub(super) fn parse_element(text: &str) -> Result<pb::PathElem, PathTextError> {
    let mut scanner = Scanner::new(text, 0);
    let elem = scanner.elem(&['['])?;
    match scanner.peek() {
        None => Ok(elem),
        Some(_) => Err(PathTextError::Trailing(scanner.at())),
    }
}

/// An origin is an identifier before `:/`; anything else before a colon is part of an element's
/// name.
fn split_origin(text: &str) -> (&str, &str) {
    text.split_once(':')
        .filter(|(origin, rest)| is_identifier(origin) && rest.starts_with('/'))
        .unwrap_or(("", text))
}

struct Scanner<'t> {
    chars: Peekable<CharIndices<'t>>,
    /// Where the scanned text starts in the whole.
    start: usize,
    len: usize,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str, start: usize) -> Self {
        Self {
            chars: text.char_indices().peekable(),
            start,
            len: text.len(),
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    fn at(&mut self) -> usize {
        self.start + self.chars.peek().map_or(self.len, |(at, _)| *at)
    }

    /// Consumes `expected` if it is next.
    fn take(&mut self, expected: char) -> bool {
        self.chars.next_if(|(_, c)| *c == expected).is_some()
    }

    /// A name that one of `stops` ends, and its keys.
    fn elem(&mut self, stops: &[char]) -> Result<pb::PathElem, PathTextError> {
        let at = self.at();
        let mut elem = pb::PathElem {
            name: self.word(stops)?,
            ..pb::PathElem::default()
        };
        if elem.name.is_empty() {
            return Err(PathTextError::EmptyName(at));
        }
        loop {
            let at = self.at();
            if !self.take('[') {
                return Ok(elem);
            }
            let (key, value) = self.key(at)?;
            if elem.key.insert(key, value).is_some() {
                return Err(PathTextError::DuplicateKey(at));
            }
        }
    }

    /// `key=value]`; `at` is where its bracket stands.
    fn key(&mut self, at: usize) -> Result<(String, String), PathTextError> {
        let key = self.word(&['=', ']'])?;
        if !self.take('=') {
            return Err(match self.peek() {
                Some(_) => PathTextError::WithoutValue(at),
                None => PathTextError::Unclosed(at),
            });
        }
        if key.is_empty() {
            return Err(PathTextError::EmptyKey(at));
        }
        let value = self.word(&[']'])?;
        if self.take(']') {
            Ok((key, value))
        } else {
            Err(PathTextError::Unclosed(at))
        }
    }

    /// Everything up to one of `stops`, which stays, or the end; escapes resolved.
    fn word(&mut self, stops: &[char]) -> Result<String, PathTextError> {
        let mut word = String::new();
        while let Some((at, c)) = self.chars.next_if(|(_, c)| !stops.contains(c)) {
            if c != '\\' {
                word.push(c);
                continue;
            }
            match self.chars.next() {
                Some((_, 'n')) => word.push('\n'),
                Some((_, 'r')) => word.push('\r'),
                Some((_, escaped)) => word.push(escaped),
                None => return Err(PathTextError::Escape(self.start + at)),
            }
        }
        Ok(word)
    }
}

struct Printed<'p> {
    prefix: Option<&'p pb::Path>,
    path: Option<&'p pb::Path>,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.prefix, self.path];
        let parts = || parts.iter().flatten();
        if let Some(path) = parts().find(|path| !path.origin.is_empty()) {
            write!(f, "{}:", path.origin)?;
        }
        let mut is_root = true;
        for path in parts() {
            is_root &= path.elem.is_empty();
            for elem in &path.elem {
                f.write_str("/")?;
                write_name(f, &elem.name)?;
                for (key, value) in &elem.key {
                    write_key(f, key, value)?;
                }
            }
        }
        if is_root { f.write_str("/") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, origin: &str, printed: &str) {
        let path = parse_path_text(text).unwrap();
        assert_eq!(path.origin, origin, "{text}");
        assert_eq!(path_text(None, Some(&path)), printed, "{text}");
    }

    #[test]
    fn path_text_is_read_in_all_its_forms() {
        check("", "", "/");
        check("/", "", "/");
        check("accedian:/", "accedian", "accedian:/");
        check("a/b/", "", "/a/b");
        check("/accedian:session/...", "", "/accedian:session/...");
        check("accedian:session/x", "", "/accedian:session/x");
        check(
            "accedian:/a[b=c/d][a=*]",
            "accedian",
            "accedian:/a[a=*][b=c/d]",
        );
        check(r"/a\/b[k\==\]\\\n\x]", "", r"/a\/b[k\==\]\\\nx]");
        check(
            "/m[meta/data/name/usage=eu]",
            "",
            "/m[meta/data/name/usage=eu]",
        );
    }

    #[test]
    fn path_text_errors_say_where() {
        for (text, error) in [
            ("//a", PathTextError::EmptyName(1)),
            ("o:/a//b", PathTextError::EmptyName(5)),
            ("/[k=v]", PathTextError::EmptyName(1)),
            ("/a[k=v", PathTextError::Unclosed(2)),
            ("/a[k", PathTextError::Unclosed(2)),
            ("/a[k]", PathTextError::WithoutValue(2)),
            ("/a[=v]", PathTextError::EmptyKey(2)),
            ("/a[k=v]x", PathTextError::Trailing(7)),
            ("/a[k=v][k=w]", PathTextError::DuplicateKey(7)),
            ("/é\\", PathTextError::Escape(3)),
        ] {
            assert_eq!(parse_path_text(text), Err(error), "{text}");
        }
    }

    #[test]
    fn path_text_joins_prefix_and_path() {
        let prefix = parse_path_text("accedian:/a").unwrap();
        let path = parse_path_text("/b[k=]").unwrap();
        assert_eq!(path_text(Some(&prefix), Some(&path)), "accedian:/a/b[k=]");
        assert_eq!(path_text(None, None), "/");
    }

    #[test]
    fn element_keeps_its_slashes() {
        let elem = parse_element("a/b[k=v]").unwrap();
        assert_eq!(elem.name, "a/b");
        assert_eq!(elem.key.get("k").unwrap(), "v");
        assert_eq!(parse_element("a[k=v]/b"), Err(PathTextError::Trailing(6)));
    }
}
