//! Paths of requests become `model` paths and patterns, and back.

use std::borrow::Cow;
use std::sync::Arc;

use super::error::Part;
use super::error::PathError;
use super::error::Place;
use super::origin::Origins;
use super::origin::bare_name;
use super::path_text::parse_element;
use super::proto::gnmi as pb;
use crate::model::Elem;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::LABEL_KEY_PREFIX;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Pattern;

/// Elements of prefix and path together. Models stay below twenty levels.
pub const MAX_ELEMS: usize = 128;

/// Keys of one element. YANG lists with more than four are not known.
pub const MAX_KEYS: usize = 16;

/// Bytes of all names, key names, key values and origins of prefix and path together.
pub const MAX_PATH_BYTES: usize = 64 << 10;

/// Reads what a Get, a Subscribe or a delete names. The prefix's target is the caller's affair.
///
/// A key `meta/data/name/<label>` becomes a label predicate, on any element. Its value `*`
/// constrains nothing, like an omitted key, so that predicate is left out. Adjacent `...` become
/// one. Module names before element names are removed; the origin is found as [`Origins`] says, and
/// `None` where no origin is named and the path is empty or starts with a wildcard.
///
/// # Errors
///
/// A [`PathError`] that names the element at fault, or the limit.
pub fn read_pattern(
    prefix: Option<&pb::Path>,
    path: &pb::Path,
    origins: &Origins,
) -> Result<Pattern, PathError> {
    let joined = Joined::new(prefix, path)?;
    let (origin, below) = joined.resolve(origins)?;
    let mut elems: Vec<Glob> = Vec::with_capacity(below.len());
    for (place, elem) in below {
        let glob = glob(*place, elem)?;
        if glob != Glob::AnyDepth || elems.last() != Some(&Glob::AnyDepth) {
            elems.push(glob);
        }
    }
    Ok(Pattern { origin, elems })
}

/// Reads the one node that an update or a replace names. Without any sign of an origin it is the
/// default one.
///
/// # Errors
///
/// As [`read_pattern`]; also for a wildcard or a label predicate.
pub fn read_path(
    prefix: Option<&pb::Path>,
    path: &pb::Path,
    origins: &Origins,
) -> Result<Path, PathError> {
    let joined = Joined::new(prefix, path)?;
    let (origin, below) = joined.resolve(origins)?;
    let elems = below
        .iter()
        .map(|(place, elem)| resolved_elem(*place, elem))
        .collect::<Result<_, _>>()?;
    Ok(Path::new(origin.unwrap_or_default(), elems))
}

/// A path with its origin, as a response carries it. No target: that belongs to the prefix.
pub fn write_path(path: &Path) -> pb::Path {
    pb::Path {
        origin: path.origin.as_str().to_owned(),
        elem: write_elems(&path.elems),
        ..pb::Path::default()
    }
}

/// Elements as a response carries them.
pub fn write_elems(elems: &[Elem]) -> Vec<pb::PathElem> {
    let one = |elem: &Elem| pb::PathElem {
        name: elem.name().to_string(),
        key: elem
            .keys()
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
    };
    elems.iter().map(one).collect()
}

/// Whether an element's name stands for others.
pub(super) fn is_wildcard(name: &str) -> bool {
    matches!(name, ANY_ONE | ANY_DEPTH)
}

/// An element, and where the client put it.
type Placed<'p> = (Place, Cow<'p, pb::PathElem>);

/// Prefix and path as one sequence, checked for what needs no meaning.
struct Joined<'p> {
    origin: &'p str,
    elems: Vec<Placed<'p>>,
}

impl<'p> Joined<'p> {
    fn new(prefix: Option<&'p pb::Path>, path: &'p pb::Path) -> Result<Self, PathError> {
        if !path.target.is_empty() {
            return Err(PathError::TargetInPath);
        }
        let parts = [(Part::Prefix, prefix), (Part::Path, Some(path))];
        let parts = parts
            .into_iter()
            .filter_map(|(part, path)| path.map(|path| (part, path)));
        let sum = |count: fn(&pb::Path) -> usize| -> usize {
            parts.clone().map(|(_, path)| count(path)).sum()
        };
        if sum(elem_count) > MAX_ELEMS {
            return Err(PathError::TooManyElems);
        }
        if sum(byte_count) > MAX_PATH_BYTES {
            return Err(PathError::TooLong);
        }
        let origin = match prefix.map_or("", |prefix| prefix.origin.as_str()) {
            "" => path.origin.as_str(),
            origin if path.origin.is_empty() => origin,
            _ => return Err(PathError::OriginTwice),
        };
        let mut elems = Vec::new();
        for (part, path) in parts {
            read_elems(part, path, &mut elems)?;
        }
        Ok(Self { origin, elems })
    }

    /// The origin, and the elements below it.
    fn resolve(&self, origins: &Origins) -> Result<(Option<Origin>, &[Placed<'p>]), PathError> {
        let names = self.elems.iter().map(|(_, elem)| elem.name.as_str());
        let resolved = origins.resolve(self.origin, names);
        let (dropped, below) = self
            .elems
            .split_at_checked(resolved.dropped)
            .unwrap_or((&[], &self.elems));
        match dropped.iter().find(|(_, elem)| !elem.key.is_empty()) {
            Some((place, _)) => Err(PathError::KeysOnOrigin(*place)),
            None => Ok((resolved.origin, below)),
        }
    }
}

/// Appends one message's elements. The deprecated strings count only without structured ones:
/// clients send both.
#[expect(
    deprecated,
    reason = "gNMI spec 2.2.2: requests with `element` are tolerated"
)]
fn read_elems<'p>(
    part: Part,
    path: &'p pb::Path,
    elems: &mut Vec<Placed<'p>>,
) -> Result<(), PathError> {
    for (index, elem) in path.elem.iter().enumerate() {
        let place = Place { part, index };
        check_elem(place, elem)?;
        elems.push((place, Cow::Borrowed(elem)));
    }
    if !path.elem.is_empty() {
        return Ok(());
    }
    for (index, text) in path.element.iter().enumerate() {
        let place = Place { part, index };
        if text.is_empty() {
            return Err(PathError::ElemName(place));
        }
        let elem = parse_element(text).map_err(|source| PathError::Element { place, source })?;
        check_elem(place, &elem)?;
        elems.push((place, Cow::Owned(elem)));
    }
    Ok(())
}

fn check_elem(place: Place, elem: &pb::PathElem) -> Result<(), PathError> {
    if elem.name.is_empty() {
        return Err(PathError::ElemName(place));
    }
    if elem.key.len() > MAX_KEYS {
        return Err(PathError::TooManyKeys(place));
    }
    if elem.key.contains_key("") {
        return Err(PathError::KeyName(place));
    }
    Ok(())
}

fn glob(place: Place, elem: &pb::PathElem) -> Result<Glob, PathError> {
    let name = bare_name(&elem.name);
    if name == ANY_DEPTH {
        return if elem.key.is_empty() {
            Ok(Glob::AnyDepth)
        } else {
            Err(PathError::KeysOnAnyDepth(place))
        };
    }
    let mut glob = GlobElem {
        name: (name != ANY_ONE).then(|| Arc::from(name)),
        keys: Vec::new(),
        labels: Vec::new(),
    };
    // The map is sorted, and so are both lists.
    for (key, value) in &elem.key {
        let wanted = (value != ANY_ONE).then(|| Arc::from(value.as_str()));
        match key.strip_prefix(LABEL_KEY_PREFIX) {
            Some("") => return Err(PathError::LabelName(place)),
            Some(label) => glob
                .labels
                .extend(wanted.map(|value| (Arc::from(label), value))),
            None => glob.keys.push((Arc::from(key.as_str()), wanted)),
        }
    }
    Ok(Glob::One(glob))
}

fn resolved_elem(place: Place, elem: &pb::PathElem) -> Result<Elem, PathError> {
    let name = bare_name(&elem.name);
    if is_wildcard(name) || elem.key.values().any(|value| value == ANY_ONE) {
        return Err(PathError::Wildcard(place));
    }
    if elem.key.keys().any(|key| key.starts_with(LABEL_KEY_PREFIX)) {
        return Err(PathError::Label(place));
    }
    let keys = elem.key.iter();
    Ok(Elem::with_keys(
        name,
        keys.map(|(key, value)| (key.as_str(), value.as_str())),
    ))
}

#[expect(deprecated, reason = "`element` is read where `elem` is empty")]
fn elem_count(path: &pb::Path) -> usize {
    path.elem.len().max(path.element.len())
}

#[expect(deprecated, reason = "`element` is read where `elem` is empty")]
fn byte_count(path: &pb::Path) -> usize {
    let elem = |elem: &pb::PathElem| {
        let keys = elem.key.iter().map(|(key, value)| key.len() + value.len());
        elem.name.len() + keys.sum::<usize>()
    };
    let structured: usize = path.elem.iter().map(elem).sum();
    let deprecated: usize = path.element.iter().map(String::len).sum();
    path.origin.len() + structured.max(deprecated)
}

/// One level, or any key value (path-conventions).
const ANY_ONE: &str = "*";

/// Any number of levels (path-conventions).
const ANY_DEPTH: &str = "...";
