//! The store goes away (iam R6).

use std::time::Duration;

use super::fixture::Fixture;
use super::fixture::HERE;
use super::fixture::PASSWORD;
use crate::iam::Action;
use crate::iam::AuthError;
use crate::iam::Reason;
use crate::iam::Role;
use crate::iam::permit;
use crate::model::Class;

#[tokio::test]
async fn cached_token_outlasts_an_outage_for_a_minute_and_nothing_else_is_called_bad() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    fixture.person("pca", "anna", Role::TenantUser).await;
    let (known, new) = (fixture.pat(&account).await, fixture.pat(&account).await);
    fixture.bearer(&known.token).await.unwrap();
    fixture.store.close().await;

    fixture
        .clock
        .advance(fixture.config.cache_ttl + Duration::from_secs(1));
    assert!(fixture.bearer(&known.token).await.is_ok());
    assert_eq!(
        fixture.bearer(&new.token).await,
        Err(AuthError::Unavailable)
    );
    assert_eq!(
        fixture.login("anna", PASSWORD).await,
        Err(AuthError::Unavailable)
    );
    assert_eq!(AuthError::Unavailable.class(), Class::Unavailable);

    fixture.clock.advance(Duration::from_secs(30));
    assert_eq!(
        fixture.bearer(&known.token).await,
        Err(AuthError::Unavailable)
    );
}

#[tokio::test]
async fn all_sessions_end_when_the_log_cannot_be_read_for_longer_than_the_grace() {
    let fixture = Fixture::with(|config| {
        config.outage_grace = Duration::ZERO;
        config.poll_interval = Duration::from_millis(1);
    })
    .await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    let principal = fixture.bearer(&issued.token).await.unwrap();
    let allowed = permit(&principal, Action::Read, None).unwrap();
    let mut session = fixture
        .identity
        .registry
        .open(&principal, &allowed, HERE, 1)
        .unwrap();
    fixture.store.close().await;
    let end = tokio::select! {
        end = session.ended() => end,
        () = fixture.identity.tail.follow() => panic!("the log is followed for ever"),
    };
    assert_eq!(
        (end.reason, end.reason.class()),
        (Reason::StoreUnreachable, Class::Unavailable)
    );
    assert_eq!(
        fixture.bearer(&issued.token).await,
        Err(AuthError::Unavailable)
    );
}
