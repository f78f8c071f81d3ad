//! What can be wrong with what a peer sent. Messages name the part at fault.

use std::fmt;

use super::json_read::MAX_LEAF_ELEMS;
use super::json_tree::MAX_DEPTH;
use super::json_tree::MAX_LEAVES;
use super::path::MAX_ELEMS;
use super::path::MAX_KEYS;
use super::path::MAX_PATH_BYTES;
use crate::model::Class;

/// Why an encoding is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodingError {
    /// No encoding of gNMI has this number; the client must send another.
    #[error("encoding {0} is unknown")]
    Unknown(i32),
    /// gNMI has it, we do not; the client must choose another.
    #[error("encoding {0} is not offered")]
    Unsupported(&'static str),
}

impl EncodingError {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        match self {
            Self::Unknown(_) => Class::Malformed,
            Self::Unsupported(_) => Class::Unsupported,
        }
    }
}

/// Which of the two messages that make up an absolute path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The path itself.
    Path,
    /// The prefix before it.
    Prefix,
}

/// One element as the client sent it, counted from zero: `elem[3] of path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In which message.
    pub part: Part,
    /// At which position there.
    pub index: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Path => "path",
            Part::Prefix => "prefix",
        };
        write!(f, "elem[{}] of {part}", self.index)
    }
}

/// Why a path of a request cannot be read. The client must send another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A string of the deprecated `element` field is no path text.
    #[error("{place}: element is malformed")]
    Element {
        /// Which string.
        place: Place,
        /// What is wrong with it.
        #[source]
        source: PathTextError,
    },
    /// An element without a name; the root has no elements at all (gNMI spec 2.2.2).
    #[error("{0}: name is empty")]
    ElemName(Place),
    /// A key without a name.
    #[error("{0}: key name is empty")]
    KeyName(Place),
    /// An element that only says the origin has no keys.
    #[error("{0}: an origin has a key")]
    KeysOnOrigin(Place),
    /// `...` stands for any number of levels, so it has no keys.
    #[error("{0}: `...` has a key")]
    KeysOnAnyDepth(Place),
    /// A label predicate where one node must be named.
    #[error("{0}: a label predicate as key is not allowed here")]
    Label(Place),
    /// A label predicate that names no label.
    #[error("{0}: label name in key is empty")]
    LabelName(Place),
    /// The origin may be given once (gNMI spec 2.7).
    #[error("origin is set in both prefix and path")]
    OriginTwice,
    /// Only the prefix names a target (gNMI spec 2.2.2.1).
    #[error("target is set in a path; it belongs in the prefix")]
    TargetInPath,
    /// Names and keys together are too long.
    #[error("path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    /// Prefix and path together have too many elements.
    #[error("path has more than {MAX_ELEMS} elems")]
    TooManyElems,
    /// Too many keys.
    #[error("{0}: more than {MAX_KEYS} keys")]
    TooManyKeys(Place),
    /// A wildcard where one node must be named.
    #[error("{0}: a wildcard is not allowed here")]
    Wildcard(Place),
}

impl PathError {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        Class::Malformed
    }
}

/// Why a text is no path. The number is the byte at which it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathTextError {
    /// One element has the same key twice.
    #[error("key at byte {0} is given twice")]
    DuplicateKey(usize),
    /// Nothing between `[` and `=`.
    #[error("key name at byte {0} is empty")]
    EmptyKey(usize),
    /// Nothing between two slashes.
    #[error("elem name at byte {0} is empty")]
    EmptyName(usize),
    /// A backslash with nothing after it.
    #[error("escape at byte {0} is incomplete")]
    Escape(usize),
    /// Text between a key and the next slash.
    #[error("unexpected text after a key at byte {0}")]
    Trailing(usize),
    /// `[` without its `]`.
    #[error("key at byte {0} is not closed")]
    Unclosed(usize),
    /// `[key]` without `=`.
    #[error("key at byte {0} has no value")]
    WithoutValue(usize),
}

impl PathTextError {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        Class::Malformed
    }
}

/// Why a value of a request cannot be read. The client must send another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The text is not JSON.
    #[error("val is not valid JSON at line {line}, column {column}")]
    Json {
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
    },
    /// The value contradicts the path that names it (gNMI spec 3.4.5).
    #[error("key {} differs between path and val", Shown(.key))]
    KeyConflict {
        /// The key's name.
        key: Box<str>,
    },
    /// A JSON member cannot be the name of a node.
    #[error("a member name in val is empty or a wildcard")]
    MemberName,
    /// Neither `val` nor the deprecated `value`.
    #[error("val is missing")]
    Missing,
    /// An element of a leaf-list is something else than a scalar.
    #[error("an element of leaflist_val is not a scalar")]
    NotScalar,
    /// A leaf of the value would have too long a path.
    #[error("val makes a path longer than {MAX_PATH_BYTES} bytes")]
    PathTooLong,
    /// Many leaves, and all of them far down.
    #[error("val makes paths of more than {MAX_LEAF_ELEMS} elems together")]
    PathsTooLarge,
    /// More digits after the point than decimal64 has.
    #[error("precision of decimal_val is above 18")]
    Precision,
    /// The root is no leaf.
    #[error("val for the root is not an object")]
    RootLeaf,
    /// JSON nests too deeply.
    #[error("val nests deeper than {MAX_DEPTH} levels of JSON")]
    TooDeep,
    /// Too many values in one.
    #[error("val holds more than {MAX_LEAVES} leaves")]
    TooManyLeaves,
    /// A leaf of the value would have too many elements in its path.
    #[error("val makes a path of more than {MAX_ELEMS} elems")]
    TooManyElems,
    /// A form of value that we do not read.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}

impl ValueError {
    /// Whose fault it is.
    pub const fn class(&self) -> Class {
        match self {
            Self::PathsTooLarge | Self::TooManyLeaves => Class::TooLarge,
            Self::Unsupported(_) => Class::Unsupported,
            _ => Class::Malformed,
        }
    }
}

/// A name of the peer's, made fit for a message: short, and without control characters.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        f.write_str("`")?;
        for c in chars.by_ref().take(MAX_SHOWN_CHARS) {
            write!(f, "{}", c.escape_default())?;
        }
        if chars.next().is_some() {
            f.write_str("...")?;
        }
        f.write_str("`")
    }
}

/// Messages travel in an HTTP/2 header, whose size is limited.
const MAX_SHOWN_CHARS: usize = 64;
