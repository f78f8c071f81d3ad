//! What every implementation does with bounds on tokens, and with their use and their end.

use std::time::Duration;

use super::sample::NOW;
use super::sample::Store;
use super::sample::account;
use super::sample::apply;
use super::sample::creation;
use super::sample::export;
use super::sample::handle;
use super::sample::issue;
use super::sample::living;
use super::sample::pat;
use crate::iam::AccountKind;
use crate::iam::AccountPolicy;
use crate::iam::AccountRecord;
use crate::iam::Affected;
use crate::iam::Bounds;
use crate::iam::Change;
use crate::iam::Limit;
use crate::iam::PatDigest;
use crate::iam::PatRecord;
use crate::iam::Roles;
use crate::iam::TenantPolicy;
use crate::iam::port::Mutation;
use crate::iam::port::RecordsError;
use crate::iam::port::Which;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;

pub(super) async fn policy_is_kept_and_told(store: &impl Store) {
    let export = export(store).await;
    let pca = TenantId::new("pca");
    let policy = TenantPolicy {
        max_pat_lifetime: Limit::Set(Duration::from_hours(1)),
        tokens_not_before: Some(Timestamp::from_secs(500)),
        max_pats: Limit::Set(7),
        max_account_pats: Limit::Kept,
    };
    let told = apply(store, Mutation::SetTenantPolicy(pca.clone(), policy)).await;
    let bounds = Bounds {
        max_lifetime: Some(Duration::from_hours(1)),
        not_before: Some(Timestamp::from_secs(500)),
        networks: Vec::new(),
    };
    let entry = told.unwrap().remove(0);
    assert_eq!(entry.subject, Affected::Tenant(pca.clone()));
    assert_eq!(entry.change, Change::Bounds(bounds.clone().into()));
    let later = TenantPolicy {
        max_pat_lifetime: Limit::Lifted,
        // What was void stays so, whoever writes an earlier time at the same moment.
        tokens_not_before: Some(Timestamp::from_secs(400)),
        ..TenantPolicy::default()
    };
    apply(store, Mutation::SetTenantPolicy(pca.clone(), later))
        .await
        .unwrap();
    let stored = store.tenant(&pca).await.unwrap().unwrap();
    let found = (
        stored.max_pat_lifetime,
        stored.tokens_not_before,
        stored.max_pats,
    );
    assert_eq!(found, (None, Some(Timestamp::from_secs(500)), Some(7)));

    let networks = vec![
        "192.0.2.0/24".parse().unwrap(),
        "2001:db8::/32".parse().unwrap(),
    ];
    let policy = AccountPolicy {
        networks: Some(networks.clone()),
        tokens_not_before: Some(Timestamp::from_secs(600)),
    };
    let mutation = Mutation::SetAccountPolicy(handle(&export, 0), policy.clone());
    let told = apply(store, mutation).await.unwrap();
    let stored = store.account(&pca, export.id).await.unwrap().unwrap();
    assert_eq!((&stored.networks, stored.version), (&networks, 1));
    assert_eq!(stored.tokens_not_before, policy.tokens_not_before);
    let log = store.revocations(0, 100).await.unwrap();
    assert_eq!(log.last(), told.last());
    assert!(
        log.iter()
            .any(|entry| entry.change == Change::Bounds(bounds.clone().into()))
    );
    let old = Mutation::SetAccountPolicy(handle(&export, 0), policy);
    assert_eq!(apply(store, old).await, Err(RecordsError::Changed));
    let nobody = Mutation::SetTenantPolicy(TenantId::new("nobody"), TenantPolicy::default());
    assert_eq!(
        apply(store, nobody).await,
        Err(RecordsError::NotFound("tenant"))
    );
}

pub(super) async fn quotas_count_active_tokens_alone(store: &impl Store) {
    let export = export(store).await;
    let policy = TenantPolicy {
        max_pat_lifetime: Limit::Lifted,
        max_pats: Limit::Set(3),
        max_account_pats: Limit::Set(2),
        ..TenantPolicy::default()
    };
    let mutation = Mutation::SetTenantPolicy(TenantId::new("pca"), policy);
    apply(store, mutation).await.unwrap();
    let now = NOW.secs();
    issue(store, living(&export, "expired", now - 9, now - 1))
        .await
        .unwrap();
    let first = issue(store, living(&export, "one", now, now + 99))
        .await
        .unwrap();
    issue(store, living(&export, "two", now, now + 99))
        .await
        .unwrap();
    let third = issue(store, living(&export, "three", now, now + 99)).await;
    assert_eq!(third, Err(RecordsError::QuotaExceeded("account")));

    let (pat, digest) = living(&export, "instead", now, now + 99);
    let rotation = Mutation::RotatePat {
        pat,
        digest,
        account: handle(&export, 0),
        old: first,
        old_expires: Some(Expiry::from_secs(now + 9)),
    };
    apply(store, rotation).await.unwrap();
    let other = account("pca", "other", AccountKind::Machine);
    let created = apply(store, creation(&other, Some(pat_of(&other)))).await;
    assert_eq!(created, Err(RecordsError::QuotaExceeded("tenant")));
    let mutation = Mutation::RevokePats {
        account: handle(&export, 0),
        which: Which::One(first),
    };
    apply(store, mutation).await.unwrap();
    apply(store, creation(&other, Some(pat_of(&other))))
        .await
        .unwrap();
}

fn pat_of(owner: &AccountRecord) -> (PatRecord, PatDigest) {
    pat(owner, "first")
}

pub(super) async fn suspended_roles_are_kept_and_told_as_none(store: &impl Store) {
    let export = export(store).await;
    let told = async |mutation| -> Change {
        let told = apply(store, mutation).await.unwrap();
        assert_eq!(told[0].subject, Affected::Account(export.id));
        assert_eq!(store.revocations(told[0].seq - 1, 9).await.unwrap(), told);
        told[0].change.clone()
    };
    let read = async || {
        let found = store.account(&export.tenant, export.id).await;
        let found = found.unwrap().unwrap();
        (found.roles, found.suspended, found.version)
    };
    let none = Roles::default();
    let suspend = Mutation::SuspendRoles(handle(&export, 0), export.roles);
    assert_eq!(told(suspend.clone()).await, Change::Roles(none));
    assert_eq!(read().await, (none, export.roles, 1));
    assert_eq!(apply(store, suspend).await, Err(RecordsError::Changed));
    let restore = Mutation::SetRoles(handle(&export, 1), export.roles);
    assert_eq!(told(restore).await, Change::Roles(export.roles));
    assert_eq!(read().await, (export.roles, none, 2));
}
