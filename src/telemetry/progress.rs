//! How far into a pattern a walk down the tree has come.

use smallvec::SmallVec;

use crate::model::Elem;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Pattern;

/// The positions of a pattern's elements that may match next. More than one, since `...` may stand for any number
/// of levels; never more than the pattern has elements, so no pattern makes a walk explode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Progress(SmallVec<[usize; 4]>);

impl Progress {
    /// Before the first element.
    pub(super) fn start(pattern: &Pattern) -> Self {
        let mut start = Self(SmallVec::new());
        start.enter(pattern, 0);
        start
    }

    /// One level down, into `elem`. `has_label` tells whether that entry has a label of a certain value.
    pub(super) fn step(
        &self,
        pattern: &Pattern,
        elem: &Elem,
        has_label: &dyn Fn(&str, &str) -> bool,
    ) -> Self {
        let mut next = Self(SmallVec::new());
        for &position in &self.0 {
            match pattern.elems.get(position) {
                Some(Glob::AnyDepth) => next.enter(pattern, position),
                Some(Glob::One(glob)) if glob.matches(elem) => {
                    let mut labels = glob.labels.iter();
                    if labels.all(|(label, value)| has_label(label, value)) {
                        next.enter(pattern, position + 1);
                    }
                }
                Some(Glob::One(_)) | None => {}
            }
        }
        next
    }

    /// Whether the node reached is one that the pattern names.
    pub(super) fn is_done(&self, pattern: &Pattern) -> bool {
        self.0.last() == Some(&pattern.elems.len())
    }

    /// Whether nothing below can match.
    pub(super) fn is_lost(&self, pattern: &Pattern) -> bool {
        self.0
            .iter()
            .all(|&position| position == pattern.elems.len())
    }

    /// The one element that can match next, if there is only one and it has a name.
    pub(super) fn only_next<'a>(&self, pattern: &'a Pattern) -> Option<&'a GlobElem> {
        match (self.0.as_slice(), pattern.elems.get(*self.0.first()?)) {
            ([_], Some(Glob::One(elem))) if elem.name.is_some() => Some(elem),
            _ => None,
        }
    }

    fn enter(&mut self, pattern: &Pattern, position: usize) {
        if let Err(at) = self.0.binary_search(&position) {
            self.0.insert(at, position);
            // `...` may also stand for no level at all.
            if let Some(Glob::AnyDepth) = pattern.elems.get(position) {
                self.enter(pattern, position + 1);
            }
        }
    }
}
