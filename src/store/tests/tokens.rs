//! What every implementation does with tokens of both kinds, and with searches.

use super::sample::NOW;
use super::sample::Store;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::handle;
use super::sample::pat;
use super::sample::with_tenants;
use crate::iam::AccountKind;
use crate::iam::AccountQuery;
use crate::iam::AccountRecord;
use crate::iam::AccountSort;
use crate::iam::Affected;
use crate::iam::Change;
use crate::iam::Filter;
use crate::iam::PatDigest;
use crate::iam::PatId;
use crate::iam::Revocation;
use crate::iam::Role;
use crate::iam::TextField;
use crate::iam::TextTest;
use crate::iam::TokenKind;
use crate::iam::port::Mutation;
use crate::iam::port::PasswordHash;
use crate::iam::port::RecordsError;
use crate::model::Expiry;
use crate::model::TenantId;

fn changes(told: &[Revocation]) -> Vec<(Affected, Change)> {
    told.iter()
        .map(|entry| (entry.subject.clone(), entry.change.clone()))
        .collect()
}

/// Opens a session of an account at version 0.
async fn session(store: &impl Store, owner: &AccountRecord, name: &str) -> (PatId, PatDigest) {
    let (mut record, digest) = pat(owner, name);
    record.kind = TokenKind::Session;
    record.expires = Expiry::from_secs(NOW.secs() + 60);
    let id = record.id;
    let mutation = Mutation::CreatePat {
        pat: record,
        digest,
        version: 0,
    };
    apply(store, mutation).await.unwrap();
    (id, digest)
}

pub(super) async fn rotation_replaces_one_token_by_another(store: &impl Store) {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    let (first, first_digest) = pat(&export, "first");
    apply(
        store,
        creation(&export, Some((first.clone(), first_digest))),
    )
    .await
    .unwrap();
    let rotate = |name: &str, old: PatId, old_expires: Option<Expiry>| {
        let (new, digest) = pat(&export, name);
        let mutation = Mutation::RotatePat {
            pat: new.clone(),
            digest,
            account: handle(&export, 0),
            old,
            old_expires,
        };
        (new.id, mutation)
    };
    // The first one's name is taken until it is revoked: then neither of the two changes is made.
    let end = Expiry::from_secs(NOW.secs() + 5);
    let (_, same_name) = rotate("first", first.id, Some(end));
    let refused = apply(store, same_name).await;
    assert_eq!(refused, Err(RecordsError::PatNameTaken));
    let facts = store.find_pat(&first_digest).await.unwrap().unwrap();
    assert_eq!(facts.pat.expires, first.expires);

    let (second, mutation) = rotate("second", first.id, Some(end));
    let told = apply(store, mutation).await.unwrap();
    let expected = [
        (Affected::Pat(first.id), Change::Shortened(end)),
        (Affected::Pat(second), Change::Created),
    ];
    assert_eq!(changes(&told), expected);
    assert_eq!(store.revocations(told[0].seq - 1, 9).await.unwrap(), told);
    let facts = store.find_pat(&first_digest).await.unwrap().unwrap();
    assert_eq!((facts.pat.expires, facts.pat.revoked), (end, None));

    let (third, mutation) = rotate("second", second, None);
    let told = apply(store, mutation).await.unwrap();
    let expected = [
        (Affected::Pat(second), Change::Revoked),
        (Affected::Pat(third), Change::Created),
    ];
    assert_eq!(changes(&told), expected);
    let (_, again) = rotate("fourth", second, None);
    let refused = apply(store, again).await;
    assert_eq!(refused, Err(RecordsError::NotFound("token")));
}

pub(super) async fn rotation_shortens_what_was_issued_by_the_old(store: &impl Store) {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    let (parent, digest) = pat(&export, "parent");
    apply(store, creation(&export, Some((parent.clone(), digest))))
        .await
        .unwrap();
    let mut issued = vec![parent.clone()];
    for (name, username) in [("child", "one"), ("grandchild", "two")] {
        let owner = account("pca", username, AccountKind::Machine);
        let (mut next, digest) = pat(&owner, name);
        next.parent = issued.last().map(|token| token.id);
        apply(store, creation(&owner, Some((next.clone(), digest))))
            .await
            .unwrap();
        issued.push(next);
    }
    let rotate = |name: &str, old: PatId, expires: Expiry| {
        let (mut new, digest) = pat(&export, name);
        new.expires = expires;
        let mutation = Mutation::RotatePat {
            pat: new.clone(),
            digest,
            account: handle(&export, 0),
            old,
            old_expires: None,
        };
        (new.id, mutation)
    };
    let end = Expiry::from_secs(NOW.secs() + 5);
    let (second, mutation) = rotate("second", parent.id, end);
    let told = apply(store, mutation).await.unwrap();
    let expected = [
        (Affected::Pat(issued[1].id), Change::Shortened(end)),
        (Affected::Pat(issued[2].id), Change::Shortened(end)),
        (Affected::Pat(parent.id), Change::Revoked),
        (Affected::Pat(second), Change::Created),
    ];
    assert_eq!(changes(&told), expected);
    for token in &issued[1..] {
        let found = store.pat(&token.tenant, token.id).await.unwrap().unwrap();
        assert_eq!((found.expires, found.revoked), (end, None));
    }
    // A longer life is the new one's alone.
    let (third, mutation) = rotate("third", second, Expiry::NEVER);
    let told = apply(store, mutation).await.unwrap();
    let expected = [
        (Affected::Pat(second), Change::Revoked),
        (Affected::Pat(third), Change::Created),
    ];
    assert_eq!(changes(&told), expected);
}

pub(super) async fn sessions_are_not_listed_and_end_with_their_password(store: &impl Store) {
    with_tenants(store).await;
    let anna = account("pca", "anna", AccountKind::Person);
    let (token, digest) = pat(&anna, "token");
    let created = creation(&anna, Some((token.clone(), digest)));
    apply(store, created).await.unwrap();
    let (id, digest) = session(store, &anna, "session").await;
    let found = store.find_pat(&digest).await.unwrap().unwrap();
    assert_eq!((found.pat.id, found.pat.kind), (id, TokenKind::Session));
    assert_eq!(store.pat(&anna.tenant, id).await.unwrap(), None);
    let listed = store.pats(&anna.tenant, anna.id).await.unwrap();
    assert_eq!(listed, [token]);

    let hash = PasswordHash("$other".to_owned());
    let told = apply(store, Mutation::SetPassword(handle(&anna, 0), hash.into()))
        .await
        .unwrap();
    let expected = [
        (Affected::Pat(id), Change::Revoked),
        (Affected::Account(anna.id), Change::Password),
    ];
    assert_eq!(changes(&told), expected);
    let found = store.find_pat(&digest).await.unwrap().unwrap();
    assert_eq!(found.pat.revoked, Some(NOW));
}

pub(super) async fn oldest_of_too_many_sessions_ends(store: &impl Store) {
    with_tenants(store).await;
    let anna = account("pca", "anna", AccountKind::Person);
    apply(store, creation(&anna, None)).await.unwrap();
    let mut digests = Vec::new();
    for number in 0..101 {
        digests.push(session(store, &anna, &format!("session-{number}")).await);
    }
    let mut gone = Vec::new();
    for (id, digest) in digests {
        if store.find_pat(&digest).await.unwrap().is_none() {
            gone.push((Affected::Pat(id), Change::Revoked));
        }
    }
    assert_eq!(gone.len(), 1);
    let log = store.revocations(0, 1_000).await.unwrap();
    assert!(changes(&log).contains(&gone[0]));
}

pub(super) async fn search_counts_all_and_shows_a_page(store: &impl Store) {
    with_tenants(store).await;
    for name in ["delta", "Alpha", "charlie", "bravo"] {
        let machine = account("pca", name, AccountKind::Machine);
        let first = (name != "delta").then(|| pat(&machine, "first"));
        apply(store, creation(&machine, first)).await.unwrap();
    }
    let anna = account("pca", "anna", AccountKind::Person);
    apply(store, creation(&anna, None)).await.unwrap();
    let foreign = account("other", "alpha", AccountKind::Machine);
    apply(store, creation(&foreign, None)).await.unwrap();

    let pca = TenantId::new("pca");
    let query = AccountQuery {
        kind: Some(AccountKind::Machine),
        filters: Vec::new(),
        sort: vec![(AccountSort::Username, false)],
        offset: 1,
        limit: 2,
    };
    let (found, total) = store.search(&pca, &query, NOW).await.unwrap();
    let names: Vec<_> = found
        .iter()
        .map(|it| it.account.username.as_str())
        .collect();
    assert_eq!((names, total), (vec!["bravo", "charlie"], 4));
    // The tenant lets tokens live for a day.
    assert_eq!(found[0].active, 1);
    assert_eq!(found[0].next_expiry, Some(Expiry::NEVER));
    let later = NOW.saturating_add(std::time::Duration::from_hours(24));
    let (found, _) = store.search(&pca, &query, later).await.unwrap();
    assert_eq!((found[0].active, found[0].next_expiry), (0, None));
    filters_hold(store, &pca).await;
}

async fn filters_hold(store: &impl Store, pca: &TenantId) {
    let hostile = "'; DROP TABLE accounts; --".to_owned();
    for (filter, expected) in [
        (
            Filter::Text(
                TextField::Username,
                TextTest::Among(vec!["ALPHA".to_owned()]),
            ),
            1,
        ),
        (
            Filter::Text(TextField::Username, TextTest::Among(Vec::new())),
            0,
        ),
        (
            Filter::Text(TextField::Name, TextTest::StartsWith("Näm".to_owned())),
            4,
        ),
        (
            Filter::Text(TextField::Name, TextTest::Contains("%".to_owned())),
            0,
        ),
        (
            Filter::Text(TextField::Description, TextTest::Contains(hostile)),
            0,
        ),
        (Filter::Role(vec![Role::SkylightAdmin, Role::TenantUser]), 4),
        (Filter::Role(Vec::new()), 0),
    ] {
        let query = AccountQuery {
            kind: Some(AccountKind::Machine),
            filters: vec![filter],
            limit: 500,
            ..AccountQuery::default()
        };
        let (_, total) = store.search(pca, &query, NOW).await.unwrap();
        assert_eq!(total, expected, "{query:?}");
    }
}
