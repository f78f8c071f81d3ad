//! What every implementation does with the use of tokens and with their end.

use super::sample::NOW;
use super::sample::Store;
use super::sample::apply;
use super::sample::export;
use super::sample::handle;
use super::sample::issue;
use super::sample::living;
use crate::iam::AccountQuery;
use crate::iam::Affected;
use crate::iam::Filter;
use crate::iam::Limit;
use crate::iam::PatId;
use crate::iam::Sweep;
use crate::iam::TenantPolicy;
use crate::iam::Use;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

pub(super) async fn tokens_are_revoked_by_age_and_disuse(store: &impl Store) {
    let export = export(store).await;
    let old = issue(store, living(&export, "old", 100, 9_999))
        .await
        .unwrap();
    let used = issue(store, living(&export, "used", 200, 9_999))
        .await
        .unwrap();
    let idle = issue(store, living(&export, "idle", 300, 9_999))
        .await
        .unwrap();
    let new = issue(store, living(&export, "new", 900, 9_999))
        .await
        .unwrap();
    store
        .note_uses(&[(used, use_at(800, "192.0.2.1"))])
        .await
        .unwrap();
    let at = |secs| Some(Timestamp::from_secs(secs));
    let revoke = |created_before, unused_since| Mutation::RevokePats {
        account: handle(&export, 0),
        which: Which::All {
            created_before,
            unused_since,
        },
    };
    let told = apply(store, revoke(at(150), None)).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].subject, Affected::Pat(old));
    let told = apply(store, revoke(None, at(700))).await.unwrap();
    assert_eq!(told[0].subject, Affected::Pat(idle));
    assert_eq!(told.len(), 1);
    let told = apply(store, revoke(None, None)).await.unwrap();
    let mut rest: Vec<_> = told.into_iter().map(|entry| entry.subject).collect();
    let mut expected = vec![Affected::Pat(used), Affected::Pat(new)];
    rest.sort_by_key(|subject| format!("{subject:?}"));
    expected.sort_by_key(|subject| format!("{subject:?}"));
    assert_eq!(rest, expected);
}

/// Tokens of an old, a used, an idle, an ended and a revoked kind.
async fn of_all_kinds(store: &impl Store) -> Vec<PatId> {
    let export = export(store).await;
    let mut ids = Vec::new();
    for (name, created, expires) in [
        ("old", 100, 5_000),
        ("used", 200, 9_999),
        ("idle", 300, 7_000),
        ("over", 100, 950),
        ("revoked", 100, 9_999),
    ] {
        let issued = issue(store, living(&export, name, created, expires)).await;
        ids.push(issued.unwrap());
    }
    let used = (ids[1], use_at(800, "192.0.2.1"));
    store.note_uses(&[used]).await.unwrap();
    let revoke = Mutation::RevokePats {
        account: handle(&export, 0),
        which: Which::One(ids[4]),
    };
    apply(store, revoke).await.unwrap();
    ids
}

pub(super) async fn tokens_of_a_tenant_are_found_by_age_disuse_and_end(store: &impl Store) {
    let ids = of_all_kinds(store).await;
    let at = |secs| Some(Timestamp::from_secs(secs));
    let (none, now) = (Sweep::default(), Timestamp::from_secs(1_000));
    let check = async |sweep: Sweep, tenant: &str, expected: &[usize]| {
        let tenant = TenantId::new(tenant);
        let mut expected: Vec<_> = expected.iter().map(|index| ids[*index]).collect();
        expected.sort_unstable();
        let (mut found, mut after) = (Vec::new(), None);
        // A page of one at a time leaves out none and repeats none.
        while let Some(pat) = store
            .swept(&tenant, &sweep, now, after, 1)
            .await
            .unwrap()
            .pop()
        {
            after = Some(pat.id);
            found.push(pat.id);
        }
        assert_eq!(found, expected, "{sweep:?}");
    };
    check(none, "pca", &[0, 1, 2]).await;
    check(none, "other", &[]).await;
    let created_before = at(200);
    let created = Sweep {
        created_before,
        ..none
    };
    check(created, "pca", &[0]).await;
    let unused_since = at(500);
    let unused = Sweep {
        unused_since,
        ..none
    };
    check(unused, "pca", &[0, 2]).await;
    let ending = Sweep {
        expires_before: Some(Expiry::from_secs(7_000)),
        ..none
    };
    check(ending, "pca", &[0]).await;
    let created_before = at(300);
    let both = Sweep {
        created_before,
        ..unused
    };
    check(both, "pca", &[0]).await;
}

fn use_at(secs: i64, address: &str) -> Use {
    Use {
        at: Timestamp::from_secs(secs),
        address: address.parse().unwrap(),
        protocol: "gnmi".to_owned(),
        client: "gnmic".to_owned(),
    }
}

pub(super) async fn newest_five_uses_are_kept(store: &impl Store) {
    let export = export(store).await;
    let id = issue(store, living(&export, "one", 100, 9_999))
        .await
        .unwrap();
    for number in 1..=8 {
        let address = format!("192.0.2.{number}");
        store
            .note_uses(&[(id, use_at(1_000 + number, &address))])
            .await
            .unwrap();
    }
    // The same place again is no other place.
    store
        .note_uses(&[(id, use_at(2_000, "192.0.2.8"))])
        .await
        .unwrap();
    let nobody = PatId::random().unwrap();
    store
        .note_uses(&[(nobody, use_at(1, "192.0.2.1"))])
        .await
        .unwrap();
    let uses = store.uses(&export.tenant, export.id).await.unwrap();
    let found: Vec<_> = uses.iter().map(|(_, used)| used.at.secs()).collect();
    assert_eq!(found, [2_000, 1_007, 1_006, 1_005, 1_004]);
    assert!(
        store
            .uses(&TenantId::new("other"), export.id)
            .await
            .unwrap()
            .is_empty()
    );

    let query = |secs| AccountQuery {
        filters: vec![Filter::UnusedSince(Timestamp::from_secs(secs))],
        limit: 10,
        ..AccountQuery::default()
    };
    for (since, count) in [(2_000, 0), (2_001, 1)] {
        let (_, total) = store
            .search(&export.tenant, &query(since), NOW)
            .await
            .unwrap();
        assert_eq!(total, count);
    }
}

/// Lifts the tenant's limits.
async fn unlimited(store: &impl Store) -> TenantId {
    let lift = TenantPolicy {
        max_pat_lifetime: Limit::Lifted,
        ..TenantPolicy::default()
    };
    let pca = TenantId::new("pca");
    apply(store, Mutation::SetTenantPolicy(pca.clone(), lift))
        .await
        .unwrap();
    pca
}

pub(super) async fn end_of_a_token_is_told_once(store: &impl Store) {
    let export = export(store).await;
    let pca = unlimited(store).await;
    let near = issue(store, living(&export, "near", 100, 2_000))
        .await
        .unwrap();
    issue(store, living(&export, "far", 100, 9_000))
        .await
        .unwrap();
    let until = Timestamp::from_secs(3_000);
    let ending = async |after| -> Vec<_> {
        let found = store.ending(until, after, 10).await.unwrap();
        found
            .into_iter()
            .map(|ending| (ending.pat.id, ending.warned))
            .collect()
    };
    assert_eq!(ending(None).await, [(near, None)]);
    assert_eq!(ending(Some(near)).await, []);
    let warn = |days| Mutation::WarnPat {
        tenant: pca.clone(),
        id: near,
        days,
    };
    apply(store, warn(7)).await.unwrap();
    for days in [7, 30] {
        let again = apply(store, warn(days)).await;
        assert_eq!(again, Err(RecordsError::NotFound("token")));
    }
    assert_eq!(ending(None).await, [(near, Some(7))]);
    apply(store, warn(0)).await.unwrap();
    assert_eq!(ending(None).await, []);
}

pub(super) async fn token_is_purged_long_after_its_end(store: &impl Store) {
    let export = export(store).await;
    let pca = unlimited(store).await;
    let near = issue(store, living(&export, "near", 100, 2_000))
        .await
        .unwrap();
    let far = issue(store, living(&export, "far", 100, 9_000))
        .await
        .unwrap();
    let over = async |before| -> Vec<_> {
        let found = store.over(Timestamp::from_secs(before), 10).await.unwrap();
        found.into_iter().map(|pat| pat.id).collect()
    };
    assert_eq!(over(2_000).await, []);
    assert_eq!(over(2_001).await, [near]);
    let purge = |id, before| Mutation::PurgePat {
        tenant: pca.clone(),
        id,
        before: Timestamp::from_secs(before),
    };
    let early = apply(store, purge(far, 2_001)).await;
    assert_eq!(early, Err(RecordsError::NotFound("token")));
    store
        .note_uses(&[(near, use_at(1_000, "192.0.2.1"))])
        .await
        .unwrap();
    apply(store, purge(near, 2_001)).await.unwrap();
    assert_eq!(store.pat(&pca, near).await, Ok(None));
    assert!(store.uses(&pca, export.id).await.unwrap().is_empty());
    let void = TenantPolicy {
        tokens_not_before: Some(Timestamp::from_secs(150)),
        ..TenantPolicy::default()
    };
    apply(store, Mutation::SetTenantPolicy(pca.clone(), void))
        .await
        .unwrap();
    assert_eq!(over(150).await, []);
    assert_eq!(over(151).await, [far]);
    apply(store, purge(far, 151)).await.unwrap();
}
