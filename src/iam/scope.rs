//! What a token can be narrowed to below its account's roles.

use std::fmt;
use std::str::FromStr;

use crate::model::Glob;
use crate::model::Pattern;
use crate::model::Target;
use crate::wire::Origins;
use crate::wire::parse_path_text;
use crate::wire::read_pattern;

/// One narrowing. Of several paths any counts, of several targets too; a path and a target must both fit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// Telemetry at and below this path: `path:/interfaces/interface[name=eth0]`. Single levels, without labels.
    Path(Pattern),
    /// Reads, and nothing else: `read-only`.
    ReadOnly,
    /// Telemetry of this target: `target:router1`. Without a name it is the gateway's own data.
    Target(Target),
}

/// The text names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAScope {
    /// It begins like none.
    #[error("is none of read-only, path:<path>, target:<name>")]
    Kind,
    /// It is longer than 1024 bytes, or has control characters.
    #[error("is longer than 1024 bytes or has control characters")]
    Text,
    /// The path is none that a token can be narrowed to.
    #[error("path is not well-formed, has labels or \"...\", or more than 16 levels")]
    Path,
    /// `*` would narrow nothing.
    #[error("target cannot be \"*\"")]
    Target,
}

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        if text.len() > MOST_BYTES || text.contains(char::is_control) {
            return Err(NotAScope::Text);
        }
        if text == READ_ONLY {
            return Ok(Self::ReadOnly);
        }
        if let Some(path) = text.strip_prefix(PATH) {
            return parse_area(path).map(Self::Path).ok_or(NotAScope::Path);
        }
        match text.strip_prefix(TARGET) {
            Some("*") => Err(NotAScope::Target),
            Some(name) => Ok(Self::Target(Target::new(name))),
            None => Err(NotAScope::Kind),
        }
    }
}

/// The stored text.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(area) => write!(f, "{PATH}{area}"),
            Self::ReadOnly => f.write_str(READ_ONLY),
            Self::Target(target) => write!(f, "{TARGET}{}", target.as_str()),
        }
    }
}

fn parse_area(text: &str) -> Option<Pattern> {
    let path = parse_path_text(text).ok()?;
    let area = read_pattern(None, &path, &Origins::gateway()).ok()?;
    let is_plain = |glob: &Glob| match glob {
        Glob::AnyDepth => false,
        // Who may write labels must not decide by them what others may read.
        Glob::One(elem) => elem.labels.is_empty(),
    };
    (area.elems.len() <= MOST_LEVELS && area.elems.iter().all(is_plain)).then_some(area)
}

const READ_ONLY: &str = "read-only";
const PATH: &str = "path:";
const TARGET: &str = "target:";

/// A path of sixteen levels with keys. Each is compared with every path of a request.
const MOST_BYTES: usize = 1_024;

/// The deepest lists of the OpenConfig models have ten.
const MOST_LEVELS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_text_is_read_back_as_the_same_scope() {
        for text in [
            "read-only",
            "path:/",
            "path:/interfaces/interface[name=eth0]/state",
            "path:/interfaces/interface[name=*]",
            "path:accedian:/sessions",
            "path:/a\\/b/c[k=a,b\\]]",
            "target:",
            "target:router 1, rack/2",
        ] {
            let scope: Scope = text.parse().unwrap();
            assert_eq!(scope.to_string().parse(), Ok(scope.clone()), "{text}");
        }
    }

    #[test]
    fn scope_that_narrows_nothing_or_unclearly_is_none() {
        let deep = format!("path:{}", "/a".repeat(17));
        let long = format!("target:{}", "a".repeat(1_024));
        for (text, error) in [
            ("", NotAScope::Kind),
            ("readonly", NotAScope::Kind),
            ("gnmi", NotAScope::Kind),
            ("path:/a/.../b", NotAScope::Path),
            ("path:/a[k", NotAScope::Path),
            ("path:/a[meta/data/name/usage=europe]", NotAScope::Path),
            ("target:*", NotAScope::Target),
            ("target:a\nb", NotAScope::Text),
            (deep.as_str(), NotAScope::Path),
            (long.as_str(), NotAScope::Text),
        ] {
            assert_eq!(text.parse::<Scope>(), Err(error), "{text}");
        }
    }
}
