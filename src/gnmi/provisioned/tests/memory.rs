//! Entries in memory, whose pages are small, and which can be changed or cut off between two of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::audit::Event;
use crate::datastore::Notice;
use crate::datastore::port::Batch;
use crate::datastore::port::Change;
use crate::datastore::port::Changes;
use crate::datastore::port::CommitError;
use crate::datastore::port::Entries;
use crate::datastore::port::Following;
use crate::datastore::port::Id;
use crate::datastore::port::Mark;
use crate::datastore::port::Record;
use crate::datastore::port::StateChange;
use crate::datastore::port::Telling;
use crate::datastore::port::Unavailable;
use crate::model::TenantId;
use crate::model::Timestamp;

pub(super) const COLLECTION: &str = "Accedian-service-endpoint:service-endpoints";

type Hook = Box<dyn FnMut(&Memory) + Send>;

#[derive(Default)]
pub(super) struct Memory {
    state: Mutex<State>,
    /// Pages that were read.
    pub(super) pages: AtomicUsize,
    /// What happens after a page is read.
    pub(super) hook: Mutex<Option<Hook>>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Record>,
    /// The key of each change.
    log: Vec<String>,
    forgotten: usize,
    is_down: bool,
}

impl Memory {
    /// Makes an entry, or takes it away.
    pub(super) fn change(&self, key: &str, is_there: bool) {
        let mut state = self.state.lock();
        state.log.push(key.to_owned());
        let revision = state.log.len() as u64;
        let record = Record {
            key: key.to_owned(),
            body: format!(r#"{{"endpoint-id":"{key}"}}"#),
            state: None,
            mark: Mark {
                revision,
                modified: Timestamp::from_secs(1),
            },
        };
        if is_there {
            state.entries.insert(key.to_owned(), record);
        } else {
            state.entries.remove(key);
        }
    }

    /// Whoever is behind must read everything anew.
    pub(super) fn forget_changes(&self) {
        let mut state = self.state.lock();
        state.forgotten = state.log.len();
    }

    pub(super) fn set_down(&self, is_down: bool) {
        self.state.lock().is_down = is_down;
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.state.lock().entries.keys().cloned().collect()
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> Result<T, Unavailable> {
        let state = self.state.lock();
        if state.is_down {
            return Err(Unavailable);
        }
        Ok(read(&state))
    }
}

#[async_trait]
impl Entries for Memory {
    async fn entry(&self, _: &TenantId, id: &Id) -> Result<Option<Record>, Unavailable> {
        self.read(|state| state.entries.get(&id.key).cloned())
    }

    async fn some(
        &self,
        _: &TenantId,
        _: &str,
        keys: &[String],
    ) -> Result<Vec<Record>, Unavailable> {
        self.read(|state| {
            keys.iter()
                .filter_map(|key| state.entries.get(key).cloned())
                .collect()
        })
    }

    async fn entries(
        &self,
        _: &TenantId,
        collection: &str,
        after: Option<&str>,
        _: u32,
    ) -> Result<Vec<Record>, Unavailable> {
        if collection != COLLECTION {
            return self.read(|_| Vec::new());
        }
        let page = self.read(|state| {
            let entries = state.entries.values();
            let entries = entries.filter(|it| after.is_none_or(|after| it.key.as_str() > after));
            entries.take(PAGE).cloned().collect()
        });
        self.pages.fetch_add(1, Ordering::SeqCst);
        let hook = self.hook.lock().take();
        if let Some(mut hook) = hook {
            hook(self);
            *self.hook.lock() = Some(hook);
        }
        page
    }

    async fn mark(&self, _: &TenantId, _: Option<&str>) -> Result<Mark, Unavailable> {
        self.read(|_| Mark::default())
    }

    async fn referrers(&self, _: &TenantId, _: &Id) -> Result<Vec<Id>, Unavailable> {
        Ok(Vec::new())
    }

    async fn commit(
        &self,
        _: &TenantId,
        _: Timestamp,
        _: &Batch,
        _: &Event,
    ) -> Result<Mark, CommitError> {
        Err(Unavailable.into())
    }

    async fn set_state(
        &self,
        _: &TenantId,
        _: &Id,
        _: &StateChange,
        _: &Event,
    ) -> Result<bool, Unavailable> {
        Err(Unavailable)
    }
}

#[async_trait]
impl Following for Memory {
    async fn newest_change(&self, _: &TenantId) -> Result<u64, Unavailable> {
        self.read(|state| state.log.len() as u64)
    }

    async fn changes(&self, _: &TenantId, after: u64) -> Result<Changes, Unavailable> {
        let after = usize::try_from(after).unwrap();
        self.read(|state| {
            let mut keys: Vec<_> = state.log[after..].to_vec();
            keys.sort();
            keys.dedup();
            let change = |key: String| Change {
                record: state.entries.get(&key).cloned(),
                at: Timestamp::from_secs(2),
                id: Id {
                    collection: COLLECTION.to_owned(),
                    key,
                },
            };
            Changes {
                is_whole: after >= state.forgotten,
                newest: state.log.len() as u64,
                entries: keys.into_iter().map(change).collect(),
            }
        })
    }
}

#[async_trait]
impl Telling for Memory {
    async fn tell(&self, _: &TenantId, _: &Notice, _: u32) -> Result<(), Unavailable> {
        Err(Unavailable)
    }

    async fn told(&self, _: &TenantId, _: u64, _: u32) -> Result<Vec<Notice>, Unavailable> {
        Err(Unavailable)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

/// So small that there are several.
const PAGE: usize = 3;
