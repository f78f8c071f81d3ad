//! What every implementation of the audit log must do.

use serde_json::json;

use super::sample::Store;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::handle;
use super::sample::pat;
use super::sample::with_tenants;
use crate::audit::Actor;
use crate::audit::Beginning;
use crate::audit::Event;
use crate::audit::EventQuery;
use crate::audit::Kind;
use crate::audit::Subject;
use crate::audit::Tenure;
use crate::audit::verify_all;
use crate::iam::AccountKind;
use crate::iam::Use;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::model::TenantId;
use crate::model::Timestamp;

/// An event of `actor` from the tenant `home`, about the account `about` in `tenant`, which happened at its own number.
fn event(secs: i64, kind: Kind, actor: (&str, &str), about: (&str, &str)) -> Event {
    let (id, home) = actor;
    let actor = Actor::Account {
        id: id.to_owned(),
        tenant: TenantId::new(home),
        token: None,
        certificate: None,
    };
    let (tenant, account) = about;
    Event {
        tenant: Some(TenantId::new(tenant)),
        subject: Some(Subject {
            kind: "account",
            id: account.to_owned(),
            name: None,
        }),
        ..Event::new(Timestamp::from_secs(secs), kind, actor)
    }
}

async fn with_events(store: &impl Store) {
    let events = [
        event(1, Kind::AccountCreated, ("1", "pca"), ("pca", "7")),
        event(2, Kind::AccountDisabled, ("9", "root"), ("pca", "7")),
        event(3, Kind::AccountCreated, ("2", "other"), ("other", "8")),
        event(4, Kind::AccountEnabled, ("1", "pca"), ("pca", "7")),
        Event::new(
            Timestamp::from_secs(5),
            Kind::AuthenticationFailed,
            Actor::Unknown,
        ),
    ];
    store.append(&events).await.unwrap();
}

pub(super) async fn outlet_is_one_holders_and_goes_on_where_it_was(store: &impl Store) {
    let tenure = |holder, now, until| Tenure {
        holder,
        now: Timestamp::from_secs(now),
        until: Timestamp::from_secs(until),
    };
    assert_eq!(store.newest().await, Ok(0));
    with_events(store).await;
    assert_eq!(store.newest().await, Ok(5));
    // A new outlet does not repeat what was before it.
    assert_eq!(store.claim("syslog", tenure(1, 0, 60)).await, Ok(Some(5)));
    assert_eq!(store.claim("syslog", tenure(2, 59, 99)).await, Ok(None));
    with_events(store).await;
    assert_eq!(store.claim("syslog", tenure(1, 59, 119)).await, Ok(Some(5)));
    assert_eq!(
        store.advance("syslog", tenure(1, 60, 120), 8).await,
        Ok(true)
    );
    assert_eq!(
        store.advance("syslog", tenure(2, 60, 120), 9).await,
        Ok(false)
    );
    assert_eq!(
        store.claim("webhook", tenure(2, 60, 120)).await,
        Ok(Some(10))
    );
    // The first holder is gone.
    assert_eq!(
        store.claim("syslog", tenure(2, 120, 180)).await,
        Ok(Some(8))
    );
    assert_eq!(
        store.advance("syslog", tenure(1, 121, 181), 9).await,
        Ok(false)
    );
    assert_eq!(
        store.advance("syslog", tenure(2, 121, 121), 7).await,
        Ok(false)
    );
    assert_eq!(
        store.advance("syslog", tenure(2, 121, 121), 9).await,
        Ok(true)
    );
    assert_eq!(
        store.claim("syslog", tenure(1, 121, 181)).await,
        Ok(Some(9))
    );
}

#[track_caller]
fn numbers(found: &[crate::audit::Link]) -> Vec<u64> {
    found.iter().map(|link| link.seq).collect()
}

pub(super) async fn events_are_found_by_tenant_kind_account_and_time(store: &impl Store) {
    with_events(store).await;
    let of = |tenant: &str| EventQuery::of(Some(TenantId::new(tenant)));
    let all = EventQuery::of(None);
    let at = |secs| Some(Timestamp::from_secs(secs));
    for (query, expected) in [
        (all.clone(), vec![1, 2, 3, 4, 5]),
        (of("pca"), vec![1, 2, 4]),
        // Who acts in another tenant leaves a trace in both (iam X6).
        (of("root"), vec![2]),
        (of("nowhere"), vec![]),
        (
            EventQuery {
                kind: Some(Kind::AccountCreated),
                ..all.clone()
            },
            vec![1, 3],
        ),
        (
            EventQuery {
                account: Some("7".to_owned()),
                ..all.clone()
            },
            vec![1, 2, 4],
        ),
        (
            EventQuery {
                account: Some("1".to_owned()),
                ..of("pca")
            },
            vec![1, 4],
        ),
        (
            EventQuery {
                from: at(2),
                until: at(4),
                ..all.clone()
            },
            vec![2, 3],
        ),
        (
            EventQuery {
                after: 1,
                limit: 2,
                ..all.clone()
            },
            vec![2, 3],
        ),
    ] {
        let found = store.find(&query).await.unwrap();
        assert_eq!(numbers(&found), expected, "{query:?}");
    }
}

pub(super) async fn chain_holds_after_its_oldest_events_are_cut(store: &impl Store) {
    with_events(store).await;
    let whole = verify_all(store).await.unwrap();
    assert_eq!((whole.beginning, whole.seq), (Beginning::default(), 5));
    let (at, now) = (Timestamp::from_secs, Timestamp::from_secs(100));
    assert_eq!(store.cut(at(1), 10, now).await, Ok(0), "nothing is so old");
    assert_eq!(store.cut(at(4), 2, now).await, Ok(2), "a bounded step");
    assert_eq!(store.cut(at(4), 10, now).await, Ok(1), "the rest");
    let links = store.links(0, 10).await.unwrap();
    assert_eq!(numbers(&links), [4, 5, 6, 7]);
    let found = store.find(&EventQuery::of(None)).await.unwrap();
    assert_eq!(found, links, "cut events are not found either");
    let verified = verify_all(store).await.unwrap();
    assert_eq!((verified.beginning.seq, verified.seq), (3, 7));

    // Even with nothing older left, the chain goes on from where it was.
    assert_eq!(store.cut(at(1_000), 10, now).await, Ok(4));
    with_events(store).await;
    let verified = verify_all(store).await.unwrap();
    assert_eq!((verified.beginning.seq, verified.seq), (7, 13));
}

pub(super) async fn first_use_and_each_new_place_leave_an_event(store: &impl Store) {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    let (record, digest) = pat(&export, "first");
    apply(store, creation(&export, Some((record.clone(), digest))))
        .await
        .unwrap();
    let by_gnmic = |secs, address: &str| Use {
        at: Timestamp::from_secs(secs),
        address: address.parse().unwrap(),
        protocol: "gnmi".to_owned(),
        client: "gnmic".to_owned(),
    };
    let uses = [
        by_gnmic(2_000, "192.0.2.1"),
        by_gnmic(2_001, "192.0.2.1"),
        by_gnmic(2_002, "2001:db8::1"),
    ];
    store
        .note_uses(&uses.map(|used| (record.id, used)))
        .await
        .unwrap();
    store
        .note_uses(&[(record.id, by_gnmic(3_000, "192.0.2.1"))])
        .await
        .unwrap();
    let query = EventQuery {
        after: 3,
        ..EventQuery::of(Some(export.tenant.clone()))
    };
    let found = store.find(&query).await.unwrap();
    let bodies: Vec<serde_json::Value> = found
        .iter()
        .map(|link| serde_json::from_str(&link.body).unwrap())
        .collect();
    let told: Vec<_> = bodies
        .iter()
        .map(|body| (&body["event"], &body["address"]))
        .collect();
    let (first, elsewhere) = (json!("pat.first_used"), json!("pat.used_from_new_address"));
    assert_eq!(
        told,
        [
            (&first, &json!("192.0.2.1")),
            (&elsewhere, &json!("2001:db8::1")),
        ]
    );
    assert_eq!(bodies[0]["subjectId"], record.id.to_string());
    assert_eq!(bodies[0]["account"], export.id.to_string());
    assert_eq!(bodies[0]["userAgent"], "gnmic");
    verify_all(store).await.unwrap();
}

pub(super) async fn one_event_names_all_tokens_that_end_by_it(store: &impl Store) {
    with_tenants(store).await;
    let (one, other) = (
        account("pca", "one", AccountKind::Machine),
        account("pca", "other", AccountKind::Machine),
    );
    let (parent, digest) = pat(&one, "parent");
    apply(store, creation(&one, Some((parent.clone(), digest))))
        .await
        .unwrap();
    let (mut child, digest) = pat(&other, "child");
    child.parent = Some(parent.id);
    apply(store, creation(&other, Some((child.clone(), digest))))
        .await
        .unwrap();
    let (own, digest) = pat(&other, "own");
    let issue = Mutation::CreatePat {
        pat: own.clone(),
        digest,
        version: 0,
    };
    apply(store, issue).await.unwrap();

    let revoke = Mutation::RevokePats {
        account: handle(&one, 0),
        which: Which::One(parent.id),
    };
    let mut event = event(7, Kind::PatRevoked, ("1", "pca"), ("pca", "7"));
    event.subject = Some(Subject {
        kind: "pat",
        id: parent.id.to_string(),
        name: None,
    });
    let at = Timestamp::from_secs(2_000);
    store.apply(&revoke, at, &event).await.unwrap();
    // Nothing comes of it any more, whenever that was begun.
    let (mut late, digest) = pat(&other, "late");
    late.parent = Some(parent.id);
    let late = Mutation::CreatePat {
        pat: late,
        digest,
        version: 0,
    };
    assert!(matches!(
        apply(store, late).await,
        Err(RecordsError::NotFound("token"))
    ));
    let delete = Mutation::DeleteAccount(handle(&other, 0));
    event.subject = None;
    store.apply(&delete, at, &event).await.unwrap();

    let links = store.links(5, 10).await.unwrap();
    let tokens = links.iter().map(|link| {
        let body: serde_json::Value = serde_json::from_str(&link.body).unwrap();
        body["tokens"].clone()
    });
    let expected = [child.id, own.id].map(|id| json!([id.to_string()]));
    assert_eq!(tokens.collect::<Vec<_>>(), expected);
    verify_all(store).await.unwrap();
}
