//! The copy of the datastore, with a store that changes and fails at chosen moments.

mod memory;

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use super::access::Need;
use super::mirror::LONGEST_WAIT;
use super::mirror::Mirror;
use super::mirror::MirrorError;
use super::mirror::SHORTEST_WAIT;
use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::datastore::port::Unavailable;
use crate::model::Glob;
use crate::model::Origin;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::TargetSelector;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::schema::Schema;
use crate::schema::Source;
use crate::telemetry;
use crate::telemetry::Core;
use crate::wire::RFC7951;

use memory::Memory;

static SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| Arc::new(Schema::load(Source::Embedded).unwrap()));

struct Lab {
    memory: Arc<Memory>,
    core: Core,
    clock: Clock,
    mirror: Mirror,
}

impl Lab {
    /// With entries `a0`, `a1` and so on.
    fn new(entries: usize, max_leaves: usize) -> Self {
        let memory = Arc::new(Memory::default());
        for number in 0..entries {
            memory.change(&format!("a{number}"), true);
        }
        let store: Arc<Memory> = Arc::clone(&memory);
        let clock = Clock::fixed(Timestamp::from_secs(3));
        let core = Core::new(telemetry::Config {
            max_leaves,
            queue_entries: telemetry::Config::QUEUE_ENTRIES,
            queue_bytes: telemetry::Config::QUEUE_BYTES,
            stall_timeout: telemetry::Config::STALL_TIMEOUT,
        });
        let datastore = Datastore::new(Arc::clone(&SCHEMA), store, clock.clone());
        Self {
            mirror: Mirror::new(datastore, core.clone(), clock.clone()),
            clock,
            memory,
            core,
        }
    }

    async fn refresh(&self) -> Result<(), MirrorError> {
        self.mirror.refresh(&pca(), Need::Named).await
    }

    /// Pages that were read since this was asked last.
    fn pages(&self) -> usize {
        self.memory.pages.swap(0, Ordering::SeqCst)
    }
}

fn pca() -> TenantId {
    TenantId::new("pca")
}

/// The keys of the entries in the tree.
fn in_tree(core: &Core) -> Vec<String> {
    let everything = Pattern {
        origin: Some(Origin::new(RFC7951)),
        elems: vec![Glob::AnyDepth],
    };
    let own = TargetSelector::One(Target::own());
    let nodes = core.nodes(&pca(), &own, &everything, None);
    let paths = nodes.iter().flat_map(|node| &node.readings);
    let ends = paths.filter_map(|it| {
        it.path
            .to_string()
            .strip_suffix("/endpoint-id")
            .map(str::to_owned)
    });
    let mut keys: Vec<String> = ends
        .filter_map(|path| {
            Some(
                path.split_once("[endpoint-id=")?
                    .1
                    .strip_suffix(']')?
                    .to_owned(),
            )
        })
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

#[tokio::test]
async fn copying_and_following_lose_nothing() {
    let lab = Lab::new(10, 1_000);
    let mut round = 0;
    *lab.memory.hook.lock() = Some(Box::new(move |memory| {
        // Before what was read, of what was read, and after it.
        if round < 3 {
            memory.change(&format!("A{round}"), true);
            memory.change(&format!("a{round}"), false);
            memory.change(&format!("z{round}"), true);
        }
        round += 1;
    }));
    lab.refresh().await.unwrap();
    let expected = [
        "A0", "A1", "A2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "z0", "z1", "z2",
    ];
    assert_eq!(lab.memory.keys(), expected);
    assert_eq!(in_tree(&lab.core), expected);
}

/// All entries are replaced by others, and nobody can tell by which changes.
fn replace_all(lab: &Lab) -> Vec<String> {
    let old = lab.memory.keys();
    for key in &old {
        lab.memory.change(key, false);
        lab.memory.change(&key.replace('a', "b"), true);
    }
    lab.memory.forget_changes();
    old
}

#[tokio::test]
async fn reload_is_seen_as_a_whole() {
    let lab = Lab::new(10, 1_000);
    lab.refresh().await.unwrap();
    let old = replace_all(&lab);
    let core = lab.core.clone();
    let mut round = 0;
    *lab.memory.hook.lock() = Some(Box::new(move |memory| {
        assert_eq!(in_tree(&core), old);
        if round == 1 {
            // One that was read already becomes another.
            memory.change("b0", false);
            memory.change("c", true);
        }
        round += 1;
    }));
    lab.refresh().await.unwrap();
    let new = lab.memory.keys();
    assert_eq!((new.len(), new[0].as_str()), (10, "b1"));
    assert_eq!(in_tree(&lab.core), new);
    assert!(lab.pages() > 6, "it was read twice");
}

#[tokio::test]
async fn failed_reload_leaves_the_old_and_is_tried_again() {
    let lab = Lab::new(10, 1_000);
    lab.refresh().await.unwrap();
    let old = replace_all(&lab);
    *lab.memory.hook.lock() = Some(Box::new(|memory| memory.set_down(true)));
    assert_eq!(lab.refresh().await, Err(Unavailable.into()));
    assert_eq!(in_tree(&lab.core), old);
    *lab.memory.hook.lock() = None;
    assert_eq!(lab.refresh().await, Err(Unavailable.into()));
    assert_eq!(in_tree(&lab.core), old);
    lab.memory.set_down(false);
    lab.refresh().await.unwrap();
    assert_eq!(in_tree(&lab.core), lab.memory.keys());
}

#[tokio::test]
async fn copy_that_does_not_fit_is_not_read_over_and_over() {
    let lab = Lab::new(6, 4);
    let full = Err(MirrorError::Core(telemetry::Error::Full(4)));
    let mut wait = SHORTEST_WAIT;
    while wait < LONGEST_WAIT {
        assert_eq!(lab.refresh().await, full);
        assert!(lab.pages() > 0, "{wait:?}");
        lab.clock.advance(wait.saturating_sub(TICK));
        assert_eq!(lab.refresh().await, full);
        assert_eq!(lab.pages(), 0, "{wait:?}");
        lab.clock.advance(TICK);
        wait *= 2;
    }
    assert_eq!(lab.refresh().await, full);
    lab.clock.advance(LONGEST_WAIT);
    assert_eq!(lab.refresh().await, full);
    assert!(lab.pages() > 0);
    // After a change it is tried at once, and after that the wait is short again.
    lab.memory.change("a0", false);
    assert_eq!(lab.refresh().await, full);
    assert!(lab.pages() > 0);
    lab.clock.advance(SHORTEST_WAIT);
    assert_eq!(lab.refresh().await, full);
    assert!(lab.pages() > 0);
    for number in 1..6 {
        lab.memory.change(&format!("a{number}"), false);
    }
    lab.memory.change("b", true);
    lab.refresh().await.unwrap();
    assert_eq!(in_tree(&lab.core), ["b"]);
}

const TICK: std::time::Duration = std::time::Duration::from_millis(1);
