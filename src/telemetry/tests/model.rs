//! What the core is to do, said naively: leaves in a map, groups as a set of prefixes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::strategies::covers;
use super::strategies::is_selected;
use crate::model::Edit;
use crate::model::Notification;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::Update;
use crate::model::Value;

/// One tenant's leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) targets: BTreeMap<Target, Naive>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Naive {
    pub(super) leaves: BTreeMap<Path, Value>,
    groups: BTreeSet<Path>,
}

/// The write is refused.
#[derive(Debug)]
pub(super) struct Refused;

impl Model {
    pub(super) fn leaves(&self) -> usize {
        let targets = self.targets.values();
        targets.map(|naive| naive.leaves.len()).sum()
    }

    /// Carries out all of a write, or nothing.
    pub(super) fn write(
        &mut self,
        target: &Target,
        max_leaves: usize,
        steps: impl FnOnce(&mut Naive, usize) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut naive = self.targets.get(target).cloned().unwrap_or_default();
        let others = self.leaves() - naive.leaves.len();
        steps(&mut naive, max_leaves - others)?;
        self.targets.insert(target.clone(), naive);
        Ok(())
    }

    /// What plain patterns cover.
    pub(super) fn view(
        &self,
        selector: &TargetSelector,
        patterns: &[Pattern],
        depth: Option<u32>,
    ) -> BTreeMap<(Target, Path), Value> {
        let selected = self.targets.iter();
        let selected = selected.filter(|(target, _)| is_selected(selector, target));
        let leaves = selected.flat_map(|(target, naive)| {
            let leaves = naive.leaves.iter();
            leaves.map(|(path, value)| ((target.clone(), path.clone()), value.clone()))
        });
        let is_covered = |path: &Path| patterns.iter().any(|it| covers(it, depth, path));
        leaves.filter(|((_, path), _)| is_covered(path)).collect()
    }
}

impl Naive {
    pub(super) fn publish(&mut self, it: &Notification, max: usize) -> Result<(), Refused> {
        for pattern in &it.deletes {
            self.delete(pattern);
        }
        match &it.atomic {
            Some(prefix) => self.put_group(prefix, &it.updates, max),
            None => self.put_all(&it.updates, max),
        }
    }

    pub(super) fn edit(&mut self, edit: &Edit, max: usize) -> Result<(), Refused> {
        match edit {
            Edit::Delete(pattern) => self.delete(pattern),
            Edit::Replace(path, updates) => {
                self.keep_only(path, updates);
                self.put_all(updates, max)?;
            }
            Edit::Update(updates) => self.put_all(updates, max)?,
        }
        Ok(())
    }

    fn delete(&mut self, pattern: &Pattern) {
        let covered = self
            .leaves
            .keys()
            .filter(|path| covers(pattern, None, path));
        self.remove(covered.cloned().collect());
    }

    /// One leaf of a group takes the group with it.
    fn remove(&mut self, gone: Vec<Path>) {
        for path in gone {
            let of_path: Vec<_> = self.groups_above(&path);
            self.leaves.remove(&path);
            for group in of_path {
                self.leaves.retain(|leaf, _| !leaf.is_under(&group));
                self.groups.remove(&group);
            }
        }
    }

    fn keep_only(&mut self, path: &Path, updates: &[Update]) {
        let below = self.leaves.keys().filter(|leaf| leaf.is_under(path));
        let gone = below.filter(|leaf| updates.iter().all(|update| update.path != **leaf));
        self.remove(gone.cloned().collect());
    }

    fn put_all(&mut self, updates: &[Update], max: usize) -> Result<(), Refused> {
        updates.iter().try_for_each(|update| {
            for group in self.groups_above(&update.path) {
                self.groups.remove(&group);
            }
            self.put(update, max)
        })
    }

    fn put(&mut self, update: &Update, max: usize) -> Result<(), Refused> {
        let path = &update.path;
        if !self.leaves.contains_key(path) {
            let mut known = self.leaves.keys();
            let is_misfit = known.any(|known| known.is_under(path) || path.is_under(known));
            if self.leaves.len() >= max || is_misfit {
                return Err(Refused);
            }
        }
        self.leaves.insert(path.clone(), update.value.clone());
        Ok(())
    }

    fn put_group(&mut self, prefix: &Path, updates: &[Update], max: usize) -> Result<(), Refused> {
        for group in self.groups_above(prefix) {
            self.groups.remove(&group);
            if group != *prefix {
                self.leaves.retain(|leaf, _| !leaf.is_under(&group));
            }
        }
        self.groups.retain(|group| !group.is_under(prefix));
        self.keep_only(prefix, updates);
        updates
            .iter()
            .try_for_each(|update| self.put(update, max))?;
        if !updates.is_empty() {
            self.groups.insert(prefix.clone());
        }
        Ok(())
    }

    fn groups_above(&self, path: &Path) -> Vec<Path> {
        let above = self.groups.iter().filter(|group| path.is_under(group));
        above.cloned().collect()
    }
}
