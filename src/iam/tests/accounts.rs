//! Who may manage whom, and what is left of it in the audit trail.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::Fixture;
use super::fixture::START;
use crate::audit;
use crate::audit::Log as _;
use crate::iam::AccountKind;
use crate::iam::AccountRecord;
use crate::iam::AccountsError;
use crate::iam::Caller;
use crate::iam::Denied;
use crate::iam::NewAccount;
use crate::iam::NewPat;
use crate::iam::Role;
use crate::iam::Scope;
use crate::iam::Standing;
use crate::iam::State;
use crate::iam::port::RecordsError;
use crate::model::Expiry;
use crate::model::TenantId;
use crate::secret::Secret;

async fn caller(fixture: &Fixture, account: &AccountRecord) -> Caller {
    let issued = fixture.pat(account).await;
    let principal = fixture.bearer(&issued.token).await.unwrap();
    Caller::principal(&Arc::clone(&principal), audit::Origin::default())
}

const EXCEEDS: AccountsError = AccountsError::Denied(Denied::RolesExceed);

#[tokio::test]
async fn nobody_gives_or_takes_more_than_it_has() {
    let fixture = Fixture::new().await;
    let (accounts, pca) = (&fixture.identity.accounts, &fixture.pca);
    let admin = fixture.machine("admin", Role::TenantAdmin).await;
    let manager = fixture
        .machine("manager", Role::ServiceAccountManager)
        .await;
    let by_manager = caller(&fixture, &manager).await;
    let by_admin = caller(&fixture, &admin).await;
    let until = || NewPat::until(fixture.after(Duration::from_mins(1)));

    let new = |role: Role| NewAccount::machine(pca.clone(), role.as_str(), role.into());
    for (caller, role, allowed) in [
        (&by_manager, Role::TenantAdmin, false),
        (&by_manager, Role::TenantPortal, false),
        (&by_manager, Role::ServiceAccountManager, true),
        (&by_admin, Role::SkylightAdmin, false),
        (&by_admin, Role::TenantAdmin, true),
        (&by_admin, Role::TenantUser, true),
    ] {
        let created = accounts.create_account(caller, new(role), None).await;
        assert_eq!(
            created.as_ref().err(),
            (!allowed).then_some(&EXCEEDS),
            "{role}"
        );
    }
    let minted = accounts
        .create_pat(&by_manager, pca, admin.id, until())
        .await;
    assert_eq!(minted.unwrap_err(), EXCEEDS);
    let deleted = accounts.delete(&by_manager, pca, admin.id).await;
    assert_eq!(deleted.unwrap_err(), EXCEEDS);
    let raised = accounts
        .set_roles(&by_manager, pca, manager.id, Role::TenantAdmin.into())
        .await;
    assert_eq!(raised, Err(EXCEEDS));
    accounts
        .create_pat(&by_manager, pca, manager.id, until())
        .await
        .unwrap();
    assert!(accounts.create_tenant(&by_admin, "third").await.is_err());
}

#[tokio::test]
async fn person_manages_its_own_tokens_and_no_others() {
    let fixture = Fixture::new().await;
    let (accounts, pca) = (&fixture.identity.accounts, &fixture.pca);
    let anna = fixture.person("pca", "anna", Role::TenantUser).await;
    let machine = fixture.machine("export", Role::TenantUser).await;
    let (by_anna, by_machine) = (
        caller(&fixture, &anna).await,
        caller(&fixture, &machine).await,
    );
    let until = || NewPat::until(fixture.after(Duration::from_mins(1)));
    let issued = accounts
        .create_pat(&by_anna, pca, anna.id, until())
        .await
        .unwrap();
    assert_eq!(issued.record.created_by, Some(anna.id));
    assert_eq!(
        accounts.pats(&by_anna, pca, anna.id).await.unwrap().len(),
        2
    );
    accounts
        .revoke_pat(&by_anna, pca, issued.record.id)
        .await
        .unwrap();
    for refused in [
        accounts
            .create_pat(&by_anna, pca, machine.id, until())
            .await,
        accounts
            .create_pat(&by_machine, pca, machine.id, until())
            .await,
    ] {
        assert!(matches!(
            refused,
            Err(AccountsError::Denied(Denied::MissingRole { .. }))
        ));
    }

    let narrow = NewPat {
        scopes: vec![Scope::ReadOnly],
        ..until()
    };
    let narrow = accounts
        .create_pat(&by_anna, pca, anna.id, narrow)
        .await
        .unwrap();
    let narrow = fixture.bearer(&narrow.token).await.unwrap();
    let by_narrow = Caller::principal(&narrow, audit::Origin::default());
    assert!(
        accounts
            .create_pat(&by_narrow, pca, anna.id, until())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn other_tenants_are_denied_and_their_ids_are_not_there() {
    let fixture = Fixture::new().await;
    let accounts = &fixture.identity.accounts;
    let admin = fixture.machine("admin", Role::TenantAdmin).await;
    let by_admin = caller(&fixture, &admin).await;
    let foreign = fixture.person("other", "anna", Role::TenantUser).await;
    let token = fixture.pat(&foreign).await.record.id;
    let other = TenantId::new("other");
    let denied = AccountsError::Denied(Denied::ForeignTenant);
    let not_found = |what| AccountsError::Records(RecordsError::NotFound(what));
    let pca = &fixture.pca;
    let refused = accounts
        .set_state(&by_admin, &other, foreign.id, State::Disabled)
        .await;
    assert_eq!(refused, Err(denied));
    let refused = accounts
        .set_state(&by_admin, pca, foreign.id, State::Disabled)
        .await;
    assert_eq!(refused, Err(not_found("account")));
    assert_eq!(
        accounts
            .revoke_pat(&by_admin, pca, token)
            .await
            .unwrap_err(),
        not_found("token")
    );
    assert_eq!(
        accounts
            .revoke_pat(&by_admin, &other, token)
            .await
            .unwrap_err(),
        denied
    );
    assert_eq!(accounts.tenants(&by_admin).await.unwrap().len(), 1);
}

#[tokio::test]
async fn bad_requests_name_the_field() {
    let fixture = Fixture::new().await;
    let accounts = &fixture.identity.accounts;
    let user = Role::TenantUser;
    let machine = |username: &str| NewAccount::machine(fixture.pca.clone(), username, user.into());
    let long = |most: usize| "ä".repeat(most);
    for (new, field) in [
        (machine(" "), Some("username")),
        (machine("a b"), Some("username")),
        (machine("a\0"), Some("username")),
        (machine(&long(201)), Some("username")),
        (machine(&long(200)), None),
        (
            NewAccount {
                description: long(501),
                ..machine("a")
            },
            Some("description"),
        ),
        (
            NewAccount {
                description: long(500),
                ..machine("b")
            },
            None,
        ),
        (
            NewAccount {
                password: Some(Secret::new("short")),
                ..machine("c")
            },
            Some("password"),
        ),
    ] {
        let created = accounts.create_account(&fixture.operator, new, None).await;
        let named = match created {
            Err(AccountsError::InvalidField { field, .. }) => Some(field),
            Ok(_) => None,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(named, field);
    }
}

#[tokio::test]
async fn token_ends_in_the_future_and_its_name_is_free() {
    let fixture = Fixture::new().await;
    let accounts = &fixture.identity.accounts;
    let account = fixture.machine("export", Role::TenantUser).await;
    for (secs, allowed) in [(-1, false), (0, false), (1, true)] {
        let new = NewPat::until(Expiry::from_secs(START.secs() + secs));
        let issued = accounts
            .create_pat(&fixture.operator, &fixture.pca, account.id, new)
            .await;
        assert_eq!(issued.is_ok(), allowed, "{secs}");
    }
    let twice = || NewPat {
        name: "2026-q4".to_owned(),
        ..NewPat::until(Expiry::NEVER)
    };
    let create = || accounts.create_pat(&fixture.operator, &fixture.pca, account.id, twice());
    let first = create().await.unwrap();
    let taken = AccountsError::Records(RecordsError::PatNameTaken);
    assert_eq!(create().await.unwrap_err(), taken);
    accounts
        .revoke_pat(&fixture.operator, &fixture.pca, first.record.id)
        .await
        .unwrap();
    create().await.unwrap();
    assert!(
        accounts
            .create_tenant(&fixture.operator, "a/b")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn every_mutation_leaves_exactly_one_event_and_the_chain_holds() {
    let fixture = Fixture::new().await;
    let (accounts, operator, pca) = (&fixture.identity.accounts, &fixture.operator, &fixture.pca);
    let first = NewPat {
        name: "first".to_owned(),
        ..NewPat::until(Expiry::NEVER)
    };
    let new = NewAccount::machine(pca.clone(), "export", Role::TenantUser.into());
    let (account, issued) = accounts
        .create_account(operator, new, Some(first))
        .await
        .unwrap();
    assert_eq!(account.kind, AccountKind::Machine);
    accounts
        .set_roles(operator, pca, account.id, Role::TenantPortal.into())
        .await
        .unwrap();
    accounts
        .set_state(operator, pca, account.id, State::Disabled)
        .await
        .unwrap();
    let views = accounts.pats(operator, pca, account.id).await.unwrap();
    assert_eq!(views[0].standing, Standing::Disabled);
    accounts
        .set_state(operator, pca, account.id, State::Active)
        .await
        .unwrap();
    let second = fixture.pat(&account).await;
    accounts
        .revoke_pat(operator, pca, issued.unwrap().record.id)
        .await
        .unwrap();
    accounts
        .revoke_all_pats(operator, pca, account.id)
        .await
        .unwrap();
    accounts.delete(operator, pca, account.id).await.unwrap();
    let refused = fixture.bearer(&second.token).await;
    assert!(refused.is_err());
    fixture.identity.tail.finish().await;

    let links = fixture.store.links(0, 100).await.unwrap();
    audit::verify(&links, 0, [0; 32]).unwrap();
    let kinds = links.iter().map(|link| {
        let body: serde_json::Value = serde_json::from_str(&link.body).unwrap();
        body["event"].as_str().unwrap().to_owned()
    });
    assert_eq!(kinds.collect::<Vec<_>>(), EVENTS);
    assert!(
        links[3].body.contains("from tenant-user to tenant-portal"),
        "{}",
        links[3].body
    );
}

#[tokio::test]
async fn events_older_than_the_retention_go_and_the_rest_still_verifies() {
    let day = Duration::from_hours(24);
    let fixture = Fixture::with(|config| config.audit_retention = day).await;
    let accounts = &fixture.identity.accounts;
    fixture.clock.advance(day);
    fixture.machine("young", Role::TenantUser).await;
    fixture.identity.tail.cut_trail().await;
    let verified = accounts.verify_events().await.unwrap();
    assert_eq!(verified.beginning.seq, 0, "as old as that is not older");

    fixture.clock.advance(Duration::from_secs(1));
    fixture.identity.tail.cut_trail().await;
    let verified = accounts.verify_events().await.unwrap();
    assert_eq!((verified.beginning.seq, verified.seq), (2, 4));
    let query = audit::EventQuery::of(None);
    let left = accounts.events(&fixture.operator, &query).await.unwrap();
    let (first, cut) = (&left[0].body, &left[1].body);
    assert!(first.contains("account.created"), "{first}");
    assert!(
        cut.contains("audit.cut") && cut.contains("up to 2, "),
        "{cut}"
    );
}

const EVENTS: [&str; 11] = [
    "tenant.created",
    "tenant.created",
    "account.created",
    "account.roles_changed",
    "account.disabled",
    "account.enabled",
    "pat.created",
    "pat.revoked",
    "pat.revoked",
    "account.deleted",
    "authentication.failed",
];
