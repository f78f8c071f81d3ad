//! What every implementation of the datastore's port must do.

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use super::sample::NOW;
use super::sample::Store;
use super::sample::with_tenants;
use crate::audit::Actor;
use crate::audit::Event;
use crate::audit::Kind;
use crate::clock::Clock;
use crate::datastore::Datastore;
use crate::datastore::DeleteService;
use crate::datastore::Edit;
use crate::datastore::EditError;
use crate::datastore::Op;
use crate::datastore::Precondition;
use crate::datastore::Status;
use crate::datastore::port::Entries;
use crate::datastore::port::Mark;
use crate::model::TenantId;
use crate::schema::Schema;
use crate::schema::Source;
use crate::schema::Step;
use crate::schema::Tag;

pub(super) async fn conform<S: Store, F: Future<Output = Arc<S>>>(empty: &impl Fn() -> F) {
    let schema = Arc::new(Schema::load(Source::Embedded).unwrap());
    let lab = async || {
        let store = empty().await;
        with_tenants(&*store).await;
        Lab(Datastore::new(
            Arc::clone(&schema),
            store,
            Clock::fixed(NOW),
        ))
    };
    entries_are_a_tenants_own(lab().await).await;
    references_hold_both_ways(lab().await).await;
    names_are_unique_and_can_be_swapped(lab().await).await;
    batch_is_made_whole_or_not_at_all(lab().await).await;
    one_of_many_writers_with_the_same_belief_wins(lab().await).await;
    service_goes_with_what_is_its_alone(lab().await).await;
    pages_come_in_the_order_of_keys(lab().await).await;
    changes_are_told_once_each_and_never_in_part(lab().await).await;
    changes_that_are_forgotten_are_missed(lab().await).await;
    let store = empty().await;
    with_tenants(&*store).await;
    let lab = Lab(Datastore::new(
        schema,
        Arc::clone(&store) as _,
        Clock::fixed(NOW),
    ));
    entries_are_found_by_their_keys(lab, &*store).await;
}

/// Over the network there are some more.
const RACES: u32 = 1_000;

struct Lab(Datastore);

fn pca() -> TenantId {
    TenantId::new("pca")
}

fn event() -> Event {
    Event::new(NOW, Kind::ConfigChanged, Actor::Operator)
}

fn tag(error: EditError) -> Tag {
    match error {
        EditError::Fault { fault, .. } => fault.tag,
        other => panic!("{other:?}"),
    }
}

impl Lab {
    fn steps(&self, container: &str, key: Option<&str>) -> Vec<Step> {
        let schema = self.0.schema();
        let container = schema.find(None, container).unwrap();
        let list = schema.node(container).children[0];
        let step = |node, keys| Step { node, keys };
        let mut steps = vec![step(container, Vec::new())];
        steps.extend(key.map(|key| step(list, vec![key.to_owned()])));
        steps
    }

    fn edit(&self, container: &str, key: &str, op: Op) -> Edit {
        let target = self.steps(container, Some(key));
        Edit { target, op }
    }

    async fn make(&self, edits: &[Edit]) -> Result<Option<Mark>, EditError> {
        let outcome = self.0.edit(&pca(), edits, None, &event()).await;
        outcome.map(|outcome| outcome.mark)
    }

    fn endpoint(&self, id: &str, name: Option<&str>) -> Edit {
        let mut entry = json!({ "endpoint-id": id });
        if let Some(name) = name {
            entry["endpoint-name"] = json!(name);
        }
        self.edit(ENDPOINTS, id, Op::Replace(entry, None))
    }

    fn session(&self, id: &str, endpoint: &str) -> Edit {
        let entry = json!({
            "session-id": id,
            "session-type": "Accedian-session-type:echo",
            "service-endpoints": [{ "endpoint-id": endpoint }],
        });
        self.edit(SESSIONS, id, Op::Replace(entry, None))
    }

    fn service(&self, id: &str, sessions: &[&str]) -> Edit {
        let sessions: Vec<Value> = sessions
            .iter()
            .map(|id| json!({ "session-id": id }))
            .collect();
        let entry = json!({ "service-id": id, "sessions": sessions });
        self.edit(SERVICES, id, Op::Replace(entry, None))
    }

    async fn body(&self, container: &str, key: &str) -> Option<Value> {
        self.body_of(&pca(), container, key).await
    }

    async fn body_of(&self, tenant: &TenantId, container: &str, key: &str) -> Option<Value> {
        let steps = self.steps(container, Some(key));
        let collection = self.0.schema().collection_named(container).unwrap();
        let record = self.0.entry(tenant, collection, &steps[1]).await.unwrap()?;
        Some(serde_json::from_str(&record.body).unwrap())
    }
}

async fn entries_are_a_tenants_own(lab: Lab) {
    let mark = lab.make(&[lab.endpoint("a", None)]).await.unwrap().unwrap();
    assert_eq!((mark.revision, mark.modified), (1, NOW));
    assert_eq!(
        lab.body(ENDPOINTS, "a").await,
        Some(json!({ "endpoint-id": "a" }))
    );
    let other = TenantId::new("other");
    assert_eq!(lab.body_of(&other, ENDPOINTS, "a").await, None);
    let unchanged = lab.make(&[lab.endpoint("a", None)]).await.unwrap();
    assert_eq!(unchanged, None, "an edit that changes nothing");
}

async fn references_hold_both_ways(lab: Lab) {
    let dangling = lab.make(&[lab.session("s", "a")]).await.unwrap_err();
    assert_eq!(tag(dangling), Tag::DataMissing);
    // In one batch the order does not matter.
    lab.make(&[lab.session("s", "a"), lab.endpoint("a", None)])
        .await
        .unwrap();
    let used = lab
        .make(&[lab.edit(ENDPOINTS, "a", Op::Delete)])
        .await
        .unwrap_err();
    let EditError::Fault { fault, .. } = used else {
        panic!("{used:?}");
    };
    let by = "/Accedian-session:sessions/session[session-id='s']\
              /service-endpoints[endpoint-id='a']/endpoint-id";
    assert_eq!((fault.tag, fault.path.as_deref()), (Tag::InUse, Some(by)));
    let both = [
        lab.edit(ENDPOINTS, "a", Op::Delete),
        lab.edit(SESSIONS, "s", Op::Delete),
    ];
    lab.make(&both).await.unwrap();
    assert_eq!(lab.body(ENDPOINTS, "a").await, None);
}

async fn names_are_unique_and_can_be_swapped(lab: Lab) {
    lab.make(&[lab.endpoint("a", Some("x")), lab.endpoint("b", Some("y"))])
        .await
        .unwrap();
    let taken = lab.make(&[lab.endpoint("c", Some("x"))]).await.unwrap_err();
    assert_eq!(tag(taken), Tag::OperationFailed);
    lab.make(&[lab.endpoint("a", Some("y")), lab.endpoint("b", Some("x"))])
        .await
        .unwrap();
    lab.make(&[lab.edit(ENDPOINTS, "b", Op::Delete)])
        .await
        .unwrap();
    lab.make(&[lab.endpoint("c", Some("x"))]).await.unwrap();
}

async fn batch_is_made_whole_or_not_at_all(lab: Lab) {
    let edits = [lab.endpoint("a", None), lab.session("s", "nobody")];
    lab.make(&edits).await.unwrap_err();
    assert_eq!(lab.body(ENDPOINTS, "a").await, None);
    let edits = [
        lab.endpoint("a", None),
        lab.edit(ENDPOINTS, "b", Op::Delete),
    ];
    let missing = lab.make(&edits).await.unwrap_err();
    assert!(
        matches!(missing, EditError::Fault { edit: Some(1), .. }),
        "{missing:?}"
    );
    assert_eq!(lab.body(ENDPOINTS, "a").await, None);
}

async fn one_of_many_writers_with_the_same_belief_wins(lab: Lab) {
    let mut mark = lab.make(&[lab.endpoint("a", None)]).await.unwrap();
    for round in 0..RACES {
        // Most races are between two, some between many.
        let writers = if round % 100 == 0 { 8 } else { 2 };
        mark = race(&lab, round, (writers, mark)).await;
    }
}

/// Lets writers who believe the same change one entry. One wins, and its mark holds.
async fn race(lab: &Lab, round: u32, (writers, first): (u32, Option<Mark>)) -> Option<Mark> {
    let writers = (0..writers).map(|number| {
        let (datastore, edit) = (
            lab.0.clone(),
            lab.endpoint("a", Some(&format!("n{round}-{number}"))),
        );
        let precondition = Precondition {
            target: edit.target.clone(),
            holds: Arc::new(move |mark| mark == first),
        };
        let edit = async move {
            let edits = [edit];
            datastore
                .edit(&pca(), &edits, Some(&precondition), &event())
                .await
        };
        tokio::spawn(edit)
    });
    let writers: Vec<_> = writers.collect();
    let mut won = Vec::new();
    for writer in writers {
        match writer.await.unwrap() {
            Ok(outcome) => won.push(outcome.mark),
            Err(error) => assert_eq!(error, EditError::Precondition),
        }
    }
    assert_eq!(won.len(), 1, "round {round}");
    won[0]
}

async fn service_goes_with_what_is_its_alone(lab: Lab) {
    let edits = [
        lab.endpoint("own", None),
        lab.endpoint("shared", None),
        lab.session("s1", "own"),
        lab.session("s2", "shared"),
        lab.session("s3", "shared"),
        lab.service("one", &["s1", "s2"]),
        lab.service("two", &["s3"]),
    ];
    lab.make(&edits).await.unwrap();
    let input = DeleteService {
        service: "one".to_owned(),
        with_endpoints: true,
    };
    lab.0
        .delete_service(&pca(), &input, &event())
        .await
        .unwrap();
    for (container, key, stays) in [
        (SERVICES, "one", false),
        (SERVICES, "two", true),
        (SESSIONS, "s1", false),
        (SESSIONS, "s2", false),
        (SESSIONS, "s3", true),
        (ENDPOINTS, "own", false),
        (ENDPOINTS, "shared", true),
    ] {
        assert_eq!(lab.body(container, key).await.is_some(), stays, "{key}");
    }
    let again = lab.0.delete_service(&pca(), &input, &event()).await;
    assert_eq!(tag(again.unwrap_err()), Tag::DataMissing);
}

async fn pages_come_in_the_order_of_keys(lab: Lab) {
    let edits: Vec<_> = (0..150)
        .map(|number| lab.endpoint(&format!("e{number:03}"), None))
        .collect();
    lab.make(&edits).await.unwrap();
    let collection = lab.0.schema().collection_named(ENDPOINTS).unwrap();
    let first = lab.0.page(&pca(), collection, None).await.unwrap();
    assert_eq!((first.len(), first[99].key.as_str()), (100, "e099"));
    let second = lab.0.page(&pca(), collection, Some("e099")).await.unwrap();
    assert_eq!((second.len(), second[0].key.as_str()), (50, "e100"));
    let all = lab.steps(ENDPOINTS, None);
    lab.make(&[Edit {
        target: all,
        op: Op::Delete,
    }])
    .await
    .unwrap();
    assert!(
        lab.0
            .page(&pca(), collection, None)
            .await
            .unwrap()
            .is_empty()
    );
}

/// More keys than one statement takes.
async fn entries_are_found_by_their_keys(lab: Lab, store: &impl Entries) {
    let edits = ["a", "b", "c"].map(|id| lab.endpoint(id, None));
    lab.make(&edits).await.unwrap();
    let missing = (0..1_200).map(|number| format!("x{number}"));
    let mut keys: Vec<String> = missing.collect();
    keys.insert(0, "c".to_owned());
    keys.insert(700, "a".to_owned());
    let found = store.some(&pca(), ENDPOINTS, &keys).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|it| it.key).collect();
    found.sort();
    assert_eq!(found, ["a", "c"]);
    let other = TenantId::new("other");
    assert_eq!(store.some(&other, ENDPOINTS, &keys).await, Ok(Vec::new()));
    assert_eq!(store.some(&pca(), SESSIONS, &keys).await, Ok(Vec::new()));
    assert_eq!(store.some(&pca(), ENDPOINTS, &[]).await, Ok(Vec::new()));
}

async fn changes_are_told_once_each_and_never_in_part(lab: Lab) {
    assert_eq!(lab.0.newest_change(&pca()).await, Ok(0));
    lab.make(&[lab.endpoint("a", None), lab.endpoint("b", None)])
        .await
        .unwrap();
    lab.make(&[lab.session("s", "a")]).await.unwrap();
    lab.make(&[lab.endpoint("a", Some("renamed"))])
        .await
        .unwrap();
    lab.make(&[lab.edit(ENDPOINTS, "b", Op::Delete)])
        .await
        .unwrap();
    let steps = lab.steps(SESSIONS, Some("s"));
    let sessions = lab.0.schema().collection_named(SESSIONS).unwrap();
    let (pca, event) = (pca(), event());
    let started = (Status::Running, &event);
    let started = lab.0.set_status(&pca, sessions, &steps[1], started);
    assert_eq!(started.await, Ok(true));

    assert_eq!(lab.0.newest_change(&pca).await, Ok(6));
    let changes = lab.0.changes(&pca, 0).await.unwrap();
    assert!(changes.is_whole);
    assert_eq!(changes.newest, 6);
    let seen = changes.entries.iter().map(|change| {
        assert_eq!(change.at, NOW);
        let body = change.record.as_ref().map(|record| record.body.as_str());
        let state = change
            .record
            .as_ref()
            .and_then(|record| record.state.as_deref());
        (change.id.key.as_str(), body, state)
    });
    let seen: Vec<_> = seen.collect();
    let named = r#"{"endpoint-id":"a","endpoint-name":"renamed"}"#;
    let running = r#"{"status":{"status":"running"}}"#;
    assert_eq!(seen[0], ("a", Some(named), None));
    assert_eq!(seen[1], ("b", None, None));
    assert_eq!((seen[2].0, seen[2].2), ("s", Some(running)));
    assert_eq!(seen.len(), 3);

    let later = lab.0.changes(&pca, 5).await.unwrap();
    assert_eq!((later.entries.len(), later.newest), (1, 6));
    let none = lab.0.changes(&pca, 6).await.unwrap();
    assert_eq!((none.is_whole, none.entries.len()), (true, 0));
    let other = lab.0.changes(&TenantId::new("other"), 0).await.unwrap();
    assert!(other.entries.is_empty());
}

async fn changes_that_are_forgotten_are_missed(lab: Lab) {
    lab.make(&[lab.endpoint("first", None)]).await.unwrap();
    let many: Vec<_> = (0..10_000)
        .map(|number| lab.endpoint(&format!("e{number}"), None))
        .collect();
    lab.make(&many).await.unwrap();
    assert!(!lab.0.changes(&pca(), 0).await.unwrap().is_whole);
    let kept = lab.0.changes(&pca(), 1).await.unwrap();
    assert!(kept.is_whole);
    assert_eq!((kept.entries.len(), kept.newest), (10_000, 10_001));
}

const ENDPOINTS: &str = "Accedian-service-endpoint:service-endpoints";
const SESSIONS: &str = "Accedian-session:sessions";
const SERVICES: &str = "Accedian-service:services";
