//! Open RPCs end when their credential does, whatever happens at the same time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use super::fixture::Fixture;
use super::fixture::HERE;
use super::fixture::PASSWORD;
use crate::iam::Action;
use crate::iam::End;
use crate::iam::LiveSession;
use crate::iam::Principal;
use crate::iam::Reason;
use crate::iam::RegistryError;
use crate::iam::Role;
use crate::iam::State;
use crate::iam::permit;
use crate::model::Class;
use crate::secret::Secret;

const MANY: u32 = 1_000_000;

fn open(
    fixture: &Fixture,
    principal: &Arc<Principal>,
    action: Action,
) -> Result<LiveSession, RegistryError> {
    let permit = permit(principal, action, None).unwrap();
    fixture
        .identity
        .registry
        .open(principal, &permit, HERE, MANY)
}

#[tokio::test]
async fn revoked_token_ends_its_sessions_and_no_others() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let (one, two) = (fixture.pat(&account).await, fixture.pat(&account).await);
    let principal = fixture.bearer(&one.token).await.unwrap();
    let mut ending = open(&fixture, &principal, Action::Read).unwrap();
    let other = fixture.bearer(&two.token).await.unwrap();
    let staying = open(&fixture, &other, Action::Read).unwrap();
    assert_eq!(fixture.identity.registry.len(), 2);
    assert_eq!(ending.end_now(), None);

    let accounts = &fixture.identity.accounts;
    accounts
        .revoke_pat(&fixture.operator, &fixture.pca, one.record.id)
        .await
        .unwrap();
    let end = End {
        reason: Reason::TokenRevoked,
        token: Some(one.record.id),
        certificate: None,
    };
    assert_eq!(ending.end_now(), Some(end));
    assert_eq!(ending.ended().await, end);
    assert_eq!(end.reason.class(), Class::Unauthenticated);
    assert_eq!(staying.end_now(), None);

    let late = open(&fixture, &principal, Action::Read);
    assert_eq!(
        late.unwrap_err(),
        RegistryError::Ended(end),
        "checked before, opened after"
    );
    drop(ending);
    assert_eq!(fixture.identity.registry.len(), 1);
}

#[tokio::test]
async fn every_change_ends_sessions_with_its_own_reason() {
    let fixture = Fixture::new().await;
    let (accounts, operator, pca) = (&fixture.identity.accounts, &fixture.operator, &fixture.pca);
    let session = async |username: &str| {
        let account = fixture.machine(username, Role::TenantContributor).await;
        let issued = fixture.pat(&account).await;
        let principal = fixture.bearer(&issued.token).await.unwrap();
        (account, open(&fixture, &principal, Action::Write).unwrap())
    };
    let reason = |session: &LiveSession| session.end_now().map(|end| end.reason);

    let (disabled, its) = session("disabled").await;
    accounts
        .set_state(operator, pca, disabled.id, State::Disabled)
        .await
        .unwrap();
    assert_eq!(reason(&its), Some(Reason::AccountDisabled));

    let (deleted, its) = session("deleted").await;
    accounts.delete(operator, pca, deleted.id).await.unwrap();
    assert_eq!(reason(&its), Some(Reason::AccountDeleted));

    let (cut, its) = session("cut").await;
    accounts
        .set_roles(operator, pca, cut.id, Role::TenantAdmin.into())
        .await
        .unwrap();
    assert_eq!(reason(&its), None, "still allowed");
    accounts
        .set_roles(operator, pca, cut.id, Role::TenantUser.into())
        .await
        .unwrap();
    assert_eq!(reason(&its), Some(Reason::RolesChanged));
    assert_eq!(Reason::RolesChanged.class(), Class::Denied);

    let (_, its) = session("tenant").await;
    accounts
        .set_tenant_state(operator, pca, State::Disabled)
        .await
        .unwrap();
    assert_eq!(reason(&its), Some(Reason::AccountDisabled));
}

#[tokio::test]
async fn new_password_ends_what_the_old_one_opened() {
    let fixture = Fixture::new().await;
    let anna = fixture.person("pca", "anna", Role::TenantUser).await;
    let issued = fixture.pat(&anna).await;
    let by_password = fixture.login("anna", PASSWORD).await.unwrap();
    let by_password = open(&fixture, &by_password, Action::Read).unwrap();
    let by_token = fixture.bearer(&issued.token).await.unwrap();
    let by_token = open(&fixture, &by_token, Action::Read).unwrap();
    let new = Secret::new("another one");
    let accounts = &fixture.identity.accounts;
    accounts
        .set_password(&fixture.operator, &fixture.pca, anna.id, new)
        .await
        .unwrap();
    let end = End {
        reason: Reason::PasswordChanged,
        token: None,
        certificate: None,
    };
    assert_eq!(by_password.end_now(), Some(end));
    assert_eq!(by_token.end_now(), None);
}

#[tokio::test]
async fn admin_of_all_tenants_loses_the_other_tenant_when_cut() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("root", Role::SkylightAdmin).await;
    let issued = fixture.pat(&account).await;
    let principal = fixture.bearer(&issued.token).await.unwrap();
    let foreign = permit(&principal, Action::Read, Some("other")).unwrap();
    let foreign = fixture
        .identity
        .registry
        .open(&principal, &foreign, HERE, MANY)
        .unwrap();
    let own = open(&fixture, &principal, Action::Read).unwrap();
    let roles = Role::TenantAdmin.into();
    let accounts = &fixture.identity.accounts;
    accounts
        .set_roles(&fixture.operator, &fixture.pca, account.id, roles)
        .await
        .unwrap();
    assert_eq!(
        foreign.end_now().map(|end| end.reason),
        Some(Reason::RolesChanged)
    );
    assert_eq!(own.end_now(), None);
}

#[tokio::test]
async fn sessions_end_with_their_time_and_with_the_gateway() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let short = fixture.pat_for(&account, Duration::from_mins(1)).await;
    let long = fixture.pat(&account).await;
    let registry = &fixture.identity.registry;
    let principal = fixture.bearer(&short.token).await.unwrap();
    let mut expiring = open(&fixture, &principal, Action::Read).unwrap();
    let lasting = fixture.bearer(&long.token).await.unwrap();
    let draining = open(&fixture, &lasting, Action::Read).unwrap();

    let pending = std::future::poll_fn(|cx| Poll::Ready(expiring.poll_ended(cx).is_pending()));
    assert!(pending.await);
    fixture.clock.advance(Duration::from_secs(59));
    registry.expire(fixture.clock.now());
    assert_eq!(expiring.end_now(), None, "a second too early");
    fixture.clock.advance(Duration::from_secs(1));
    registry.expire(fixture.clock.now());
    let end = End {
        reason: Reason::TokenExpired,
        token: Some(short.record.id),
        certificate: None,
    };
    assert_eq!(expiring.ended().await, end);
    assert_eq!(
        open(&fixture, &principal, Action::Read).unwrap_err(),
        RegistryError::Ended(end)
    );
    assert_eq!(draining.end_now(), None);

    registry.shut(Reason::Draining);
    registry.shut(Reason::StoreUnreachable);
    registry.reopen(Reason::StoreUnreachable);
    assert_eq!(
        draining.end_now().map(|end| end.reason),
        Some(Reason::Draining)
    );
    assert!(fixture.bearer(&long.token).await.is_err());
}

#[tokio::test]
async fn account_has_no_more_sessions_than_its_limit() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let (one, two) = (fixture.pat(&account).await, fixture.pat(&account).await);
    let one = fixture.bearer(&one.token).await.unwrap();
    let two = fixture.bearer(&two.token).await.unwrap();
    let allowed = permit(&one, Action::Read, None).unwrap();
    let registry = &fixture.identity.registry;
    let held = registry.open(&one, &allowed, HERE, 2).unwrap();
    let _other = registry.open(&two, &allowed, HERE, 2).unwrap();
    let refused = registry.open(&one, &allowed, HERE, 2).unwrap_err();
    assert_eq!(refused, RegistryError::TooMany { limit: 2 });
    drop(held);
    registry.open(&two, &allowed, HERE, 2).unwrap();
    assert_eq!(registry.len(), 1);
}

#[tokio::test]
async fn ten_thousand_sessions_of_a_token_end_in_well_under_a_second() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    let principal = fixture.bearer(&issued.token).await.unwrap();
    let sessions: Vec<_> = (0..10_000)
        .map(|_| open(&fixture, &principal, Action::Read).unwrap())
        .collect();
    let began = tokio::time::Instant::now();
    let accounts = &fixture.identity.accounts;
    accounts
        .revoke_pat(&fixture.operator, &fixture.pca, issued.record.id)
        .await
        .unwrap();
    assert!(sessions.iter().all(|session| session.end_now().is_some()));
    assert!(
        began.elapsed() < Duration::from_millis(500),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revoking_while_sessions_open_leaves_none_alive() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    for _ in 0..20 {
        let issued = fixture.pat(&account).await;
        let principal = fixture.bearer(&issued.token).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let openers = (0..3).map(|_| {
            let (stop, principal) = (Arc::clone(&stop), Arc::clone(&principal));
            let registry = fixture.identity.registry.clone();
            tokio::task::spawn_blocking(move || {
                let allowed = permit(&principal, Action::Read, None).unwrap();
                let mut opened = Vec::new();
                while !stop.load(Ordering::Relaxed) && opened.len() < 10_000 {
                    opened.extend(registry.open(&principal, &allowed, HERE, MANY).ok());
                }
                opened
            })
        });
        let openers: Vec<_> = openers.collect();
        let accounts = &fixture.identity.accounts;
        accounts
            .revoke_pat(&fixture.operator, &fixture.pca, issued.record.id)
            .await
            .unwrap();
        stop.store(true, Ordering::Relaxed);
        for opener in openers {
            let opened = opener.await.unwrap();
            assert!(opened.iter().all(|session| session.end_now().is_some()));
        }
    }
    assert!(fixture.identity.registry.is_empty());
}
