//! What a request names: a path that may leave things open.

use std::fmt;
use std::sync::Arc;

use super::Elem;
use super::Origin;
use super::Path;
use super::path::write_key;
use super::path::write_name;

/// The nodes a request asks for. Recursive: it covers everything below what it matches (gNMI spec 2.4.2).
///
/// Omitted keys stand for all entries, a partial key set constrains only those keys (path-conventions).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The schema; `None` spans every origin (only where the request named none and starts with a wildcard).
    pub origin: Option<Origin>,
    /// From the root down.
    pub elems: Vec<Glob>,
}

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Glob {
    /// `...`: any number of levels, none included.
    AnyDepth,
    /// Exactly one level.
    One(GlobElem),
}

/// One level of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GlobElem {
    /// The name; `None` is `*`.
    pub name: Option<Arc<str>>,
    /// Keys that are constrained, sorted by name; `None` as value is `*`, which only asks the key to exist.
    pub keys: Vec<(Arc<str>, Option<Arc<str>>)>,
    /// Metadata labels and the values that they must have: `[meta/data/name/usage=europe-east]`.
    pub labels: Vec<(Arc<str>, Arc<str>)>,
}

impl Pattern {
    /// Whether a pattern can name only one node: no wildcard and no label. Omitted keys are not seen from here.
    pub fn is_resolved(&self) -> bool {
        self.origin.is_some() && self.elems.iter().all(Glob::is_resolved)
    }

    /// The node itself where nothing is left open.
    pub fn as_path(&self) -> Option<Path> {
        let origin = self.origin.clone()?;
        let elems = self
            .elems
            .iter()
            .map(Glob::as_elem)
            .collect::<Option<_>>()?;
        Some(Path::new(origin, elems))
    }
}

impl From<&Path> for Pattern {
    fn from(path: &Path) -> Self {
        let one = |elem: &Elem| {
            Glob::One(GlobElem {
                name: Some(Arc::clone(elem.name())),
                keys: elem
                    .keys()
                    .iter()
                    .map(|(key, value)| (Arc::clone(key), Some(Arc::clone(value))))
                    .collect(),
                labels: Vec::new(),
            })
        };
        Self {
            origin: Some(path.origin.clone()),
            elems: path.elems.iter().map(one).collect(),
        }
    }
}

impl Glob {
    fn is_resolved(&self) -> bool {
        match self {
            Self::AnyDepth => false,
            Self::One(elem) => {
                elem.name.is_some()
                    && elem.labels.is_empty()
                    && elem.keys.iter().all(|(_, value)| value.is_some())
            }
        }
    }

    fn as_elem(&self) -> Option<Elem> {
        let Self::One(elem) = self else { return None };
        if !self.is_resolved() {
            return None;
        }
        let keys = elem
            .keys
            .iter()
            .filter_map(|(key, value)| Some((Arc::clone(key), value.clone()?)));
        Some(Elem::with_keys(elem.name.clone()?, keys))
    }
}

impl GlobElem {
    /// Whether name and keys fit `elem`. Labels are not looked at: they depend on other leaves.
    pub fn matches(&self, elem: &Elem) -> bool {
        self.name.as_ref().is_none_or(|name| name == elem.name())
            && self
                .keys
                .iter()
                .all(|(key, wanted)| match (elem.key(key), wanted) {
                    (Some(value), Some(wanted)) => value == wanted,
                    (Some(_), None) => true,
                    (None, _) => false,
                })
    }
}

/// The textual form, with `*` and `...`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = self.origin.as_ref().filter(|origin| !origin.is_default()) {
            write!(f, "{origin}:")?;
        }
        if self.elems.is_empty() {
            return f.write_str("/");
        }
        for glob in &self.elems {
            f.write_str("/")?;
            let Glob::One(elem) = glob else {
                f.write_str("...")?;
                continue;
            };
            match &elem.name {
                Some(name) => write_name(f, name)?,
                None => f.write_str("*")?,
            }
            for (key, value) in &elem.keys {
                write_key(f, key, value.as_deref().unwrap_or("*"))?;
            }
            for (label, value) in &elem.labels {
                write_key(f, &format!("{LABEL_KEY_PREFIX}{label}"), value)?;
            }
        }
        Ok(())
    }
}

/// A key whose name starts so is a predicate on a metadata label (design 3, the vendor's public example).
pub const LABEL_KEY_PREFIX: &str = "meta/data/name/";
