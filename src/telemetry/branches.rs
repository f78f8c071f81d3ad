//! The branches of a trie's node.

use std::hash::Hash;

use hashbrown::Equivalent;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// A map that is mostly tiny: most nodes of a trie have one branch, which lies within the node, is compared without
/// being hashed, and costs one access to memory instead of three.
#[derive(Debug)]
pub(super) enum Branches<K, V> {
    /// At most [`FEW`].
    Few(SmallVec<[(K, V); 1]>),
    /// Any number.
    Many(HashMap<K, V, foldhash::fast::RandomState>),
}

impl<K: Eq + Hash, V> Branches<K, V> {
    /// What is at `key`.
    pub(super) fn get<Q: Equivalent<K> + Hash + ?Sized>(&self, key: &Q) -> Option<&V> {
        match self {
            Self::Few(few) => {
                let found = few.iter().find(|(known, _)| key.equivalent(known));
                found.map(|(_, value)| value)
            }
            Self::Many(many) => many.get(key),
        }
    }

    /// What is at `key`, to be changed.
    pub(super) fn get_mut<Q: Equivalent<K> + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V> {
        match self {
            Self::Few(few) => {
                let found = few.iter_mut().find(|(known, _)| key.equivalent(known));
                found.map(|(_, value)| value)
            }
            Self::Many(many) => many.get_mut(key),
        }
    }

    /// What is at `key`; a new value when nothing is.
    pub(super) fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if let Self::Few(few) = self
            && few.len() >= FEW
            && few.iter().all(|(known, _)| *known != key)
        {
            *self = Self::Many(few.drain(..).collect());
        }
        match self {
            Self::Few(few) => {
                let known = few.iter().position(|(known, _)| *known == key);
                let at = known.unwrap_or_else(|| {
                    few.push((key, V::default()));
                    few.len() - 1
                });
                #[expect(
                    clippy::indexing_slicing,
                    reason = "just found or pushed at this place"
                )]
                &mut few[at].1
            }
            Self::Many(many) => many.entry(key).or_default(),
        }
    }

    /// Removes what is at `key`.
    pub(super) fn remove<Q: Equivalent<K> + Hash + ?Sized>(&mut self, key: &Q) {
        match self {
            Self::Few(few) => few.retain(|(known, _)| !key.equivalent(known)),
            Self::Many(many) => drop(many.remove(key)),
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }
}

impl<K, V> Default for Branches<K, V> {
    fn default() -> Self {
        Self::Few(SmallVec::new())
    }
}

/// So many keys are compared in about the time that one takes to be hashed.
const FEW: usize = 4;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn branches_are_a_map(steps in proptest::collection::vec((any::<bool>(), 0_u8..12), 0..80)) {
            let (mut branches, mut model) = (Branches::<u8, u32>::default(), BTreeMap::new());
            for (adds, key) in steps {
                if adds {
                    *branches.get_or_default(key) += 1;
                    *model.entry(key).or_default() += 1;
                } else {
                    branches.remove(&key);
                    model.remove(&key);
                }
                for key in 0..12 {
                    prop_assert_eq!(branches.get(&key), model.get(&key));
                    prop_assert_eq!(branches.get_mut(&key).copied(), model.get(&key).copied());
                }
                prop_assert_eq!(branches.is_empty(), model.is_empty());
            }
        }
    }
}
