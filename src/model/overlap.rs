//! What two patterns cover together: how a request is cut down to what a credential reaches.

use std::sync::Arc;

use super::Glob;
use super::GlobElem;
use super::Path;
use super::Pattern;

/// The patterns leave so much open that what they have in common cannot be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leaves too much open")]
pub struct TooOpen;

impl Pattern {
    /// Patterns that name what of `self` lies in what `area` covers; none where they have nothing in common.
    ///
    /// Of `area` only single levels count: what comes after a `...` in it is not looked at.
    ///
    /// # Errors
    ///
    /// [`TooOpen`] where more than [`MOST_PARTS`] patterns would be needed, which takes several `...`.
    pub fn within(&self, area: &Self) -> Result<Vec<Self>, TooOpen> {
        let origin = match (&self.origin, &area.origin) {
            (Some(own), Some(other)) if own != other => return Ok(Vec::new()),
            (own, other) => own.clone().or_else(|| other.clone()),
        };
        let mut parts = Vec::new();
        meet(&mut Vec::new(), &self.elems, &area.levels(), &mut parts)?;
        let with = |elems| Self {
            origin: origin.clone(),
            elems,
        };
        Ok(parts.into_iter().map(with).collect())
    }

    /// Whether all that `self` covers is certain to lie in what `area` covers.
    pub fn is_within(&self, area: &Self) -> bool {
        let levels = area.levels();
        let is_same_origin = area.origin.is_none() || area.origin == self.origin;
        let fits = |(glob, level): (&Glob, &&GlobElem)| match glob {
            Glob::AnyDepth => false,
            Glob::One(elem) => level.includes(elem),
        };
        is_same_origin
            && self.elems.len() >= levels.len()
            && self.elems.iter().zip(&levels).all(fits)
    }

    /// Whether `path` lies in what the pattern covers, labels aside. Of the pattern only single levels count.
    pub fn includes(&self, path: &Path) -> bool {
        let levels = self.levels();
        let is_same_origin = self
            .origin
            .as_ref()
            .is_none_or(|origin| *origin == path.origin);
        is_same_origin
            && path.elems.len() >= levels.len()
            && levels
                .iter()
                .zip(&path.elems)
                .all(|(level, elem)| level.matches(elem))
    }

    fn levels(&self) -> Vec<&GlobElem> {
        self.elems.iter().map_while(Glob::as_one).collect()
    }
}

impl Glob {
    fn as_one(&self) -> Option<&GlobElem> {
        match self {
            Self::One(elem) => Some(elem),
            Self::AnyDepth => None,
        }
    }
}

impl GlobElem {
    /// One level that asks for what both ask for; `None` where nothing can be both.
    fn and(&self, other: &Self) -> Option<Self> {
        let name = match (&self.name, &other.name) {
            (Some(one), Some(two)) if one != two => return None,
            (one, two) => one.clone().or_else(|| two.clone()),
        };
        let mut keys = self.keys.clone();
        for (key, wanted) in &other.keys {
            match keys.binary_search_by(|(known, _)| known.cmp(key)) {
                Err(at) => keys.insert(at, (Arc::clone(key), wanted.clone())),
                Ok(at) => {
                    let (_, known) = keys.get_mut(at)?;
                    match (&*known, wanted) {
                        (Some(one), Some(two)) if one != two => return None,
                        (None, Some(_)) => known.clone_from(wanted),
                        _ => {}
                    }
                }
            }
        }
        let mut labels = self.labels.clone();
        labels.extend(other.labels.iter().cloned());
        Some(Self { name, keys, labels })
    }

    /// Whether all that fits `narrow` fits `self` too.
    fn includes(&self, narrow: &Self) -> bool {
        let has_key = |(key, wanted): &(Arc<str>, Option<Arc<str>>)| {
            let found = narrow.keys.iter().find(|(known, _)| known == key);
            found.is_some_and(|(_, value)| wanted.is_none() || value == wanted)
        };
        (self.name.is_none() || self.name == narrow.name)
            && self.keys.iter().all(has_key)
            && self
                .labels
                .iter()
                .all(|label| narrow.labels.contains(label))
    }
}

/// Adds to `parts` what of `globs` lies below `levels`, after `before`.
fn meet(
    before: &mut Vec<Glob>,
    globs: &[Glob],
    levels: &[&GlobElem],
    parts: &mut Vec<Vec<Glob>>,
) -> Result<(), TooOpen> {
    let Some((level, deeper)) = levels.split_first() else {
        return add(parts, before.iter().chain(globs));
    };
    let one = |level: &&GlobElem| Glob::One((*level).clone());
    match globs.split_first() {
        // The request ends above: it covers all of the area.
        None => add(
            parts,
            before
                .iter()
                .chain(&levels.iter().map(one).collect::<Vec<_>>()),
        ),
        Some((Glob::One(elem), rest)) => {
            let Some(both) = elem.and(level) else {
                return Ok(());
            };
            before.push(Glob::One(both));
            meet(before, rest, deeper, parts)?;
            before.pop();
            Ok(())
        }
        Some((Glob::AnyDepth, rest)) => {
            let kept = before.len();
            // `...` stands for the first so many levels of the area, and no more;
            for (skipped, level) in levels.iter().enumerate() {
                if !rest.is_empty() {
                    let below = levels.get(skipped..).unwrap_or_default();
                    meet(before, rest, below, parts)?;
                }
                before.push(one(level));
            }
            // or for all of them, and any number below.
            add(parts, before.iter().chain(globs))?;
            before.truncate(kept);
            Ok(())
        }
    }
}

fn add<'a>(
    parts: &mut Vec<Vec<Glob>>,
    globs: impl Iterator<Item = &'a Glob>,
) -> Result<(), TooOpen> {
    if parts.len() == MOST_PARTS {
        return Err(TooOpen);
    }
    parts.push(globs.cloned().collect());
    Ok(())
}

/// Patterns for one pattern: an area of sixteen levels and one `...` take seventeen.
pub const MOST_PARTS: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Elem;
    use crate::model::Origin;

    fn glob_elem() -> impl Strategy<Value = GlobElem> {
        let name = proptest::option::weighted(0.7, prop_oneof![Just("a"), Just("b")]);
        let key = proptest::option::of(proptest::option::of(prop_oneof![Just("1"), Just("2")]));
        (name, key).prop_map(|(name, key)| GlobElem {
            name: name.map(Arc::from),
            keys: key
                .map(|value| (Arc::from("k"), value.map(Arc::from)))
                .into_iter()
                .collect(),
            labels: Vec::new(),
        })
    }

    fn pattern(globs: impl Strategy<Value = Vec<Glob>>) -> impl Strategy<Value = Pattern> {
        let origin = proptest::option::of(prop_oneof![Just("x"), Just("y")]);
        (origin, globs).prop_map(|(origin, elems)| Pattern {
            origin: origin.map(Origin::new),
            elems,
        })
    }

    fn request() -> impl Strategy<Value = Pattern> {
        let glob = prop_oneof![
            1 => Just(Glob::AnyDepth),
            4 => glob_elem().prop_map(Glob::One),
        ];
        pattern(proptest::collection::vec(glob, 0..5))
    }

    fn area() -> impl Strategy<Value = Pattern> {
        pattern(proptest::collection::vec(
            glob_elem().prop_map(Glob::One),
            0..4,
        ))
    }

    fn path() -> impl Strategy<Value = Path> {
        let key = proptest::option::of(prop_oneof![Just("1"), Just("2")]);
        let elem = (prop_oneof![Just("a"), Just("b")], key)
            .prop_map(|(name, key)| Elem::with_keys(name, key.map(|value| ("k", value))));
        let origin = prop_oneof![Just("x"), Just("y")];
        (origin, proptest::collection::vec(elem, 0..6))
            .prop_map(|(origin, elems)| Path::new(Origin::new(origin), elems))
    }

    /// What the words say: some beginning of the path fits.
    fn covers(pattern: &Pattern, path: &Path) -> bool {
        fn fits(globs: &[Glob], elems: &[Elem]) -> bool {
            match globs.split_first() {
                None => true,
                Some((Glob::AnyDepth, rest)) => {
                    (0..=elems.len()).any(|skipped| fits(rest, &elems[skipped..]))
                }
                Some((Glob::One(glob), rest)) => elems
                    .split_first()
                    .is_some_and(|(elem, below)| glob.matches(elem) && fits(rest, below)),
            }
        }
        let is_same = pattern
            .origin
            .as_ref()
            .is_none_or(|origin| *origin == path.origin);
        is_same && fits(&pattern.elems, &path.elems)
    }

    proptest! {
        #[test]
        fn what_lies_within_is_what_both_cover(
            request in request(),
            area in area(),
            paths in proptest::collection::vec(path(), 32),
        ) {
            let parts = request.within(&area).unwrap();
            for path in &paths {
                let both = covers(&request, path) && covers(&area, path);
                let parts_cover = parts.iter().any(|part| covers(part, path));
                prop_assert_eq!(both, parts_cover, "{} in {} at {}", request, area, path);
                prop_assert_eq!(area.includes(path), covers(&area, path));
                if request.is_within(&area) && covers(&request, path) {
                    prop_assert!(covers(&area, path), "{} in {} at {}", request, area, path);
                }
            }
        }
    }

    #[test]
    fn a_request_that_leaves_too_much_open_is_refused() {
        let any = || {
            Glob::One(GlobElem {
                name: None,
                keys: Vec::new(),
                labels: Vec::new(),
            })
        };
        let elems = std::iter::repeat_with(|| [Glob::AnyDepth, any()])
            .take(16)
            .flatten();
        let request = Pattern {
            origin: None,
            elems: elems.collect(),
        };
        let area = Pattern {
            origin: None,
            elems: std::iter::repeat_with(any).take(16).collect(),
        };
        assert_eq!(request.within(&area), Err(TooOpen));
    }
}
