//! After any sequence of operations, the tokens that authenticate are those listed as active (iam 8.14).

use std::time::Duration;

use proptest::prelude::*;

use super::fixture::Fixture;
use super::fixture::HERE;
use crate::iam::AccountPolicy;
use crate::iam::AccountRecord;
use crate::iam::AuthError;
use crate::iam::Identity;
use crate::iam::Issued;
use crate::iam::Limit;
use crate::iam::Role;
use crate::iam::Rotation;
use crate::iam::Standing;
use crate::iam::State;
use crate::iam::TenantPolicy;

#[derive(Clone, Debug)]
enum Operation {
    Advance(u64),
    Chores,
    Delete(usize),
    Issue {
        account: usize,
        ttl: u64,
    },
    Revoke(usize),
    RevokeAll(usize),
    RevokeShown(usize),
    Rotate {
        token: usize,
        overlap: u64,
    },
    SetLifetime(Option<u64>),
    SetRoles(usize, Role),
    SetState(usize, State),
    SetTenantState(State),
    StepBack(u64),
    /// Tokens before so many seconds ago are void: of an account, or of all.
    Void(Option<usize>, u64),
}

const ACCOUNTS: usize = 2;

fn operation() -> impl Strategy<Value = Operation> {
    let account = 0..ACCOUNTS;
    let state = || prop_oneof![Just(State::Active), Just(State::Disabled)];
    prop_oneof![
        3 => (1..100_u64).prop_map(Operation::Advance),
        1 => account.clone().prop_map(Operation::Delete),
        4 => (account.clone(), 1..100_u64)
            .prop_map(|(account, ttl)| Operation::Issue { account, ttl }),
        3 => (0..8_usize).prop_map(Operation::Revoke),
        1 => account.clone().prop_map(Operation::RevokeAll),
        3 => (account.clone(), state())
            .prop_map(|(account, state)| Operation::SetState(account, state)),
        1 => state().prop_map(Operation::SetTenantState),
        1 => (1..100_u64).prop_map(Operation::StepBack),
        1 => Just(Operation::Chores),
        1 => (0..8_usize).prop_map(Operation::RevokeShown),
        2 => (0..8_usize, 0..60_u64)
            .prop_map(|(token, overlap)| Operation::Rotate { token, overlap }),
        2 => proptest::option::of(60..120_u64).prop_map(Operation::SetLifetime),
        1 => (account.clone(), prop_oneof![Just(Role::TenantAdmin), Just(Role::TenantPortal)])
            .prop_map(|(account, role)| Operation::SetRoles(account, role)),
        1 => (proptest::option::of(account), 0..40_u64)
            .prop_map(|(account, ago)| Operation::Void(account, ago)),
    ]
}

/// Does it through `by`: the process that authenticates, or another one. What cannot be done is not.
async fn perform(
    fixture: &Fixture,
    by: &Identity,
    accounts: &[AccountRecord],
    issued: &mut Vec<Issued>,
    operation: Operation,
) {
    let (operator, pca) = (&fixture.operator, &fixture.pca);
    let identity = by;
    let by = &by.accounts;
    match operation {
        Operation::Advance(secs) => fixture.clock.advance(Duration::from_secs(secs)),
        Operation::StepBack(secs) => {
            fixture.clock.set(
                fixture
                    .clock
                    .now()
                    .saturating_sub(Duration::from_secs(secs)),
            );
        }
        Operation::Delete(account) => {
            let _ = by.delete(operator, pca, accounts[account].id).await;
        }
        Operation::Issue { account, ttl } => {
            let new = crate::iam::NewPat::until(fixture.after(Duration::from_secs(ttl)));
            issued.extend(
                by.create_pat(operator, pca, accounts[account].id, new)
                    .await
                    .ok(),
            );
        }
        Operation::Revoke(token) => {
            if let Some(token) = issued.get(token) {
                let _ = by.revoke_pat(operator, pca, token.record.id).await;
            }
        }
        Operation::RevokeAll(account) => {
            let _ = by
                .revoke_all_pats(operator, pca, accounts[account].id)
                .await;
        }
        Operation::SetState(account, state) => {
            let _ = by
                .set_state(operator, pca, accounts[account].id, state)
                .await;
        }
        Operation::SetTenantState(state) => {
            by.set_tenant_state(operator, pca, state).await.unwrap();
        }
        Operation::SetRoles(account, role) => {
            let _ = by
                .set_roles(operator, pca, accounts[account].id, role.into())
                .await;
        }
        other => perform_more(fixture, identity, accounts, issued, other).await,
    }
}

async fn perform_more(
    fixture: &Fixture,
    identity: &Identity,
    accounts: &[AccountRecord],
    issued: &mut Vec<Issued>,
    operation: Operation,
) {
    let (operator, pca) = (&fixture.operator, &fixture.pca);
    let by = &identity.accounts;
    match operation {
        Operation::Chores => {
            identity.chores.turn().await.unwrap();
        }
        Operation::RevokeShown(token) => {
            if let Some(token) = issued.get(token) {
                let origin = crate::audit::Origin::default();
                by.revoke_shown(&identity.authenticator, &token.token, None, origin, HERE)
                    .await
                    .unwrap();
            }
        }
        Operation::Rotate { token, overlap } => {
            if let Some(token) = issued.get(token) {
                let rotation = Rotation {
                    overlap: Duration::from_secs(overlap),
                    expires: None,
                    name: String::new(),
                    scopes: None,
                    networks: None,
                };
                let (account, old) = (token.record.account, token.record.id);
                let rotated = by.rotate_pat(operator, pca, account, old, rotation).await;
                issued.extend(rotated.ok().map(|(issued, _)| issued));
            }
        }
        Operation::SetLifetime(most) => {
            let policy = TenantPolicy {
                max_pat_lifetime: most
                    .map_or(Limit::Lifted, |most| Limit::Set(Duration::from_secs(most))),
                ..TenantPolicy::default()
            };
            by.set_tenant_policy(operator, pca, policy).await.unwrap();
        }
        Operation::Void(account, ago) => {
            let at = by.now().saturating_sub(Duration::from_secs(ago));
            let tokens_not_before = Some(at);
            let Some(account) = account else {
                let policy = TenantPolicy {
                    tokens_not_before,
                    ..TenantPolicy::default()
                };
                let _ = by.set_tenant_policy(operator, pca, policy).await;
                return;
            };
            let policy = AccountPolicy {
                tokens_not_before,
                ..AccountPolicy::default()
            };
            let id = accounts[account].id;
            let _ = by.set_account_policy(operator, pca, id, policy).await;
        }
        other => panic!("{other:?} is not done"),
    }
}

async fn no_zombies(operations: Vec<(bool, Operation)>) {
    let fixture = Fixture::with(|config| {
        config.throttle.inactive_burst = 1_000_000;
        config.throttle.failure_burst = 1_000_000;
        config.retention = Duration::from_secs(50);
    })
    .await;
    let other = fixture.another().await;
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        accounts.push(
            fixture
                .machine(&format!("a{number}"), Role::TenantUser)
                .await,
        );
    }
    let mut issued = Vec::new();
    for (elsewhere, operation) in operations {
        let by = if elsewhere { &other } else { &fixture.identity };
        perform(&fixture, by, &accounts, &mut issued, operation.clone()).await;
        if elsewhere {
            fixture.catch_up().await;
        }
        let (mut active, mut listed) = (Vec::new(), Vec::new());
        for account in &accounts {
            let by = &fixture.identity.accounts;
            let views = by.pats(&fixture.operator, &fixture.pca, account.id).await;
            for view in views.into_iter().flatten() {
                listed.push(view.record.id);
                if matches!(view.standing, Standing::Active(_)) {
                    active.push(view.record.id);
                }
            }
        }
        for token in &issued {
            let outcome = fixture.bearer(&token.token).await;
            if listed.contains(&token.record.id) {
                assert_ne!(outcome, Err(AuthError::Unknown), "{operation:?}");
            }
            let is_active = active.contains(&token.record.id);
            assert_eq!(outcome.is_ok(), is_active, "{operation:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 32, ..ProptestConfig::default() })]

    #[test]
    fn tokens_that_authenticate_are_those_listed_as_active(
        operations in proptest::collection::vec((any::<bool>(), operation()), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(no_zombies(operations));
    }
}
