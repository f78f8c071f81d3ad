//! Notifications, as every implementation of the datastore's port must keep them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::sample::NOW;
use super::sample::Store;
use super::sample::with_tenants;
use crate::audit::Actor;
use crate::audit::Event;
use crate::audit::Kind;
use crate::clock::Clock;
use crate::datastore::Notice;
use crate::datastore::Notices;
use crate::datastore::port::Batch;
use crate::datastore::port::Content;
use crate::datastore::port::Id;
use crate::datastore::port::StateChange;
use crate::datastore::port::Write;
use crate::model::TenantId;

/// What is kept of a tenant.
const KEPT: usize = 1_000;

pub(super) async fn conform<S: Store, F: Future<Output = Arc<S>>>(empty: &impl Fn() -> F) {
    let store = empty().await;
    with_tenants(&*store).await;
    replay_begins_at_its_time_on_every_node(store).await;
    let store = empty().await;
    with_tenants(&*store).await;
    log_is_bounded_and_says_what_it_has_lost(store).await;
    let store = empty().await;
    with_tenants(&*store).await;
    state_and_what_is_told_of_it_are_one(store).await;
}

fn pca() -> TenantId {
    TenantId::new("pca")
}

async fn replay_begins_at_its_time_on_every_node<S: Store>(store: Arc<S>) {
    let clock = Clock::fixed(NOW);
    let one = Notices::new(Arc::clone(&store) as _, clock.clone());
    let two = Notices::new(Arc::clone(&store) as _, clock.clone());
    let start = |secs| NOW.saturating_add(Duration::from_secs(secs));
    for secs in [10_u64, 20, 30] {
        clock.set(start(secs));
        // One after the other.
        let node = if secs == 20 { &two } else { &one };
        let about = (Some("g".to_owned()), json!(secs));
        node.tell(&pca(), "m:n", about).await.unwrap();
    }
    two.refresh(&pca()).await.unwrap();
    for node in [&one, &two] {
        for (secs, expected) in [(0, 3), (10, 3), (11, 2), (30, 1), (31, 0)] {
            let after = node.before(&pca(), start(secs));
            let found = node.after(&pca(), after).notices;
            assert_eq!(found.len(), expected, "{secs}");
        }
        let first = &node.after(&pca(), 0).notices[0];
        assert_eq!((first.kind.as_str(), first.at), ("m:n", start(10)));
        assert_eq!(
            (&first.group, &first.content),
            (&Some("g".to_owned()), &json!(10))
        );
        assert_eq!(node.began(&pca()), NOW);
    }
    let later = Notices::new(store, clock);
    later.refresh(&pca()).await.unwrap();
    assert_eq!(
        later.began(&pca()),
        start(10),
        "what is kept is older than the node"
    );
    let other = TenantId::new("other");
    later.refresh(&other).await.unwrap();
    assert!(later.after(&other, 0).notices.is_empty());
}

async fn state_and_what_is_told_of_it_are_one<S: Store>(store: Arc<S>) {
    let id = Id {
        collection: "m:list".to_owned(),
        key: "a".to_owned(),
    };
    let event = Event::new(NOW, Kind::ConfigChanged, Actor::Operator);
    let notice = |id| Notice {
        id,
        at: NOW,
        kind: "m:n".to_owned(),
        group: None,
        content: json!(id),
    };
    let change = StateChange {
        state: "1".to_owned(),
        notices: vec![notice(1), notice(2)],
        keep: 10,
    };
    let set = async || store.set_state(&pca(), &id, &change, &event).await.unwrap();
    let told = async || store.told(&pca(), 0, 10).await.unwrap().len();
    let events = async || store.links(0, 1_000).await.unwrap().len();
    let before = events().await;
    assert!(!set().await, "there is no such entry");
    assert_eq!((told().await, events().await), (0, before));

    let content = Content {
        body: "{}".to_owned(),
        initial_state: None,
        references: Vec::new(),
        uniques: Vec::new(),
    };
    let batch = Batch {
        writes: vec![Write {
            id: id.clone(),
            content: Some(content),
        }],
        ..Batch::default()
    };
    store.commit(&pca(), NOW, &batch, &event).await.unwrap();
    assert!(set().await);
    let entry = store.entry(&pca(), &id).await.unwrap().unwrap();
    assert_eq!(entry.state.as_deref(), Some("1"));
    assert_eq!((told().await, events().await), (2, before + 2));
    assert!(set().await, "it is there");
    assert_eq!(
        (told().await, events().await),
        (2, before + 2),
        "and in that state"
    );

    // What cannot be told was not done.
    let unfit = StateChange {
        state: "2".to_owned(),
        notices: vec![notice(u64::MAX >> 1), notice(3)],
        keep: 10,
    };
    let outcome = store.set_state(&pca(), &id, &unfit, &event).await;
    assert!(outcome.is_err(), "there is no number after the last");
    let entry = store.entry(&pca(), &id).await.unwrap().unwrap();
    assert_eq!(entry.state.as_deref(), Some("1"));
    assert_eq!((told().await, events().await), (2, before + 2));
}

async fn log_is_bounded_and_says_what_it_has_lost<S: Store>(store: Arc<S>) {
    let notices = Notices::new(Arc::clone(&store) as _, Clock::fixed(NOW));
    let mut newest = notices.watch(&pca());
    for number in 0..=KEPT {
        notices
            .tell(&pca(), "m:n", (None, json!(number)))
            .await
            .unwrap();
    }
    assert!(newest.has_changed().unwrap());
    let last = *newest.borrow_and_update();
    let late = Notices::new(store, Clock::fixed(NOW));
    late.refresh(&pca()).await.unwrap();
    for node in [&notices, &late] {
        let first = node.after(&pca(), 0);
        assert!(first.has_gap);
        assert_eq!(
            (first.notices.len(), &first.notices[0].content),
            (Notices::BATCH, &json!(1))
        );
        let rest = node.after(&pca(), last - 1);
        assert_eq!((rest.notices.len(), rest.has_gap), (1, false));
        assert!(node.after(&TenantId::new("other"), 0).notices.is_empty());
    }
}
