//! After any sequence of operations, the tokens that authenticate are those listed as active (iam 8.14).

use std::time::Duration;

use proptest::prelude::*;

use super::fixture::Fixture;
use crate::iam::AccountRecord;
use crate::iam::AuthError;
use crate::iam::Identity;
use crate::iam::Issued;
use crate::iam::Role;
use crate::iam::Standing;
use crate::iam::State;

#[derive(Clone, Debug)]
enum Operation {
    Advance(u64),
    Delete(usize),
    Issue { account: usize, ttl: u64 },
    Revoke(usize),
    RevokeAll(usize),
    SetState(usize, State),
    SetTenantState(State),
    StepBack(u64),
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
        3 => (account, state()).prop_map(|(account, state)| Operation::SetState(account, state)),
        1 => state().prop_map(Operation::SetTenantState),
        1 => (1..100_u64).prop_map(Operation::StepBack),
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
    }
}

async fn no_zombies(operations: Vec<(bool, Operation)>) {
    let fixture = Fixture::with(|config| {
        config.throttle.inactive_burst = 1_000_000;
        config.throttle.failure_burst = 1_000_000;
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
        let mut active = Vec::new();
        for account in &accounts {
            let by = &fixture.identity.accounts;
            let views = by.pats(&fixture.operator, &fixture.pca, account.id).await;
            let is_active = |standing: &Standing| matches!(standing, Standing::Active(_));
            let listed = views
                .into_iter()
                .flatten()
                .filter(|view| is_active(&view.standing));
            active.extend(listed.map(|view| view.record.id));
        }
        for token in &issued {
            let outcome = fixture.bearer(&token.token).await;
            assert_ne!(outcome, Err(AuthError::Unknown), "{operation:?}");
            assert_eq!(
                outcome.is_ok(),
                active.contains(&token.record.id),
                "{operation:?}"
            );
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
