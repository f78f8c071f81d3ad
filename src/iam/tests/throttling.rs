//! Failures cost, successes do not (iam L1-L3).

use super::fixture::ELSEWHERE;
use super::fixture::Fixture;
use super::fixture::HERE;
use super::fixture::PASSWORD;
use crate::iam::AuthError;
use crate::iam::Caller;
use crate::iam::Role;
use crate::iam::pat;
use crate::model::TenantId;
use crate::secret::Secret;

fn is_throttled<T>(outcome: &Result<T, AuthError>) -> bool {
    matches!(outcome, Err(AuthError::Throttled { .. }))
}

#[tokio::test]
async fn good_tokens_pass_from_an_address_that_is_held_off() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    fixture.person("pca", "anna", Role::TenantUser).await;
    let (cached, uncached) = (fixture.pat(&account).await, fixture.pat(&account).await);
    fixture.bearer(&cached.token).await.unwrap();
    for count in 0..100 {
        let outcome = fixture.bearer(&Secret::new("garbage")).await;
        assert_eq!(is_throttled(&outcome), count >= 40, "{count}");
    }
    let retry = fixture
        .bearer(&pat::generate(crate::iam::TokenKind::Pat).unwrap())
        .await
        .unwrap_err()
        .retry_after();
    assert!(retry.is_some_and(|retry| !retry.is_zero()));
    fixture.bearer(&cached.token).await.unwrap();
    fixture.bearer(&uncached.token).await.unwrap();
    assert!(
        is_throttled(&fixture.login("anna", PASSWORD).await),
        "passwords cost too much"
    );
    fixture
        .login_from("anna", PASSWORD, ELSEWHERE)
        .await
        .unwrap();
    fixture.login("anna", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn inactive_token_has_a_bucket_of_its_own_and_few_lines_in_the_trail() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let stale = fixture.pat(&account).await;
    let accounts = &fixture.identity.accounts;
    accounts
        .revoke_pat(&fixture.operator, &fixture.pca, stale.record.id)
        .await
        .unwrap();
    let before = fixture.identity.tail.trail.pending();
    for count in 0..100 {
        let outcome = fixture.bearer(&stale.token).await;
        assert_eq!(is_throttled(&outcome), count >= 5, "{count}");
    }
    assert_eq!(fixture.identity.tail.trail.pending() - before, 2);
    let neighbour = fixture.bearer(&Secret::new("garbage")).await;
    assert_eq!(
        neighbour,
        Err(AuthError::Garbled),
        "the address is not charged"
    );
}

#[tokio::test]
async fn user_is_locked_out_from_one_network_without_being_told() {
    let fixture = Fixture::new().await;
    let anna = fixture.person("pca", "anna", Role::TenantUser).await;
    for _ in 0..5 {
        assert!(matches!(
            fixture.login("anna", "wrong").await,
            Err(AuthError::WrongPassword { .. })
        ));
    }
    let locked = fixture.login("anna", PASSWORD).await.unwrap_err();
    assert_eq!(
        (locked, locked.to_string()),
        (AuthError::LockedOut, "invalid credentials".into())
    );
    fixture
        .login_from("anna", PASSWORD, ELSEWHERE)
        .await
        .unwrap();
    let authenticator = &fixture.identity.authenticator;
    let tenant = TenantId::new("pca");
    let locked = authenticator.locked(&tenant);
    assert_eq!((locked.len(), locked[0].network), (1, HERE));
    let accounts = &fixture.identity.accounts;
    accounts
        .lift_lockout(&Caller::operator(), &tenant, anna.id)
        .await
        .unwrap();
    fixture.identity.tail.catch_up(0).await.unwrap();
    assert_eq!(authenticator.locked(&tenant), []);
    fixture.login("anna", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn caches_and_counters_stay_bounded_under_a_flood_of_unknown_tokens() {
    let fixture = Fixture::with(|config| {
        config.negative_entries = 10;
        config.throttle.failure_burst = 1_000_000;
    })
    .await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let good = fixture.pat(&account).await;
    fixture.bearer(&good.token).await.unwrap();
    for _ in 0..100 {
        let outcome = fixture
            .bearer(&pat::generate(crate::iam::TokenKind::Pat).unwrap())
            .await;
        assert_eq!(outcome, Err(AuthError::Unknown));
    }
    let inner = &fixture.identity.authenticator.0;
    assert!(inner.negative.len() <= 10);
    assert_eq!(inner.positive.len(), 1);
}
