//! Bounds on tokens hold at issue, at use, and for what is open.

use std::time::Duration;

use super::fixture::ELSEWHERE;
use super::fixture::Fixture;
use super::fixture::HERE;
use crate::audit::Origin;
use crate::iam::AccountPolicy;
use crate::iam::AccountRecord;
use crate::iam::AccountsError;
use crate::iam::Action;
use crate::iam::AuthError;
use crate::iam::Caller;
use crate::iam::Issued;
use crate::iam::Limit;
use crate::iam::LiveSession;
use crate::iam::NewPat;
use crate::iam::Reason;
use crate::iam::Role;
use crate::iam::Scope;
use crate::iam::Source;
use crate::iam::Standing;
use crate::iam::TenantPolicy;
use crate::iam::permit;
use crate::iam::port::RecordsError;
use crate::model::TenantId;
use crate::model::Timestamp;

const HOUR: Duration = Duration::from_hours(1);

async fn open(fixture: &Fixture, issued: &Issued) -> LiveSession {
    let principal = fixture.bearer(&issued.token).await.unwrap();
    let permit = permit(&principal, Action::Read, None).unwrap();
    let registry = &fixture.identity.registry;
    registry.open(&principal, &permit, HERE, 100).unwrap()
}

fn reason(session: &LiveSession) -> Option<Reason> {
    session.end_now().map(|end| end.reason)
}

async fn set(fixture: &Fixture, policy: TenantPolicy) -> Result<(), AccountsError> {
    let accounts = &fixture.identity.accounts;
    let set = accounts.set_tenant_policy(&fixture.operator, &fixture.pca, policy);
    set.await.map(drop)
}

fn lifetime(most: Option<Duration>) -> TenantPolicy {
    TenantPolicy {
        max_pat_lifetime: most.map_or(Limit::Lifted, Limit::Set),
        ..TenantPolicy::default()
    }
}

async fn standings(fixture: &Fixture, account: &AccountRecord) -> Vec<Standing> {
    let accounts = &fixture.identity.accounts;
    let views = accounts
        .pats(&fixture.operator, &fixture.pca, account.id)
        .await;
    views
        .unwrap()
        .into_iter()
        .map(|view| view.standing)
        .collect()
}

#[tokio::test]
async fn lifetime_holds_for_tokens_and_streams_that_exist() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let token = fixture.pat_for(&account, 10 * HOUR).await;
    let stream = open(&fixture, &token).await;
    fixture.clock.advance(2 * HOUR);
    set(&fixture, lifetime(Some(3 * HOUR))).await.unwrap();
    let new = NewPat::until(fixture.after(4 * HOUR));
    let accounts = &fixture.identity.accounts;
    let beyond = accounts
        .create_pat(&fixture.operator, &fixture.pca, account.id, new)
        .await;
    assert_eq!(beyond.unwrap_err(), AccountsError::LifetimeExceeds);
    fixture.bearer(&token.token).await.unwrap();
    fixture.clock.advance(HOUR);
    fixture.identity.registry.expire(accounts.now());
    assert_eq!(reason(&stream), Some(Reason::TokenExpired));
    let expired = AuthError::PatExpired {
        token: token.record.id,
    };
    assert_eq!(fixture.bearer(&token.token).await, Err(expired));
    assert_eq!(standings(&fixture, &account).await, [Standing::Expired]);
    // It was never the token's own end.
    set(&fixture, lifetime(None)).await.unwrap();
    fixture.bearer(&token.token).await.unwrap();
    let short = set(&fixture, lifetime(Some(Duration::from_secs(59)))).await;
    assert!(matches!(short, Err(AccountsError::InvalidField { .. })));
}

#[tokio::test]
async fn tokens_before_a_time_are_void_for_good_on_every_node() {
    let fixture = Fixture::new().await;
    let other = fixture.another().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let old = fixture.pat(&account).await;
    let stream = open(&fixture, &old).await;
    fixture.clock.advance(Duration::from_secs(10));
    let new = fixture.pat(&account).await;
    let staying = open(&fixture, &new).await;
    let void = |at| TenantPolicy {
        tokens_not_before: Some(at),
        ..TenantPolicy::default()
    };
    let now = fixture.clock.now();
    let future = now.saturating_add(Duration::from_secs(1));
    assert!(set(&fixture, void(future)).await.is_err());
    let by = &other.accounts;
    by.set_tenant_policy(&fixture.operator, &fixture.pca, void(now))
        .await
        .unwrap();
    fixture.catch_up().await;
    assert_eq!(
        (reason(&stream), reason(&staying)),
        (Some(Reason::TokenRevoked), None)
    );
    let revoked = AuthError::PatRevoked {
        token: old.record.id,
    };
    assert_eq!(fixture.bearer(&old.token).await, Err(revoked));
    fixture.bearer(&new.token).await.unwrap();
    let earlier = now.saturating_sub(Duration::from_secs(5));
    assert!(set(&fixture, void(earlier)).await.is_err());
    assert!(
        standings(&fixture, &account)
            .await
            .contains(&Standing::Revoked)
    );

    let policy = AccountPolicy {
        tokens_not_before: Some(Timestamp::from_secs(now.secs() + 1)),
        ..AccountPolicy::default()
    };
    fixture.clock.advance(Duration::from_secs(1));
    let accounts = &fixture.identity.accounts;
    accounts
        .set_account_policy(&fixture.operator, &fixture.pca, account.id, policy)
        .await
        .unwrap();
    assert_eq!(reason(&staying), Some(Reason::TokenRevoked));
    assert!(fixture.bearer(&new.token).await.is_err());
}

#[tokio::test]
async fn networks_of_an_account_hold_for_passwords_and_streams_too() {
    let fixture = Fixture::new().await;
    let anna = fixture.person("pca", "anna", Role::TenantUser).await;
    let issued = fixture.pat(&anna).await;
    let stream = open(&fixture, &issued).await;
    let allow = |networks: &[&str]| AccountPolicy {
        networks: Some(networks.iter().map(|text| text.parse().unwrap()).collect()),
        ..AccountPolicy::default()
    };
    let accounts = &fixture.identity.accounts;
    let allow = async |networks: &[&str]| {
        let set =
            accounts.set_account_policy(&fixture.operator, &fixture.pca, anna.id, allow(networks));
        set.await.unwrap().networks
    };
    let kept = allow(&["192.0.2.77/24"]).await;
    assert_eq!(kept[0].to_string(), "192.0.2.0/24");
    assert_eq!(reason(&stream), None);
    let refused = |token| Err(AuthError::AddressNotAllowed { token });
    let from_elsewhere = fixture.bearer_from(&issued.token, ELSEWHERE).await;
    assert_eq!(from_elsewhere, refused(Some(issued.record.id)));
    let password = super::fixture::PASSWORD;
    assert_eq!(
        fixture.login_from("anna", password, ELSEWHERE).await,
        refused(None)
    );
    fixture.login("anna", password).await.unwrap();
    allow(&["198.51.100.0/24"]).await;
    assert_eq!(reason(&stream), Some(Reason::AddressNotAllowed));
    assert!(fixture.bearer(&issued.token).await.is_err());
    allow(&[]).await;
    fixture.bearer(&issued.token).await.unwrap();
}

#[tokio::test]
async fn only_admins_set_policy_and_none_of_another_tenant() {
    let fixture = Fixture::new().await;
    let accounts = &fixture.identity.accounts;
    let policy = TenantPolicy {
        max_pats: Limit::Set(100),
        ..TenantPolicy::default()
    };
    for (number, role) in Role::ALL.into_iter().enumerate() {
        let account = fixture.machine(&format!("a{number}"), role).await;
        let token = fixture.pat(&account).await;
        let principal = fixture.bearer(&token.token).await.unwrap();
        let caller = Caller::principal(&principal, Origin::default());
        let own = accounts
            .set_tenant_policy(&caller, &fixture.pca, policy)
            .await;
        let may = matches!(role, Role::TenantAdmin | Role::SkylightAdmin);
        assert_eq!(own.is_ok(), may, "{role}");
        let foreign = TenantId::new("other");
        let foreign = accounts.set_tenant_policy(&caller, &foreign, policy).await;
        assert_eq!(foreign.is_ok(), role == Role::SkylightAdmin, "{role}");
    }
}

#[tokio::test]
async fn quota_refuses_one_token_more() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    fixture.pat(&account).await;
    let policy = TenantPolicy {
        max_account_pats: Limit::Set(1),
        ..TenantPolicy::default()
    };
    set(&fixture, policy).await.unwrap();
    let new = NewPat::until(fixture.after(HOUR));
    let accounts = &fixture.identity.accounts;
    let more = accounts
        .create_pat(&fixture.operator, &fixture.pca, account.id, new)
        .await;
    let full = AccountsError::Records(RecordsError::QuotaExceeded("account"));
    assert_eq!(more.unwrap_err(), full);
}

#[tokio::test]
async fn shown_token_is_revoked_whoever_shows_it_and_a_guess_costs() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    let stream = open(&fixture, &issued).await;
    let identity = &fixture.identity;
    let show = async |token| {
        let shown = identity.accounts.revoke_shown(
            &identity.authenticator,
            token,
            None,
            Origin::default(),
            HERE,
        );
        shown.await
    };
    for _twice in 0..2 {
        assert_eq!(show(&issued.token).await, Ok(()));
    }
    assert_eq!(reason(&stream), Some(Reason::TokenRevoked));
    assert_eq!(standings(&fixture, &account).await, [Standing::Revoked]);
    let garbled = crate::secret::Secret::new("tgpat_no");
    let mut outcome = Ok(());
    for _ in 0..=fixture.config.throttle.failure_burst {
        outcome = show(&garbled).await;
    }
    assert!(matches!(outcome, Err(AuthError::Throttled { .. })));
}

#[tokio::test]
async fn uses_tell_protocol_and_client_of_long_streams_too() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("export", Role::TenantUser).await;
    let issued = fixture.pat(&account).await;
    let from = Source {
        address: HERE,
        protocol: "gnmi",
        client: Some("gnmic/0.41\r\n"),
        request: None,
    };
    let identity = &fixture.identity;
    let credential = crate::iam::Credential::Bearer(issued.token.clone());
    let principal = identity
        .authenticator
        .authenticate(credential, from)
        .await
        .unwrap();
    let permit = permit(&principal, Action::Read, None).unwrap();
    let _stream = identity
        .registry
        .open(&principal, &permit, from, 1)
        .unwrap();
    let used = async || {
        identity.tail.finish().await;
        let views = identity
            .accounts
            .pats(&fixture.operator, &fixture.pca, account.id);
        let uses = views.await.unwrap().remove(0).uses;
        assert_eq!(uses.len(), 1);
        assert_eq!(
            (&*uses[0].client, &*uses[0].protocol),
            ("gnmic/0.41", "gnmi")
        );
        uses[0].at
    };
    assert_eq!(used().await, fixture.clock.now());
    fixture.clock.advance(10 * HOUR);
    identity.authenticator.note_streams(&identity.registry);
    assert_eq!(used().await, fixture.clock.now());
}

#[tokio::test]
async fn narrowed_token_has_only_what_its_scopes_leave() {
    let fixture = Fixture::new().await;
    let account = fixture.machine("admin", Role::TenantAdmin).await;
    let accounts = &fixture.identity.accounts;
    let all = [
        Action::Read,
        Action::Write,
        Action::ReadConfig,
        Action::WriteConfig,
        Action::Enroll,
        Action::ManageAccounts,
        Action::SetPolicy,
    ];
    let cases: [(&str, &[Action]); 3] = [
        ("read-only", &[Action::Read, Action::ReadConfig]),
        ("path:/a", &[Action::Read, Action::Write]),
        ("target:r1", &[Action::Read, Action::Write]),
    ];
    for (text, left) in cases {
        let scope: Scope = text.parse().unwrap();
        let new = NewPat {
            scopes: vec![scope.clone(), scope.clone()],
            ..NewPat::until(fixture.after(HOUR))
        };
        let created = accounts.create_pat(&fixture.operator, &fixture.pca, account.id, new);
        let issued = created.await.unwrap();
        assert_eq!(issued.record.scopes, [scope]);
        let principal = fixture.bearer(&issued.token).await.unwrap();
        for action in all {
            let permit = permit(&principal, action, None);
            assert_eq!(permit.is_ok(), left.contains(&action), "{text} {action:?}");
        }
    }
}
