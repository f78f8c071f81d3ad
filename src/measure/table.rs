//! A map that forgets: bounded in entries, so that forged source addresses cannot fill the memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::model::Timestamp;

/// At most `capacity` entries. When it is full, those that rested for [`REST`] make room; if there are none, newcomers
/// are refused, so that a flood of forged addresses disturbs no session that runs.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    entries: HashMap<K, Entry<V>>,
    capacity: usize,
    swept: Timestamp,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    used: Timestamp,
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            capacity,
            swept: Timestamp::EPOCH,
        }
    }

    /// The entry of `key`, made where there is none; `None` when the table is full.
    pub(super) fn entry(
        &mut self,
        key: K,
        now: Timestamp,
        new: impl FnOnce() -> V,
    ) -> Option<&mut V> {
        if !self.entries.contains_key(&key) && !self.has_room(now) {
            return None;
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            value: new(),
            used: now,
        });
        entry.used = now;
        Some(&mut entry.value)
    }

    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.entries.len() >= self.capacity && now.since(self.swept) >= SWEEP_PAUSE {
            self.swept = now;
            self.entries.retain(|_, entry| now.since(entry.used) < REST);
        }
        self.entries.len() < self.capacity
    }
}

/// As long as the longest packet interval of a session: one that runs is not forgotten.
pub(super) const REST: Duration = Duration::from_secs(61);
/// A sweep looks at every entry, so a full table is swept only so often.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_table_refuses_newcomers_until_an_entry_has_rested() {
        let start = Timestamp::from_secs(1_000);
        let mut table = Table::new(2);
        *table.entry("a", start, || 0).unwrap() += 1;
        table.entry("b", start, || 0).unwrap();
        assert_eq!(table.entry("c", start, || 0), None);
        let later = start
            .saturating_add(REST)
            .saturating_sub(Duration::from_secs(1));
        assert_eq!(table.entry("a", later, || 0), Some(&mut 1));
        let rested = start.saturating_add(REST);
        assert_eq!(table.entry("c", rested, || 7), Some(&mut 7));
        assert_eq!(table.entry("a", rested, || 0), Some(&mut 1));
        assert_eq!(table.entry("b", rested, || 0), None);
    }
}
