//! A bounded map from digests, fast to read and cheap to keep bounded.

use std::fmt;
use std::hash::BuildHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;
use dashmap::DashMap;
use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;

/// A key that is the output of a keyed hash. Nobody can choose its bytes, so they serve as their own hash.
#[derive(Clone, Copy)]
pub(crate) struct CacheKey([u8; 32]);

/// Two generations of entries. When the young one is full it becomes the old one, and the old one goes. What is
/// found in the old one moves to the young one, so what is in use stays.
///
/// Holds between a half and all of its capacity.
pub(crate) struct Cache<V> {
    half: usize,
    pair: ArcSwap<Pair<V>>,
    turning: Mutex<()>,
}

struct Pair<V> {
    young: Arc<Generation<V>>,
    old: Arc<Generation<V>>,
}

struct Generation<V> {
    entries: DashMap<CacheKey, V, OwnBytes>,
    len: AtomicUsize,
}

impl<V: Clone> Cache<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        let pair = Pair {
            young: Generation::empty(),
            old: Generation::empty(),
        };
        Self {
            half: capacity.div_ceil(2).max(1),
            pair: ArcSwap::from_pointee(pair),
            turning: Mutex::new(()),
        }
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<V> {
        let pair = self.pair.load();
        if let Some(found) = pair.young.entries.get(key) {
            return Some(V::clone(&found));
        }
        let found = V::clone(&*pair.old.entries.get(key)?);
        self.insert(*key, found.clone());
        Some(found)
    }

    pub(crate) fn insert(&self, key: CacheKey, value: V) {
        let pair = self.pair.load();
        let young = &pair.young;
        if young.entries.insert(key, value).is_none()
            && young.len.fetch_add(1, Ordering::Relaxed) + 1 >= self.half
        {
            self.turn(young);
        }
    }

    pub(crate) fn remove(&self, key: &CacheKey) {
        let pair = self.pair.load();
        pair.young.entries.remove(key);
        pair.old.entries.remove(key);
    }

    /// Lets the old generation go. Called from time to time, it frees what nobody has asked for between two calls.
    pub(crate) fn age(&self) {
        let young = Arc::clone(&self.pair.load().young);
        self.turn(&young);
    }

    pub(crate) fn len(&self) -> usize {
        let pair = self.pair.load();
        pair.young.entries.len() + pair.old.entries.len()
    }

    /// Makes `full` the old generation, unless somebody else has.
    fn turn(&self, full: &Arc<Generation<V>>) {
        let _turning = self.turning.lock();
        if Arc::ptr_eq(&self.pair.load().young, full) {
            let pair = Pair {
                young: Generation::empty(),
                old: Arc::clone(full),
            };
            self.pair.store(Arc::new(pair));
        }
    }
}

impl<V> Generation<V> {
    fn empty() -> Arc<Self> {
        Arc::new(Self {
            entries: DashMap::with_hasher(OwnBytes),
            len: AtomicUsize::new(0),
        })
    }
}

impl<V> fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

impl CacheKey {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its first bytes, as a name for what it stands for.
    pub(crate) fn head(&self) -> [u8; 8] {
        self.0.first_chunk().copied().unwrap_or_default()
    }

    /// A number below `ways`, spread evenly, from other bytes than the hash.
    pub(crate) fn spread(&self, ways: usize) -> usize {
        let [.., last] = self.0;
        usize::from(last) % ways.max(1)
    }
}

/// In constant time (iam T5).
impl PartialEq for CacheKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for CacheKey {}

impl Hash for CacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_le_bytes(self.head()));
    }
}

/// Hands the key's first bytes through.
#[derive(Clone, Copy, Debug, Default)]
struct OwnBytes;

struct HandedThrough(u64);

impl BuildHasher for OwnBytes {
    type Hasher = HandedThrough;

    fn build_hasher(&self) -> HandedThrough {
        HandedThrough(0)
    }
}

impl Hasher for HandedThrough {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> CacheKey {
        use sha2::Digest as _;
        CacheKey::new(sha2::Sha256::digest(number.to_le_bytes()).into())
    }

    #[test]
    fn cache_keeps_what_is_used_and_its_bound() {
        let cache = Cache::new(100);
        cache.insert(key(0), 0);
        for number in 1..10_000 {
            cache.insert(key(number), number);
            assert_eq!(cache.get(&key(0)), Some(0));
            assert!(cache.len() <= 100, "{}", cache.len());
        }
        assert_eq!(cache.get(&key(1)), None);
        assert_eq!(cache.get(&key(9_999)), Some(9_999));
    }

    #[test]
    fn cache_forgets_what_is_not_used_between_two_agings() {
        let cache = Cache::new(100);
        cache.insert(key(0), 0);
        cache.age();
        assert_eq!(cache.get(&key(0)), Some(0));
        cache.age();
        cache.age();
        assert_eq!(cache.get(&key(0)), None);
    }
}
