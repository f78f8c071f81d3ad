//! Who may have which certificate.

use std::time::Duration;

use rcgen::KeyPair;
use tollgate::iam::Caller;
use tollgate::iam::NewPat;
use tollgate::iam::Scope;
use tollgate::model::Expiry;
use tollgate::model::TenantId;

use super::SIGN;
use super::csr;
use super::csr_of;
use super::enrolled;
use super::send;
use super::sign;
use crate::gateway::ADMIN_USERNAME;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use crate::mtls::account;

#[tokio::test]
async fn without_a_good_token_there_is_no_certificate() {
    let gateway = Gateway::start().await;
    let csr = csr(gateway.account());
    let typed = [("Content-Type", "application/octet-stream")];
    let bare = send(&gateway, ("POST", SIGN), &typed, csr.as_bytes()).await;
    bare.is(401, "missing_credentials");
    assert_eq!(
        bare.header("www-authenticate"),
        Some("Bearer realm=\"tollgate\"")
    );
    let unknown = gateway.unknown_token();
    let reply = sign(&gateway, &unknown, "", csr.as_bytes()).await;
    reply.is(401, "invalid_token");
    assert!(
        reply
            .header("www-authenticate")
            .unwrap()
            .contains("invalid_token")
    );
    let (revoked, id) = gateway.new_token(TENANT, "tenant-admin", None).await;
    gateway.revoke(TENANT, &id).await;
    let reply = sign(&gateway, &revoked, "", csr.as_bytes()).await;
    reply.is(401, "invalid_token");
    let hour = Duration::from_hours(1);
    let (expired, _) = gateway.new_token(TENANT, "tenant-admin", Some(hour)).await;
    gateway.pass(hour * 2);
    let reply = sign(&gateway, &expired, "", csr.as_bytes()).await;
    reply.is(403, "token_expired");
    assert!(reply.header("www-authenticate").is_some());
    let doubled = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")];
    let reply = send(&gateway, ("POST", SIGN), &doubled, csr.as_bytes()).await;
    reply.is(400, "invalid_header");
}

#[tokio::test]
async fn expired_token_is_401_where_the_policy_says_so() {
    let gateway =
        Gateway::start_with(|settings| settings.enroll.expired_is_unauthorized = true).await;
    let hour = Duration::from_hours(1);
    let (expired, _) = gateway.new_token(TENANT, "tenant-admin", Some(hour)).await;
    gateway.pass(hour * 2);
    let reply = sign(&gateway, &expired, "", csr("x").as_bytes()).await;
    reply.is(401, "token_expired");
}

#[tokio::test]
async fn only_administrators_have_certificates_signed() {
    let gateway = Gateway::start().await;
    for role in [
        "tenant-contributor",
        "tenant-user",
        "tenant-portal",
        "service-account-manager",
    ] {
        let token = gateway.token_of(TENANT, role).await;
        let reply = sign(&gateway, &token, "", csr("x").as_bytes()).await;
        reply.is(403, "insufficient_role");
    }
    let account = gateway.new_account(TENANT, "tenant-admin").await;
    let narrowed = NewPat {
        scopes: vec![Scope::ReadOnly],
        ..NewPat::until(Expiry::NEVER)
    };
    let issued = gateway
        .accounts()
        .create_pat(
            &Caller::operator(),
            &TenantId::new(TENANT),
            account,
            narrowed,
        )
        .await
        .unwrap();
    let reply = sign(&gateway, issued.token.expose(), "", csr("x").as_bytes()).await;
    reply.is(403, "insufficient_role");
}

#[tokio::test]
async fn roles_never_exceed_those_of_the_caller_and_the_user() {
    let gateway = Gateway::start().await;
    account(&gateway, "device-7", "tenant-user").await;
    account(&gateway, "boss", "skylight-admin").await;
    let token = gateway.token();
    let ask =
        async |query: &str, name: &str| sign(&gateway, &token, query, csr(name).as_bytes()).await;
    ask("?assignedRoles=skylight-admin", "device-7")
        .await
        .is(403, "role_exceeds_caller");
    ask("?assignedRoles=tenant-admin", "device-7")
        .await
        .is(403, "role_exceeds_user");
    ask("", "boss").await.is(403, "role_exceeds_caller");
    ask("?assignedRoles=root", "device-7")
        .await
        .is(400, "unknown_role");
    ask("?assignedRoles=", "device-7").await.is(400, "no_roles");
    let narrowed = ask("?assignedRoles=tenant-portal", "device-7").await;
    assert_eq!(narrowed.identity().roles, ["tenant-portal"]);
    let all = ask("", "device-7").await;
    assert_eq!(all.identity().roles, ["tenant-user"]);
}

#[tokio::test]
async fn no_roles_make_a_certificate_without_rights_where_the_policy_says_so() {
    let gateway = Gateway::start_with(|settings| settings.enroll.allow_no_roles = true).await;
    let username = gateway.account().to_owned();
    let device = enrolled(&gateway, &gateway.token(), &username, "?assignedRoles=").await;
    let answer = device.get(&gateway, crate::mtls::VALIDATE, "").await;
    answer.is(403, "roles_removed");
}

#[tokio::test]
async fn username_is_the_callers_or_a_service_account_of_its_tenant() {
    let gateway = Gateway::start().await;
    account(&gateway, "device-7", "tenant-user").await;
    gateway.new_account("other", "tenant-user").await;
    let token = gateway.token();
    let bare = KeyPair::generate().unwrap();
    let own = sign(&gateway, &token, "", csr_of(&bare, None).as_bytes()).await;
    assert_eq!(own.identity().username, gateway.account());
    let ask = async |query: &str, name: Option<&str>| {
        let csr = csr_of(&KeyPair::generate().unwrap(), name);
        sign(&gateway, &token, query, csr.as_bytes()).await
    };
    for (query, name) in [
        ("?requestedUsername=device-7", None),
        ("?requestedUsername=device-7", Some("device-7")),
        ("", Some("device-7")),
    ] {
        assert_eq!(ask(query, name).await.identity().username, "device-7");
    }
    let mismatch = ask("?requestedUsername=device-7", Some("device-8")).await;
    mismatch.is(400, "common_name_mismatch");
    ask("?requestedUsername=nobody", None)
        .await
        .is(404, "not_found");
    ask("?requestedUsername=Device-7", None)
        .await
        .is(400, "invalid_username");
    let person = format!("?requestedUsername={ADMIN_USERNAME}");
    ask(&person, None).await.is(403, "user_is_a_person");
    let long = "a".repeat(129);
    // The first has a Cyrillic e, the second a space, the third is empty.
    for wrong in ["d%D0%B5vice-7", "device%207", "", "-device", "a%40b", &long] {
        let query = format!("?requestedUsername={wrong}");
        ask(&query, None).await.is(400, "invalid_username");
    }
}

#[tokio::test]
async fn disabled_users_get_no_certificate() {
    let gateway = Gateway::start().await;
    let device = account(&gateway, "device-7", "tenant-user").await;
    gateway.disable(TENANT, &device).await;
    let reply = sign(&gateway, &gateway.token(), "", csr("device-7").as_bytes()).await;
    reply.is(403, "account_disabled");
}

#[tokio::test]
async fn tenant_is_the_tokens_whatever_the_request_says() {
    let gateway = Gateway::start().await;
    gateway.new_account("other", "tenant-user").await;
    let csr = csr(gateway.account());
    let bearer = format!("Bearer {}", gateway.token());
    let with = async |bearer: &str, tenant: &str| {
        let headers = [
            ("Authorization", bearer),
            ("Content-Type", "application/octet-stream"),
            ("X-Forwarded-Tenant-Id", tenant),
        ];
        send(&gateway, ("POST", SIGN), &headers, csr.as_bytes()).await
    };
    assert_eq!(
        with(&bearer, TENANT).await.identity().tenant.as_str(),
        TENANT
    );
    with(&bearer, "other").await.is(403, "tenant_mismatch");
    let above = gateway.token_of(TENANT, "skylight-admin").await;
    let above = format!("Bearer {above}");
    with(&above, "other").await.is(403, "tenant_mismatch");
}

#[tokio::test]
async fn lifetime_is_within_bounds_and_may_end_with_the_token() {
    let gateway = Gateway::start_with(|settings| settings.enroll.end_with_token = true).await;
    let day = Duration::from_hours(24);
    let account = account(&gateway, "device-7", "tenant-admin").await;
    let expires = Expiry::from_secs(gateway.clock.now().saturating_add(day).secs());
    let issued = gateway
        .accounts()
        .create_pat(
            &Caller::operator(),
            &TenantId::new(TENANT),
            account,
            NewPat::until(expires),
        )
        .await
        .unwrap();
    let token = issued.token.expose();
    let reply = sign(
        &gateway,
        token,
        "?certduration=48",
        csr("device-7").as_bytes(),
    )
    .await;
    assert_eq!(reply.identity().not_after.secs(), expires.secs());
    let short = sign(
        &gateway,
        token,
        "?certduration=1",
        csr("device-7").as_bytes(),
    )
    .await;
    let life = short.identity().not_after.since(gateway.clock.now());
    assert_eq!(life, Duration::from_hours(1));
    for wrong in ["0", "-1", "x", "1.5", ""] {
        let query = format!("?certduration={wrong}");
        let reply = sign(&gateway, token, &query, csr("device-7").as_bytes()).await;
        reply.is(400, "invalid_parameter");
    }
    for wrong in ["8761", "9223372036854775808"] {
        let query = format!("?certduration={wrong}");
        let reply = sign(&gateway, token, &query, csr("device-7").as_bytes()).await;
        reply.is(400, "lifetime_exceeds_policy");
        assert!(reply.text().contains("8760"), "the policy is visible");
    }
}

#[tokio::test]
async fn same_request_gets_the_same_certificate_and_a_key_is_one_users() {
    let gateway = Gateway::start().await;
    account(&gateway, "device-7", "tenant-user").await;
    account(&gateway, "device-8", "tenant-user").await;
    let key = KeyPair::generate().unwrap();
    let csr = csr_of(&key, None);
    let ask = async |name: &str, more: &str| {
        let query = format!("?requestedUsername={name}{more}");
        sign(&gateway, &gateway.token(), &query, csr.as_bytes()).await
    };
    let first = ask("device-7", "").await;
    gateway.pass(Duration::from_mins(4));
    let again = ask("device-7", "").await;
    assert_eq!(first.body, again.body);
    let other = ask("device-7", "&certduration=1").await;
    assert_ne!(first.identity().serial, other.identity().serial);
    gateway.pass(Duration::from_mins(2));
    let late = ask("device-7", "").await;
    assert_ne!(first.identity().serial, late.identity().serial);
    ask("device-8", "").await.is(409, "key_in_use");
}

#[tokio::test]
async fn caller_that_asks_too_often_is_told_when_to_come_back() {
    let gateway = Gateway::start_with(|settings| {
        settings.enroll.caller_burst = 3;
        settings.enroll.caller_per_minute = 6;
    })
    .await;
    let token = gateway.token();
    for _ in 0..3 {
        let reply = sign(&gateway, &token, "", csr(gateway.account()).as_bytes()).await;
        assert_eq!(reply.status, 200);
    }
    let reply = sign(&gateway, &token, "", csr(gateway.account()).as_bytes()).await;
    reply.is(429, "rate_limited");
    assert_eq!(reply.header("retry-after"), Some("10"));
    let other = gateway.token_of(TENANT, "tenant-admin").await;
    let bare = csr_of(&KeyPair::generate().unwrap(), None);
    let reply = sign(&gateway, &other, "", bare.as_bytes()).await;
    assert_ne!(reply.status, 429, "callers do not pay for each other");
    gateway.pass(Duration::from_secs(10));
    let reply = sign(&gateway, &token, "", csr(gateway.account()).as_bytes()).await;
    assert_eq!(reply.status, 200);
}
