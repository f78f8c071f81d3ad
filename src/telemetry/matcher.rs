//! Keeps patterns in a trie and finds those that cover a path.
//!
//! A pattern covers every path below what it matches, so the search collects entries on its way down. The cost
//! grows with the path's length and the number of patterns that share its names, not with the number of patterns.
//! `...` cannot make it explode: the search follows a set of trie nodes, each at most once per level.

use std::sync::Arc;

use hashbrown::Equivalent;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::model::Elem;
use crate::model::Glob;
use crate::model::GlobElem;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;

use super::branches::Branches;

/// Patterns, each with an entry of type `T`. Labels are not looked at: who adds a pattern with labels checks them.
#[derive(Debug)]
pub(super) struct Matcher<T> {
    roots: HashMap<Root, Node<T>, foldhash::fast::RandomState>,
}

/// Whose data, and of which origin; `None` is any.
type Root = (Option<Target>, Option<Origin>);

#[derive(Debug)]
struct Node<T> {
    /// Entries whose pattern ends here.
    here: SmallVec<[T; 1]>,
    /// The next element has this name.
    named: Branches<Arc<str>, Vec<Shape<T>>>,
    /// The next element has any name (`*`).
    unnamed: Vec<Shape<T>>,
    /// Any number of elements may come before what is in here (`...`).
    deep: Option<Box<Self>>,
    /// This is the inside of `...`: it stays possible on every level below.
    is_deep: bool,
}

/// Elements of one name that constrain the same keys.
#[derive(Debug)]
struct Shape<T> {
    /// Keys that must exist, whatever their value.
    present: Box<[Arc<str>]>,
    /// Keys that must have a value.
    keys: Box<[Arc<str>]>,
    /// By the values of `keys`.
    nodes: Branches<Box<[Arc<str>]>, Node<T>>,
}

impl<T: Clone> Matcher<T> {
    /// Adds a pattern.
    pub(super) fn add(&mut self, selector: &TargetSelector, pattern: &Pattern, entry: &T) {
        for root in roots(selector, pattern) {
            let mut node = self.roots.entry(root).or_default();
            for glob in &pattern.elems {
                node = node.child(glob);
            }
            node.here.push(entry.clone());
        }
    }

    /// Removes the entries of a pattern that `is_it` names, and what the trie held for them alone.
    pub(super) fn remove(
        &mut self,
        selector: &TargetSelector,
        pattern: &Pattern,
        is_it: impl Fn(&T) -> bool,
    ) {
        for root in roots(selector, pattern) {
            if let Some(node) = self.roots.get_mut(&root) {
                node.remove(&pattern.elems, &is_it);
                if node.is_empty() {
                    self.roots.remove(&root);
                }
            }
        }
    }

    /// Calls `found` for the entries of each pattern that covers `path`, with the number of levels that the path lies
    /// below the node that the pattern names. Entries may come more than once, those nearest to the root first.
    /// Until a pattern is added or removed, the same entries are at the same place in memory.
    pub(super) fn visit<'a>(
        &'a self,
        target: &Target,
        path: &Path,
        mut found: impl FnMut(&'a [T], usize),
    ) {
        if self.roots.len() <= FEW_ROOTS {
            for ((of, origin), root) in &self.roots {
                // `*` means the named targets; the gateway's own data has no name (design 3).
                let is_meant = of.as_ref().map_or(!target.is_own(), |of| of == target);
                if is_meant && origin.as_ref().is_none_or(|origin| *origin == path.origin) {
                    root.visit(&path.elems, &mut found);
                }
            }
            return;
        }
        let all = (!target.is_own()).then_some(None);
        for target in std::iter::once(Some(target)).chain(all) {
            for origin in [Some(&path.origin), None] {
                if let Some(root) = self.roots.get(&RootRef(target, origin)) {
                    root.visit(&path.elems, &mut found);
                }
            }
        }
    }
}

impl<T> Node<T> {
    fn child(&mut self, glob: &Glob) -> &mut Self {
        let elem = match glob {
            // Two in a row say no more than one.
            Glob::AnyDepth if self.is_deep => return self,
            Glob::AnyDepth => {
                return self.deep.get_or_insert_with(|| {
                    Box::new(Self {
                        is_deep: true,
                        ..Self::default()
                    })
                });
            }
            Glob::One(elem) => elem,
        };
        let shapes = match &elem.name {
            Some(name) => self.named.get_or_default(Arc::clone(name)),
            None => &mut self.unnamed,
        };
        let Keys {
            valued: keys,
            values,
            present,
        } = Keys::of(elem);
        let known = shapes
            .iter()
            .position(|shape| *shape.keys == *keys && *shape.present == *present);
        let at = known.unwrap_or_else(|| {
            shapes.push(Shape {
                present: present.into_boxed_slice(),
                keys: keys.into_boxed_slice(),
                nodes: Branches::default(),
            });
            shapes.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "just found or pushed at this place"
        )]
        shapes[at].nodes.get_or_default(values.into_boxed_slice())
    }

    fn visit<'a>(&'a self, elems: &[Elem], found: &mut impl FnMut(&'a [T], usize)) {
        let mut active: SmallVec<[&'a Self; 8]> = SmallVec::new();
        self.enter(&mut active);
        let mut next: SmallVec<[&'a Self; 8]> = SmallVec::new();
        let mut below = elems.len();
        report(&active, below, found);
        for elem in elems {
            next.clear();
            for node in &active {
                if node.is_deep {
                    push_once(&mut next, node);
                }
                let named = node.named.get(elem.name()).map_or(&[][..], Vec::as_slice);
                for shape in named.iter().chain(&node.unnamed) {
                    if let Some(child) = shape.lookup(elem) {
                        child.enter(&mut next);
                    }
                }
            }
            if next.is_empty() {
                return;
            }
            std::mem::swap(&mut active, &mut next);
            below -= 1;
            report(&active, below, found);
        }
    }

    /// Makes the node possible, and what `...` after it may skip to.
    fn enter<'a>(&'a self, active: &mut SmallVec<[&'a Self; 8]>) {
        push_once(active, self);
        if let Some(deep) = &self.deep {
            push_once(active, deep);
        }
    }

    fn remove(&mut self, globs: &[Glob], is_it: &impl Fn(&T) -> bool) {
        let Some((glob, rest)) = globs.split_first() else {
            self.here.retain(|entry| !is_it(entry));
            return;
        };
        let elem = match glob {
            Glob::AnyDepth if self.is_deep => return self.remove(rest, is_it),
            Glob::AnyDepth => {
                if let Some(deep) = &mut self.deep {
                    deep.remove(rest, is_it);
                    if deep.is_empty() {
                        self.deep = None;
                    }
                }
                return;
            }
            Glob::One(elem) => elem,
        };
        let shapes = match &elem.name {
            Some(name) => self.named.get_mut(name),
            None => Some(&mut self.unnamed),
        };
        let Some(shapes) = shapes else { return };
        let Keys {
            valued: keys,
            values,
            present,
        } = Keys::of(elem);
        for shape in shapes.iter_mut() {
            if *shape.keys == *keys
                && *shape.present == *present
                && let Some(node) = shape.nodes.get_mut(values.as_slice())
            {
                node.remove(rest, is_it);
                if node.is_empty() {
                    shape.nodes.remove(values.as_slice());
                }
            }
        }
        shapes.retain(|shape| !shape.nodes.is_empty());
        if let Some(name) = elem.name.as_ref().filter(|_| shapes.is_empty()) {
            self.named.remove(name);
        }
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty()
            && self.named.is_empty()
            && self.unnamed.is_empty()
            && self.deep.is_none()
    }
}

impl<T> Shape<T> {
    fn lookup(&self, elem: &Elem) -> Option<&Node<T>> {
        if self.present.iter().any(|key| elem.key(key).is_none()) {
            return None;
        }
        let values: Option<SmallVec<[&Arc<str>; 4]>> =
            self.keys.iter().map(|key| elem.key(key)).collect();
        self.nodes.get(&Values(values?))
    }
}

impl<T> Default for Matcher<T> {
    fn default() -> Self {
        Self {
            roots: HashMap::default(),
        }
    }
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self {
            here: SmallVec::new(),
            named: Branches::default(),
            unnamed: Vec::new(),
            deep: None,
            is_deep: false,
        }
    }
}

fn report<'a, T>(active: &[&'a Node<T>], below: usize, found: &mut impl FnMut(&'a [T], usize)) {
    for node in active.iter().filter(|node| !node.here.is_empty()) {
        found(&node.here, below);
    }
}

fn push_once<'a, T>(active: &mut SmallVec<[&'a Node<T>; 8]>, node: &'a Node<T>) {
    if !active.iter().any(|known| std::ptr::eq(*known, node)) {
        active.push(node);
    }
}

/// So many roots are compared in less time than the four to look for are hashed.
const FEW_ROOTS: usize = 4;

/// A [`Root`] to look for.
#[derive(Hash)]
struct RootRef<'a>(Option<&'a Target>, Option<&'a Origin>);

impl Equivalent<Root> for RootRef<'_> {
    fn equivalent(&self, (target, origin): &Root) -> bool {
        self.0 == target.as_ref() && self.1 == origin.as_ref()
    }
}

/// Values of a [`Shape`]'s keys to look for.
#[derive(Hash)]
struct Values<'a>(SmallVec<[&'a Arc<str>; 4]>);

impl Equivalent<Box<[Arc<str>]>> for Values<'_> {
    fn equivalent(&self, values: &Box<[Arc<str>]>) -> bool {
        self.0.iter().copied().eq(values)
    }
}

/// Where a pattern is kept: at one place for each target that is named.
fn roots(selector: &TargetSelector, pattern: &Pattern) -> impl Iterator<Item = Root> {
    let (all, some) = match selector {
        TargetSelector::All => (true, &[][..]),
        TargetSelector::Among(some) => (false, &**some),
        TargetSelector::One(one) => (false, std::slice::from_ref(one)),
    };
    let named = some.iter().cloned().map(Some);
    let targets = all.then_some(None).into_iter().chain(named);
    targets.map(|target| (target, pattern.origin.clone()))
}

/// An element's keys, parted by what they ask for.
struct Keys {
    /// Those that must have a value.
    valued: Vec<Arc<str>>,
    /// These values.
    values: Vec<Arc<str>>,
    /// Those that must only exist.
    present: Vec<Arc<str>>,
}

impl Keys {
    fn of(elem: &GlobElem) -> Self {
        let mut parted = Self {
            valued: Vec::new(),
            values: Vec::new(),
            present: Vec::new(),
        };
        for (key, value) in &elem.keys {
            match value {
                Some(value) => {
                    parted.valued.push(Arc::clone(key));
                    parted.values.push(Arc::clone(value));
                }
                None => parted.present.push(Arc::clone(key)),
            }
        }
        parted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Origins;
    use crate::wire::parse_path_text;
    use crate::wire::read_pattern;

    #[test]
    fn matcher_holds_nothing_of_removed_patterns() {
        let texts = [
            "/",
            "/...",
            "/a/.../b",
            "/a[k=1][l=*]/b",
            "/*[k=2]/.../...",
            "/a",
            "/a[k=2]",
        ];
        let patterns = texts.map(|text| {
            read_pattern(None, &parse_path_text(text).unwrap(), &Origins::gateway()).unwrap()
        });
        let mut matcher = Matcher::default();
        for pattern in patterns.iter().chain(&patterns) {
            matcher.add(&TargetSelector::All, pattern, &());
        }
        for pattern in &patterns {
            matcher.remove(&TargetSelector::All, pattern, |()| true);
        }
        assert!(matcher.roots.is_empty());
    }
}
