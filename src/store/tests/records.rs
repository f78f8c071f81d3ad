//! What every implementation does with accounts, first tokens and the log of revocations.

use std::sync::Arc;

use super::sample::NOW;
use super::sample::Store;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::handle;
use super::sample::pat;
use super::sample::tenant;
use super::sample::with_tenants;
use crate::audit;
use crate::audit::Event;
use crate::audit::Kind;
use crate::iam::AccountKind;
use crate::iam::Affected;
use crate::iam::Change;
use crate::iam::LastUse;
use crate::iam::PatDigest;
use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::State;
use crate::iam::Use;
use crate::iam::port::Handle;
use crate::iam::port::Mutation;
use crate::iam::port::Page;
use crate::iam::port::PasswordHash;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::model::TenantId;
use crate::model::Timestamp;

pub(super) async fn usernames_are_unique_in_a_tenant(store: &impl Store) {
    use AccountKind::Machine;
    use AccountKind::Person;
    with_tenants(store).await;
    let twice = Mutation::CreateTenant(tenant("pca"));
    assert_eq!(apply(store, twice).await, Err(RecordsError::TenantExists));

    let anna = account("pca", "Anna", Person);
    apply(store, creation(&anna, None)).await.unwrap();
    let export = account("pca", "export", Machine);
    apply(store, creation(&export, None)).await.unwrap();
    for (username, kind, taken_by) in [
        ("anna", Machine, Person),
        ("ANNA", Person, Person),
        ("Export", Person, Machine),
    ] {
        let created = apply(store, creation(&account("pca", username, kind), None)).await;
        assert_eq!(
            created,
            Err(RecordsError::UsernameTaken(taken_by)),
            "{username}"
        );
    }
    apply(store, creation(&account("other", "anna", Person), None))
        .await
        .unwrap();
    let nowhere = creation(&account("nowhere", "anna", Person), None);
    assert_eq!(
        apply(store, nowhere).await,
        Err(RecordsError::NotFound("tenant"))
    );

    assert_eq!(store.find_logins("ANNA", None).await.unwrap().len(), 2);
    assert!(store.find_logins("export", None).await.unwrap().is_empty());
    apply(store, Mutation::DeleteAccount(handle(&anna, 0)))
        .await
        .unwrap();
    assert_eq!(store.find_logins("anna", None).await.unwrap().len(), 1);
    apply(store, creation(&account("pca", "anna", Machine), None))
        .await
        .unwrap();
}

pub(super) async fn records_come_back_as_they_were_written(store: &impl Store) {
    with_tenants(store).await;
    let anna = account("pca", "Anna", AccountKind::Person);
    let (record, digest) = pat(&anna, "first");
    apply(store, creation(&anna, Some((record.clone(), digest))))
        .await
        .unwrap();

    assert_eq!(
        store.tenant(&anna.tenant).await.unwrap(),
        Some(tenant("pca"))
    );
    assert_eq!(
        store.tenants().await.unwrap(),
        [tenant("other"), tenant("pca")]
    );
    assert_eq!(
        store.account(&anna.tenant, anna.id).await.unwrap(),
        Some(anna.clone())
    );
    assert_eq!(
        store.account_named(&anna.tenant, "aNNa").await.unwrap(),
        Some(anna.clone())
    );
    assert_eq!(
        store.pat(&anna.tenant, record.id).await.unwrap(),
        Some(record.clone())
    );
    assert_eq!(
        store.pats(&anna.tenant, anna.id).await.unwrap(),
        std::slice::from_ref(&record)
    );

    let facts = store.find_pat(&digest).await.unwrap().unwrap();
    assert_eq!(
        (facts.pat, facts.account, facts.tenant),
        (record, anna.clone(), tenant("pca"))
    );
    assert_eq!(facts.digest, digest);
    assert_eq!(facts.seq, store.newest_revocation().await.unwrap());
    assert!(
        store
            .find_pat(&PatDigest::from_raw(1, [0; 32]))
            .await
            .unwrap()
            .is_none()
    );

    let logins = store.find_logins("anna", Some(&anna.tenant)).await.unwrap();
    assert_eq!(logins[0].password, Some(PasswordHash("$phc".to_owned())));
    assert_eq!(logins[0].account, anna);
}

pub(super) async fn foreign_tenants_see_nothing(store: &impl Store) {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    let (record, digest) = pat(&export, "first");
    apply(store, creation(&export, Some((record.clone(), digest))))
        .await
        .unwrap();
    let other = TenantId::new("other");
    assert_eq!(store.account(&other, export.id).await.unwrap(), None);
    assert_eq!(store.account_named(&other, "export").await.unwrap(), None);
    assert_eq!(store.pat(&other, record.id).await.unwrap(), None);
    assert!(store.pats(&other, export.id).await.unwrap().is_empty());
    assert!(
        store
            .accounts(&other, &Page::first())
            .await
            .unwrap()
            .is_empty()
    );
    let foreign = || Handle {
        tenant: other.clone(),
        ..handle(&export, 0)
    };
    for mutation in [
        Mutation::DeleteAccount(foreign()),
        Mutation::SetRoles(foreign(), Role::TenantUser.into()),
        Mutation::RevokePats {
            account: foreign(),
            which: Which::One(record.id),
        },
    ] {
        assert_eq!(
            apply(store, mutation).await,
            Err(RecordsError::NotFound("account"))
        );
    }
}

pub(super) async fn change_of_an_older_version_is_refused(store: &impl Store) {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    apply(store, creation(&export, None)).await.unwrap();
    let raise = Mutation::SetRoles(handle(&export, 0), Role::TenantAdmin.into());
    apply(store, raise).await.unwrap();
    let (record, digest) = pat(&export, "judged-before");
    let mint = Mutation::CreatePat {
        pat: record,
        digest,
        version: 0,
    };
    assert_eq!(apply(store, mint).await, Err(RecordsError::Changed));
    let changed = store
        .account(&export.tenant, export.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (changed.version, changed.roles),
        (1, Role::TenantAdmin.into())
    );
}

pub(super) async fn account_and_first_pat_are_created_together_or_not_at_all(store: &impl Store) {
    with_tenants(store).await;
    let one = account("pca", "one", AccountKind::Machine);
    let (record, digest) = pat(&one, "first");
    apply(store, creation(&one, Some((record, digest))))
        .await
        .unwrap();

    let two = account("pca", "two", AccountKind::Machine);
    let (record, _) = pat(&two, "first");
    let same_digest = creation(&two, Some((record, digest)));
    assert!(apply(store, same_digest).await.is_err());
    assert_eq!(store.account(&two.tenant, two.id).await.unwrap(), None);

    let (same_name, digest) = pat(&one, "first");
    let same_name = Mutation::CreatePat {
        pat: same_name,
        digest,
        version: 0,
    };
    assert_eq!(
        apply(store, same_name).await,
        Err(RecordsError::PatNameTaken)
    );
}

pub(super) async fn revocation_log_tells_every_change_in_order(store: &impl Store) {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    let (record, digest) = pat(&export, "first");
    let roles: Roles = Role::TenantUser.into();
    let mut told = Vec::new();
    for mutation in [
        creation(&export, Some((record.clone(), digest))),
        Mutation::RevokePats {
            account: handle(&export, 0),
            which: Which::One(record.id),
        },
        Mutation::SetRoles(handle(&export, 0), roles),
        Mutation::SetState(handle(&export, 1), State::Disabled),
        Mutation::SetState(handle(&export, 2), State::Active),
        Mutation::SetTenantState(export.tenant.clone(), State::Disabled),
        Mutation::DeleteAccount(handle(&export, 3)),
    ] {
        told.extend(apply(store, mutation).await.unwrap());
    }
    let account = || Affected::Account(export.id);
    let expected = [
        (account(), Change::Created),
        (Affected::Pat(record.id), Change::Created),
        (Affected::Pat(record.id), Change::Revoked),
        (account(), Change::Roles(roles)),
        (account(), Change::Disabled),
        (account(), Change::Enabled),
        (Affected::Tenant(export.tenant.clone()), Change::Disabled),
        (account(), Change::Deleted),
    ];
    let seen: Vec<_> = told
        .iter()
        .map(|entry| (entry.subject.clone(), entry.change.clone()))
        .collect();
    assert_eq!(seen, expected);
    assert!(told.is_sorted_by(|one, next| one.seq < next.seq));
    assert_eq!(store.revocations(0, 100).await.unwrap(), told);
    assert_eq!(store.revocations(told[5].seq, 1).await.unwrap(), told[6..7]);
    assert_eq!(store.newest_revocation().await.unwrap(), told[7].seq);

    let again = Mutation::RevokePats {
        account: handle(&export, 4),
        which: Which::One(record.id),
    };
    assert!(matches!(
        apply(store, again).await,
        Err(RecordsError::NotFound(_))
    ));
}

pub(super) async fn failed_change_leaves_no_audit_event(store: &impl Store) {
    with_tenants(store).await;
    let twice = Mutation::CreateTenant(tenant("pca"));
    assert!(apply(store, twice).await.is_err());
    let event = Event::new(NOW, Kind::RateLimited, audit::Actor::Unknown);
    store.append(&[event.clone(), event]).await.unwrap();
    let links = store.links(0, 100).await.unwrap();
    assert_eq!(links.len(), 4);
    audit::verify(&links, 0, [0; 32]).unwrap();
    assert_eq!(store.links(2, 1).await.unwrap(), links[2..3]);
}

pub(super) async fn time_mark_only_rises(store: &impl Store) {
    let at = Timestamp::from_secs;
    for (now, mark) in [(100, 100), (50, 100), (200, 200), (100, 200)] {
        assert_eq!(store.raise_time_mark(at(now)).await, Ok(at(mark)));
    }
}

pub(super) async fn last_use_only_moves_forward(store: &impl Store) {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    let (record, digest) = pat(&export, "first");
    apply(store, creation(&export, Some((record.clone(), digest))))
        .await
        .unwrap();
    let at = |secs, address: &str| Use {
        at: Timestamp::from_secs(secs),
        address: address.parse().unwrap(),
        protocol: "gnmi".to_owned(),
        client: "gnmic/0.41".to_owned(),
    };
    for last in [
        at(2_000, "192.0.2.1"),
        at(3_000, "2001:db8::1"),
        at(2_500, "192.0.2.2"),
    ] {
        store.note_uses(&[(record.id, last)]).await.unwrap();
    }
    let stored = store.pat(&export.tenant, record.id).await.unwrap().unwrap();
    let last = LastUse {
        at: Timestamp::from_secs(3_000),
        address: "2001:db8::1".parse().unwrap(),
    };
    assert_eq!(stored.last_used, Some(last));
    let uses = store.uses(&export.tenant, export.id).await.unwrap();
    let expected = [
        at(3_000, "2001:db8::1"),
        at(2_500, "192.0.2.2"),
        at(2_000, "192.0.2.1"),
    ];
    assert_eq!(uses, expected.map(|used| (record.id, used)));
}

pub(super) async fn two_writers_of_one_username_have_one_winner(store: Arc<impl Store>) {
    with_tenants(&*store).await;
    let writers = (0..20).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let same = account("pca", "same", AccountKind::Machine);
            apply(&*store, creation(&same, None)).await
        })
    });
    let mut won = 0;
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error, RecordsError::UsernameTaken(AccountKind::Machine)),
        }
    }
    assert_eq!(won, 1);
}

pub(super) async fn list_pages_by_username(store: &impl Store) {
    with_tenants(store).await;
    for username in ["c", "A", "b", "d"] {
        apply(
            store,
            creation(&account("pca", username, AccountKind::Machine), None),
        )
        .await
        .unwrap();
    }
    apply(
        store,
        creation(&account("pca", "e", AccountKind::Person), None),
    )
    .await
    .unwrap();
    let pca = TenantId::new("pca");
    let names = async |page: Page| -> Vec<String> {
        let accounts = store.accounts(&pca, &page).await.unwrap();
        accounts
            .into_iter()
            .map(|account| account.username)
            .collect()
    };
    assert_eq!(names(Page::first()).await, ["A", "b", "c", "d", "e"]);
    assert_eq!(
        names(Page {
            after: "a".to_owned(),
            limit: 2,
            ..Page::first()
        })
        .await,
        ["b", "c"]
    );
    let people = Page {
        kind: Some(AccountKind::Person),
        ..Page::first()
    };
    assert_eq!(names(people).await, ["e"]);
}
