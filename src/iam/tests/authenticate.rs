//! Who gets in, and why not.

use std::time::Duration;

use super::fixture::ELSEWHERE;
use super::fixture::Fixture;
use super::fixture::HERE;
use super::fixture::PASSWORD;
use super::fixture::START;
use crate::audit;
use crate::audit::Event;
use crate::iam::AuthError;
use crate::iam::NewPat;
use crate::iam::PatText;
use crate::iam::Pepper;
use crate::iam::Role;
use crate::iam::State;
use crate::iam::pat;
use crate::iam::port::Mutation;
use crate::iam::port::Records as _;
use crate::secret::Secret;

#[tokio::test]
async fn token_tells_its_account_until_it_expires() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("siem-export", Role::TenantUser).await;
    let issued = fixture.pat_for(&account, Duration::from_mins(1)).await;
    let principal = fixture.bearer(&issued.token).await.unwrap();
    assert_eq!(
        (principal.account, &*principal.username),
        (account.id, "siem-export")
    );
    assert_eq!(
        (principal.token, principal.roles),
        (Some(issued.record.id), account.roles)
    );
    assert_eq!(principal.expires, issued.record.expires);

    let expired = Err(AuthError::PatExpired {
        token: issued.record.id,
    });
    fixture.clock.advance(Duration::from_secs(59));
    assert!(fixture.bearer(&issued.token).await.is_ok());
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(fixture.bearer(&issued.token).await, expired);
    fixture.clock.set(START);
    assert_eq!(
        fixture.bearer(&issued.token).await,
        expired,
        "stepping back revives nothing"
    );

    fixture.identity.tail.finish().await;
    let restarted = Fixture {
        identity: fixture.another().await,
        ..fixture
    };
    assert_eq!(
        restarted.bearer(&issued.token).await,
        expired,
        "nor does a restart"
    );
}

#[tokio::test]
async fn reasons_are_told_to_who_holds_a_real_token_alone() {
    let fixture = Fixture::with(|config| config.throttle.lockout_failures = 100).await;
    let account = fixture.machine("export", Role::TenantUser).await;
    fixture.person("pca", "anna", Role::TenantUser).await;
    let revoked = fixture.pat(&account).await;
    let accounts = &fixture.identity.accounts;
    let operator = &fixture.operator;
    accounts
        .revoke_pat(operator, &fixture.pca, revoked.record.id)
        .await
        .unwrap();
    let id = revoked.record.id;
    let refused = fixture.bearer(&revoked.token).await.unwrap_err();
    assert_eq!(refused, AuthError::PatRevoked { token: id });
    assert_eq!(
        (refused.to_string(), refused.reason()),
        ("token revoked".into(), "token_revoked")
    );

    let unknown = pat::generate(crate::iam::TokenKind::Pat).unwrap();
    for (refused, reason) in [
        (fixture.bearer(&unknown).await, "unknown"),
        (fixture.bearer(&Secret::new("garbage")).await, "garbled"),
        (
            fixture.login("anna", "wrong password").await,
            "wrong_password",
        ),
        (fixture.login("nobody", PASSWORD).await, "unknown"),
        (fixture.login("export", PASSWORD).await, "unknown"),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.reason(), refused.is_telling()), (reason, false));
        assert_eq!(refused.to_string(), "invalid credentials");
    }
}

#[tokio::test]
async fn disabled_account_and_tenant_come_back() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    let token = Some(issued.record.id);
    let (accounts, operator, pca) = (&fixture.identity.accounts, &fixture.operator, &fixture.pca);
    fixture.bearer(&issued.token).await.unwrap();

    accounts
        .set_state(operator, pca, account.id, State::Disabled)
        .await
        .unwrap();
    let disabled = Err(AuthError::AccountDisabled { token });
    assert_eq!(fixture.bearer(&issued.token).await, disabled);
    accounts
        .set_state(operator, pca, account.id, State::Active)
        .await
        .unwrap();
    fixture.bearer(&issued.token).await.unwrap();

    accounts
        .set_tenant_state(operator, pca, State::Disabled)
        .await
        .unwrap();
    assert_eq!(fixture.bearer(&issued.token).await, disabled);
    accounts
        .set_tenant_state(operator, pca, State::Active)
        .await
        .unwrap();
    fixture.bearer(&issued.token).await.unwrap();

    accounts.delete(operator, pca, account.id).await.unwrap();
    let gone = Err(AuthError::PatRevoked {
        token: issued.record.id,
    });
    assert_eq!(fixture.bearer(&issued.token).await, gone);
}

#[tokio::test]
async fn pat_is_a_password_under_its_accounts_names() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("Export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    let token = issued.token.expose();
    for username in [
        "token",
        "TOKEN",
        "export",
        "Export",
        "export@pca",
        "EXPORT@PCA",
    ] {
        assert!(fixture.login(username, token).await.is_ok(), "{username}");
    }
    for username in ["", "somebody", "export@other", "export@", "exportpca"] {
        let refused = fixture.login(username, token).await;
        assert_eq!(refused, Err(AuthError::UsernameMismatch), "{username}");
    }
}

#[tokio::test]
async fn bare_username_of_two_tenants_is_refused() {
    let fixture = Fixture::new().await;
    let anna = fixture.person("pca", "Anna", Role::TenantUser).await;
    assert_eq!(
        fixture.login("anna", PASSWORD).await.unwrap().account,
        anna.id
    );
    let namesake = fixture.person("other", "anna", Role::TenantUser).await;
    fixture.clock.advance(fixture.config.password.success_ttl);
    assert_eq!(
        fixture.login("anna", PASSWORD).await,
        Err(AuthError::Ambiguous)
    );
    assert_eq!(
        fixture.login("anna@pca", PASSWORD).await.unwrap().account,
        anna.id
    );
    assert_eq!(
        fixture.login("ANNA@other", PASSWORD).await.unwrap().account,
        namesake.id
    );
    let odd = fixture.person("pca", "eve@mail", Role::TenantUser).await;
    assert_eq!(
        fixture.login("eve@mail", PASSWORD).await.unwrap().account,
        odd.id
    );
}

#[tokio::test]
async fn new_password_voids_the_old_at_once() {
    let fixture = Fixture::new().await;
    let anna = fixture.person("pca", "anna", Role::TenantUser).await;
    fixture.login("anna", PASSWORD).await.unwrap();
    let new = Secret::new("another one");
    let accounts = &fixture.identity.accounts;
    accounts
        .set_password(&fixture.operator, &fixture.pca, anna.id, new)
        .await
        .unwrap();
    assert!(matches!(
        fixture.login("anna", PASSWORD).await,
        Err(AuthError::WrongPassword { .. })
    ));
    fixture.login("anna", "another one").await.unwrap();
    accounts
        .set_state(&fixture.operator, &fixture.pca, anna.id, State::Disabled)
        .await
        .unwrap();
    let refused = fixture.login("anna", "another one").await;
    assert_eq!(refused, Err(AuthError::AccountDisabled { token: None }));
}

#[tokio::test]
async fn password_is_hashed_again_when_the_parameters_have_risen() {
    let mut fixture = Fixture::new().await;
    fixture.person("pca", "anna", Role::TenantUser).await;
    let stored = async |fixture: &Fixture| {
        let logins = fixture.store.find_logins("anna", None).await.unwrap();
        (logins[0].password.clone().unwrap().0, logins[0].seq)
    };
    let (before, seq) = stored(&fixture).await;
    assert!(before.contains("m=8,t=1"), "{before}");
    fixture.login("anna", PASSWORD).await.unwrap();
    assert_eq!(stored(&fixture).await, (before, seq));

    fixture.config.password.memory_kib = 16;
    fixture.config.password.parallel = std::num::NonZeroUsize::MIN;
    let stronger = Fixture {
        identity: fixture.another().await,
        ..fixture
    };
    stronger.login("anna", PASSWORD).await.unwrap();
    let (after, seq_after) = stored(&stronger).await;
    assert!(after.contains("m=16,t=1"), "{after}");
    assert_eq!(seq_after, seq, "nobody is thrown out for it");
    stronger
        .login_from("anna", PASSWORD, ELSEWHERE)
        .await
        .unwrap();
}

#[tokio::test]
async fn token_of_an_older_pepper_key_is_kept_by_the_newest_once_used() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let (used, idle) = (fixture.pat(&account).await, fixture.pat(&account).await);
    let file = fixture.folder.path().join("pepper");
    let old = std::fs::read_to_string(&file).unwrap();
    let new = format!("2 {}", "ab".repeat(32));
    let write = |lines: String| std::fs::write(&file, lines).unwrap();
    let bearer = async |token: &Secret| {
        let node = fixture.another().await;
        let credential = crate::iam::Credential::Bearer(token.clone());
        let found = node.authenticator.authenticate(credential, HERE).await;
        found.map(|principal| principal.token)
    };
    let key = async |token: &Secret| {
        let pepper = Pepper::open_or_create(&file).unwrap();
        let token = PatText::parse(token.expose()).unwrap();
        let digest = pepper.digest(token);
        let found = fixture.store.find_pat(&digest).await.unwrap();
        found.map(|facts| facts.digest.key())
    };

    write(format!("{new}\n{old}"));
    assert_eq!(bearer(&used.token).await, Ok(Some(used.record.id)));
    assert_eq!(key(&used.token).await, Some(2));
    assert_eq!(key(&idle.token).await, None, "it was not used");
    // A node on which the new key is not yet the first takes both, and turns nothing back.
    write(format!("{old}\n{new}").replace("\n\n", "\n"));
    assert_eq!(bearer(&used.token).await, Ok(Some(used.record.id)));
    assert_eq!(bearer(&idle.token).await, Ok(Some(idle.record.id)));
    write(format!("{new}\n{old}"));
    assert_eq!(key(&used.token).await, Some(2));
}

#[tokio::test]
async fn change_by_another_process_counts_as_soon_as_the_log_is_read() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    fixture.bearer(&issued.token).await.unwrap();
    let other = fixture.another().await;
    let revoked = other
        .accounts
        .revoke_pat(&fixture.operator, &fixture.pca, issued.record.id);
    revoked.await.unwrap();
    fixture.bearer(&issued.token).await.unwrap();
    fixture.catch_up().await;
    let refused = fixture.bearer(&issued.token).await;
    assert_eq!(
        refused,
        Err(AuthError::PatRevoked {
            token: issued.record.id
        })
    );
}

#[tokio::test]
async fn issuing_a_token_clears_the_memory_of_its_being_unknown() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    let text = pat::generate(crate::iam::TokenKind::Pat).unwrap();
    assert_eq!(fixture.bearer(&text).await, Err(AuthError::Unknown));

    let pepper = Pepper::open_or_create(&fixture.folder.path().join("pepper")).unwrap();
    let digest = pepper.digest(PatText::parse(text.expose()).unwrap());
    let id = crate::iam::PatId::random().unwrap();
    let pat = crate::iam::PatRecord {
        id,
        name: "late".to_owned(),
        ..issued.record
    };
    let event = Event::new(START, audit::Kind::PatCreated, audit::Actor::Operator);
    let mutation = Mutation::CreatePat {
        pat,
        digest,
        version: 0,
    };
    fixture.store.apply(&mutation, START, &event).await.unwrap();
    assert_eq!(fixture.bearer(&text).await, Err(AuthError::Unknown));
    fixture.catch_up().await;
    assert_eq!(fixture.bearer(&text).await.unwrap().token, Some(id));
}

#[tokio::test]
async fn token_is_refused_outside_its_networks() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    let new = NewPat {
        networks,
        ..NewPat::until(fixture.after(Duration::from_mins(1)))
    };
    let accounts = &fixture.identity.accounts;
    let issued = accounts
        .create_pat(&fixture.operator, &fixture.pca, account.id, new)
        .await
        .unwrap();
    fixture.bearer_from(&issued.token, HERE).await.unwrap();
    fixture
        .bearer_from(&issued.token, "::ffff:192.0.2.9".parse().unwrap())
        .await
        .unwrap();
    let refused = fixture.bearer_from(&issued.token, ELSEWHERE).await;
    assert_eq!(
        refused,
        Err(AuthError::AddressNotAllowed {
            token: Some(issued.record.id)
        })
    );
}

#[tokio::test]
async fn last_use_is_noted() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    fixture.bearer(&issued.token).await.unwrap();
    fixture.identity.tail.finish().await;
    let views = fixture
        .identity
        .accounts
        .pats(&fixture.operator, &fixture.pca, account.id)
        .await;
    let last = views.unwrap()[0].record.last_used.unwrap();
    assert_eq!((last.at, last.address), (START, HERE));
}
