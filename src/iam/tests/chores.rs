//! Tokens that end are told of once, and forgotten late.

use std::time::Duration;

use tokio::sync::broadcast::error::TryRecvError;

use super::fixture::Fixture;
use crate::audit::Log as _;
use crate::iam::AccountRecord;
use crate::iam::Notice;
use crate::iam::Role;
use crate::iam::Rotation;
use crate::iam::State;

const DAY: Duration = Duration::from_hours(24);

/// Kinds of events since the start, of those that end in one of these words.
async fn events(fixture: &Fixture, words: &[&str]) -> Vec<String> {
    let links = fixture.store.links(0, 1_000).await.unwrap();
    let kinds = links.iter().filter_map(|link| {
        let body: serde_json::Value = serde_json::from_str(&link.body).unwrap();
        body["event"].as_str().map(str::to_owned)
    });
    kinds
        .filter(|kind| words.iter().any(|word| kind.ends_with(word)))
        .collect()
}

async fn listed(fixture: &Fixture, account: &AccountRecord) -> usize {
    let accounts = &fixture.identity.accounts;
    let views = accounts
        .pats(&fixture.operator, &fixture.pca, account.id)
        .await;
    views.unwrap().len()
}

#[tokio::test]
async fn each_threshold_is_told_once_among_all_nodes() {
    let fixture = Fixture::new().await;
    let other = fixture.another().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat_for(&account, 90 * DAY).await;
    let mut heard = [fixture.identity.notices(), other.notices()];
    let mut told = Vec::new();
    for day in 0..=91_u32 {
        for node in [&fixture.identity, &other, &fixture.identity] {
            node.chores.turn().await.unwrap();
        }
        for receiver in &mut heard {
            while let Ok(notice) = receiver.try_recv() {
                let Notice { token, expires, .. } = notice;
                assert_eq!((token, expires), (issued.record.id, issued.record.expires));
                told.push((90 - i64::from(day), notice.days));
            }
        }
        fixture.clock.advance(DAY);
    }
    assert_eq!(told, [(30, 30), (14, 14), (7, 7), (1, 1), (0, 0)]);
    let told = events(&fixture, &["expiring", "expired"]).await;
    let expiring = ["pat.expiring"; 4];
    assert_eq!(told, [&expiring[..], &["pat.expired"]].concat());
}

#[tokio::test]
async fn short_lived_replaced_and_disabled_tokens_are_not_warned_of() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let mut heard = fixture.identity.notices();
    // A week's token is first warned of a day before its end.
    fixture.pat_for(&account, 7 * DAY).await;
    let replaced = fixture.pat_for(&account, 100 * DAY).await;
    let rotation = Rotation {
        overlap: DAY,
        expires: None,
        name: String::new(),
        scopes: None,
        networks: None,
    };
    let accounts = &fixture.identity.accounts;
    let (operator, pca) = (&fixture.operator, &fixture.pca);
    let rotated = accounts.rotate_pat(operator, pca, account.id, replaced.record.id, rotation);
    rotated.await.unwrap();
    fixture.identity.chores.turn().await.unwrap();
    assert_eq!(heard.try_recv(), Err(TryRecvError::Empty));
    fixture.clock.advance(6 * DAY);
    accounts
        .set_state(operator, pca, account.id, State::Disabled)
        .await
        .unwrap();
    fixture.identity.chores.turn().await.unwrap();
    assert_eq!(heard.try_recv(), Err(TryRecvError::Empty));
    accounts
        .set_state(operator, pca, account.id, State::Active)
        .await
        .unwrap();
    fixture.identity.chores.turn().await.unwrap();
    assert_eq!(heard.try_recv().map(|notice| notice.days), Ok(1));
}

#[tokio::test]
async fn tokens_are_purged_after_the_retention_and_not_before() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let (expired, revoked) = (
        fixture.pat_for(&account, DAY).await,
        fixture.pat_for(&account, 300 * DAY).await,
    );
    let kept = fixture.pat_for(&account, 300 * DAY).await;
    let accounts = &fixture.identity.accounts;
    accounts
        .revoke_pat(&fixture.operator, &fixture.pca, revoked.record.id)
        .await
        .unwrap();
    fixture.clock.advance(90 * DAY);
    fixture.identity.chores.turn().await.unwrap();
    assert_eq!(listed(&fixture, &account).await, 3);
    fixture.clock.advance(Duration::from_secs(1));
    fixture.identity.chores.turn().await.unwrap();
    assert_eq!(listed(&fixture, &account).await, 2);
    fixture.clock.advance(DAY);
    fixture.identity.chores.turn().await.unwrap();
    assert_eq!(listed(&fixture, &account).await, 1);
    fixture.bearer(&kept.token).await.unwrap();
    assert!(fixture.bearer(&expired.token).await.is_err());
    assert_eq!(events(&fixture, &["purged"]).await.len(), 2);
}
