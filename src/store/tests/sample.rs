//! Records to store, and how.

use std::time::Duration;

use crate::audit;
use crate::audit::Event;
use crate::audit::Kind;
use crate::audit::Log;
use crate::audit::Outlets;
use crate::datastore::port::Entries;
use crate::iam::AccountId;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::PatDigest;
use crate::iam::PatId;
use crate::iam::PatRecord;
use crate::iam::Revocation;
use crate::iam::Role;
use crate::iam::Roles;
use crate::iam::Scope;
use crate::iam::State;
use crate::iam::TenantRecord;
use crate::iam::TokenKind;
use crate::iam::port::Handle;
use crate::iam::port::Mutation;
use crate::iam::port::PasswordHash;
use crate::iam::port::Records;
use crate::iam::port::RecordsError;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::model::Timestamp;
use crate::pki::port::Certificates;

/// A store under test.
pub(super) trait Store: Records + Log + Outlets + Certificates + Entries + 'static {}

impl<T: Records + Log + Outlets + Certificates + Entries + 'static> Store for T {}

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_000);

pub(super) fn tenant(id: &str) -> TenantRecord {
    TenantRecord {
        id: TenantId::new(id),
        state: State::Active,
        max_pat_lifetime: Some(Duration::from_hours(24)),
        tokens_not_before: None,
        max_pats: None,
        max_account_pats: None,
        created: NOW,
    }
}

pub(super) fn account(tenant: &str, username: &str, kind: AccountKind) -> AccountRecord {
    AccountRecord {
        id: AccountId::random().unwrap(),
        tenant: TenantId::new(tenant),
        kind,
        username: username.to_owned(),
        name: "Näme".to_owned(),
        description: "a, b".to_owned(),
        roles: [Role::TenantUser, Role::ServiceAccountManager]
            .into_iter()
            .collect(),
        suspended: Roles::default(),
        state: State::Active,
        expires: Expiry::NEVER,
        tokens_not_before: Some(Timestamp::from_secs(1)),
        networks: Vec::new(),
        created: NOW,
        updated: NOW,
        version: 0,
        has_secret: false,
    }
}

pub(super) fn pat(account: &AccountRecord, name: &str) -> (PatRecord, PatDigest) {
    let id = PatId::random().unwrap();
    let mut digest = [7; 32];
    digest[..8].copy_from_slice(&id.raw().to_be_bytes());
    let record = PatRecord {
        id,
        account: account.id,
        tenant: account.tenant.clone(),
        kind: TokenKind::Pat,
        name: name.to_owned(),
        description: String::new(),
        scopes: vec![
            Scope::ReadOnly,
            "path:/a/b[k=1,2]".parse().unwrap(),
            "target:rack 1, router 2".parse().unwrap(),
        ],
        networks: vec![
            "192.0.2.0/24".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        hint: "a1B2".to_owned(),
        created: NOW,
        created_by: Some(account.id),
        expires: Expiry::NEVER,
        revoked: None,
        last_used: None,
        parent: None,
    };
    (record, PatDigest::from_raw(1, digest))
}

pub(super) fn creation(account: &AccountRecord, pat: Option<(PatRecord, PatDigest)>) -> Mutation {
    let password =
        (account.kind == AccountKind::Person).then(|| PasswordHash("$phc".to_owned()).into());
    Mutation::CreateAccount {
        account: account.clone(),
        password,
        pat,
    }
}

pub(super) async fn apply(
    store: &impl Store,
    mutation: Mutation,
) -> Result<Vec<Revocation>, RecordsError> {
    let event = Event::new(NOW, Kind::AccountCreated, audit::Actor::Operator);
    let applied = store.apply(&mutation, NOW, &event).await?;
    Ok(applied.revocations)
}

pub(super) fn handle(account: &AccountRecord, version: u64) -> Handle {
    Handle {
        tenant: account.tenant.clone(),
        id: account.id,
        version,
    }
}

pub(super) async fn with_tenants(store: &impl Store) {
    for id in ["pca", "other"] {
        apply(store, Mutation::CreateTenant(tenant(id)))
            .await
            .unwrap();
    }
}

/// An account with tenants around it.
pub(super) async fn export(store: &impl Store) -> AccountRecord {
    with_tenants(store).await;
    let export = account("pca", "export", AccountKind::Machine);
    apply(store, creation(&export, None)).await.unwrap();
    export
}

/// Stores a token of an account that has not changed.
pub(super) async fn issue(
    store: &impl Store,
    (pat, digest): (PatRecord, PatDigest),
) -> Result<PatId, RecordsError> {
    let id = pat.id;
    let mutation = Mutation::CreatePat {
        pat,
        digest,
        version: 0,
    };
    apply(store, mutation).await.map(|_| id)
}

/// A token that was created at `created` and ends at `expires`, in seconds.
pub(super) fn living(
    owner: &AccountRecord,
    name: &str,
    created: i64,
    expires: i64,
) -> (PatRecord, PatDigest) {
    let (record, digest) = pat(owner, name);
    let record = PatRecord {
        created: Timestamp::from_secs(created),
        expires: Expiry::from_secs(expires),
        ..record
    };
    (record, digest)
}
