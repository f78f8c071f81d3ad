//! Who gets in: every form of credential, every refusal, and what ends a stream that was let in.

use std::time::Duration;

use base64::Engine as _;
use tollgate::wire::proto::gnmi as pb;
use tonic::Code;
use tonic::Status;

use crate::client::Client;
use crate::client::assert_status;
use crate::client::first;
use crate::client::int;
use crate::client::on_change;
use crate::client::once;
use crate::client::path;
use crate::client::update;
use crate::gateway::ADMIN_PASSWORD;
use crate::gateway::ADMIN_USERNAME;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

/// All four RPCs with one client: their codes.
async fn codes(client: &Client) -> [Code; 4] {
    let code =
        |result: Result<(), Status>| result.map_or_else(|status| status.code(), |()| Code::Ok);
    [
        code(client.capabilities().await.map(drop)),
        code(
            client
                .get(pb::GetRequest {
                    path: vec![path("/a")],
                    ..Default::default()
                })
                .await
                .map(drop),
        ),
        code(client.set(pb::SetRequest::default()).await.map(drop)),
        client.refused(first(once(&["/a"]))).await.code(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_credential_is_accepted_on_every_rpc() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let anonymous = gateway.anonymous().await;
    let token = gateway.token();
    let bearer = format!("Bearer {token}");
    for (what, client) in [
        ("bearer", anonymous.clone().with("authorization", &bearer)),
        (
            "lower-case scheme",
            anonymous
                .clone()
                .with("authorization", &format!("bearer {token}")),
        ),
        (
            "doubled bearer",
            anonymous
                .clone()
                .with("authorization", &format!("Bearer {bearer}")),
        ),
        (
            "bare token",
            anonymous.clone().with("authorization", &token),
        ),
        (
            "bearer with pygnmi's empty user and password",
            anonymous
                .clone()
                .with("authorization", &bearer)
                .with("username", "")
                .with("password", ""),
        ),
        (
            "bearer before user and password",
            anonymous
                .clone()
                .with("authorization", &bearer)
                .with("username", "x")
                .with("password", "wrong"),
        ),
        (
            "user and password",
            anonymous
                .clone()
                .with("username", ADMIN_USERNAME)
                .with("password", ADMIN_PASSWORD),
        ),
        (
            "repeated user and password",
            anonymous
                .clone()
                .with("username", ADMIN_USERNAME)
                .with("username", ADMIN_USERNAME)
                .with("password", ADMIN_PASSWORD)
                .with("password", ADMIN_PASSWORD),
        ),
        (
            "PAT as password",
            anonymous
                .clone()
                .with("username", "token")
                .with("password", &token),
        ),
        (
            "PAT as the account's password",
            anonymous
                .clone()
                .with("username", gateway.account())
                .with("password", &token),
        ),
    ] {
        assert_eq!(codes(&client).await, [Code::Ok; 4], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_credential_is_unauthenticated_on_every_rpc() {
    let gateway =
        Gateway::start_with(|settings| settings.iam.throttle.failure_burst = 1_000_000).await;
    let anonymous = gateway.anonymous().await;
    let token = gateway.token();
    let other_end: String =
        token[..token.len() - 1].to_owned() + if token.ends_with('0') { "1" } else { "0" };
    let basic = base64::engine::general_purpose::STANDARD.encode("admin:wrong");
    for (what, client) in [
        ("nothing", anonymous.clone()),
        (
            "empty user and password",
            anonymous.clone().with("username", "").with("password", ""),
        ),
        ("garbage", anonymous.clone().bearer("garbage")),
        ("wrong checksum", anonymous.clone().bearer(&other_end)),
        (
            "unknown token",
            anonymous.clone().bearer(&gateway.unknown_token()),
        ),
        (
            "wrong password",
            anonymous
                .clone()
                .with("username", ADMIN_USERNAME)
                .with("password", "wrong"),
        ),
        (
            "unknown user",
            anonymous
                .clone()
                .with("username", "nobody")
                .with("password", ADMIN_PASSWORD),
        ),
        (
            "PAT with a foreign user name",
            anonymous
                .clone()
                .with("username", "somebody")
                .with("password", &token),
        ),
        (
            "tripled bearer",
            anonymous.clone().bearer(&format!("Bearer Bearer {token}")),
        ),
        (
            "basic with a wrong password",
            anonymous
                .clone()
                .with("authorization", &format!("Basic {basic}")),
        ),
        (
            "failed bearer does not fall back",
            anonymous
                .clone()
                .bearer("garbage")
                .with("username", ADMIN_USERNAME)
                .with("password", ADMIN_PASSWORD),
        ),
    ] {
        assert_eq!(codes(&client).await, [Code::Unauthenticated; 4], "{what}");
    }
    let wrong = anonymous
        .clone()
        .with("username", ADMIN_USERNAME)
        .with("password", "wrong")
        .capabilities()
        .await;
    let unknown = anonymous
        .with("username", "nobody")
        .with("password", "wrong")
        .capabilities()
        .await;
    assert_eq!(
        wrong.unwrap_err().message(),
        unknown.unwrap_err().message(),
        "no oracle for user names"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_is_checked_before_the_request_is_parsed() {
    let gateway = Gateway::start().await;
    let client = gateway.anonymous().await.bearer("garbage");
    assert_eq!(
        client.refused(pb::SubscribeRequest::default()).await.code(),
        Code::Unauthenticated
    );
    let malformed = pb::GetRequest {
        encoding: 99,
        ..Default::default()
    };
    assert_eq!(
        client.get(malformed).await.unwrap_err().code(),
        Code::Unauthenticated
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_different_authorizations_are_malformed() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await.bearer("another");
    assert_status(
        &client.capabilities().await.unwrap_err(),
        Code::InvalidArgument,
        "authorization",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_decide_who_reads_and_who_writes() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    let (ok, denied) = (Code::Ok, Code::PermissionDenied);
    for (role, read, write) in [
        ("skylight-admin", ok, ok),
        ("tenant-admin", ok, ok),
        ("tenant-contributor", ok, ok),
        ("tenant-user", ok, denied),
        ("tenant-portal", ok, denied),
        ("service-account-manager", denied, denied),
    ] {
        let token = gateway.token_of(TENANT, role).await;
        let [_, get, set, subscribe] = codes(&gateway.anonymous().await.bearer(&token)).await;
        assert_eq!([get, set, subscribe], [read, write, read], "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_token_ends_its_streams_and_sends_nothing_more() {
    let gateway = Gateway::start().await;
    let (token, pat) = gateway.new_token(TENANT, "tenant-admin", None).await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let mut other = gateway
        .client()
        .await
        .subscribe(on_change(&["/a"]))
        .await
        .unwrap();
    other.until_sync().await;

    gateway.revoke(TENANT, &pat).await;
    gateway.until(|gateway| gateway.live_sessions() == 1).await;
    gateway.publish("", "/a/b", int(1));

    let status = stream.try_next().await.unwrap_err();
    assert_status(&status, Code::Unauthenticated, "revoked");
    assert_eq!(
        status.metadata().get("x-auth-reason").unwrap(),
        "token_revoked"
    );
    assert_eq!(status.metadata().get("x-token-id").unwrap(), pat.as_str());
    assert_eq!(
        client.capabilities().await.unwrap_err().code(),
        Code::Unauthenticated
    );
    assert_eq!(other.update().await.value, int(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_token_ends_its_streams() {
    let gateway = Gateway::start().await;
    let (token, _) = gateway
        .new_token(TENANT, "tenant-admin", Some(Duration::from_mins(1)))
        .await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    assert!(stream.metadata.get("x-token-expires-at").is_some());
    stream.until_sync().await;

    gateway.clock.advance(Duration::from_secs(61));
    let status = stream.end().await;
    assert_status(&status, Code::Unauthenticated, "expired");
    assert_eq!(
        status.metadata().get("x-auth-reason").unwrap(),
        "token_expired"
    );
    assert_eq!(
        client.capabilities().await.unwrap_err().code(),
        Code::Unauthenticated
    );

    gateway.clock.set(tollgate::model::Timestamp::from_nanos(
        gateway.clock.now().nanos() - 3_600_000_000_000,
    ));
    assert_eq!(
        client.capabilities().await.unwrap_err().code(),
        Code::Unauthenticated,
        "stepping back revives nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn role_cut_ends_open_streams() {
    let gateway = Gateway::start().await;
    let account = gateway.new_account(TENANT, "tenant-admin").await;
    let token = gateway.token_for(TENANT, &account).await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;

    gateway
        .set_roles(TENANT, &account, &["service-account-manager"])
        .await;
    assert_eq!(stream.end().await.code(), Code::PermissionDenied);
    assert_eq!(
        client.refused(first(once(&["/a"]))).await.code(),
        Code::PermissionDenied
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_account_ends_its_streams_and_comes_back_enabled() {
    let gateway = Gateway::start().await;
    let account = gateway.new_account(TENANT, "tenant-admin").await;
    let token = gateway.token_for(TENANT, &account).await;
    let client = gateway.anonymous().await.bearer(&token);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();

    gateway.disable(TENANT, &account).await;
    assert_status(&stream.end().await, Code::Unauthenticated, "disabled");
    gateway.enable(TENANT, &account).await;
    gateway.until_ok(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_never_see_each_others_leaves() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    gateway.publish("shared-name", "/a/b", int(2));
    let foreign = gateway
        .anonymous()
        .await
        .bearer(&gateway.token_of("other", "tenant-admin").await);

    for (target, asked) in [
        ("", "/"),
        ("", "/a/b"),
        ("", "/..."),
        ("*", "/"),
        ("*", "/*/b"),
    ] {
        let request = pb::SubscriptionList {
            prefix: Some(crate::client::prefix(target)),
            ..once(&[asked])
        };
        let leaves = foreign.subscribe(request).await.unwrap().until_sync().await;
        assert!(leaves.is_empty(), "{target} {asked}: {leaves:?}");
    }
    let named = pb::SubscriptionList {
        prefix: Some(crate::client::prefix("shared-name")),
        ..once(&["/"])
    };
    assert_eq!(foreign.refused(first(named)).await.code(), Code::NotFound);

    let mut stream = foreign.subscribe(on_change(&["/"])).await.unwrap();
    stream.until_sync().await;
    gateway.publish("", "/a/b", int(3));
    let set = pb::SetRequest {
        update: vec![update("/own", int(4))],
        ..Default::default()
    };
    foreign.set(set).await.unwrap();
    assert_eq!(stream.update().await.path, "/own");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_header_confirms_the_tokens_tenant_or_chooses_for_skylight_admin() {
    let gateway = Gateway::start().await;
    gateway.publish("", "/a/b", int(1));
    gateway.token_of("other", "tenant-admin").await;
    let admin = gateway
        .anonymous()
        .await
        .bearer(&gateway.token_of("other", "skylight-admin").await);
    let own = gateway.client().await;

    let seen = |client: Client| async move {
        client
            .subscribe(once(&["/a"]))
            .await
            .unwrap()
            .until_sync()
            .await
            .len()
    };
    assert_eq!(seen(admin.clone()).await, 0);
    let nowhere = admin.clone().with("x-forwarded-tenant-id", "nowhere");
    let status = nowhere.refused(first(once(&["/a"]))).await;
    assert_eq!(status.code(), Code::PermissionDenied, "a tenant must exist");
    assert_eq!(seen(admin.with("x-forwarded-tenant-id", TENANT)).await, 1);
    assert_eq!(
        seen(own.clone().with("x-forwarded-tenant-id", TENANT)).await,
        1
    );
    let status = own
        .with("x-forwarded-tenant-id", "other")
        .refused(first(once(&["/a"])))
        .await;
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_throttled_while_good_tokens_pass() {
    let gateway = Gateway::start().await;
    let good = gateway.client().await;
    let bad = gateway.anonymous().await.bearer("garbage");
    let mut codes = Vec::new();
    for _ in 0..100 {
        codes.push(bad.capabilities().await.unwrap_err().code());
    }
    assert_eq!(codes[0], Code::Unauthenticated);
    assert_eq!(*codes.last().unwrap(), Code::ResourceExhausted);
    good.capabilities().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_over_the_principals_quota_is_refused_at_once() {
    let gateway = Gateway::start_with(|settings| settings.gnmi.max_streams_per_principal = 2).await;
    let client = gateway.client().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
        stream.until_sync().await;
        held.push(stream);
    }
    assert_status(
        &client.refused(first(on_change(&["/a"]))).await,
        Code::ResourceExhausted,
        "streams",
    );
    held.pop();
    gateway.until(|gateway| gateway.live_sessions() == 1).await;
    client
        .subscribe(on_change(&["/a"]))
        .await
        .unwrap()
        .until_sync()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_name_of_another_tenant_is_refused() {
    let gateway = Gateway::start().await;
    gateway.new_account("acme", "tenant-user").await;
    gateway.publish("", "/a", int(1));
    for (name, refused) in [("pca", None), ("acme", Some(Code::PermissionDenied))] {
        let host = format!("{name}.gateway.example");
        let client = Client::new(gateway.channel_as(&host).await).bearer(&gateway.token());
        let answer = client.capabilities().await;
        assert_eq!(answer.err().map(|status| status.code()), None, "{name}");
        let answer = client
            .get(pb::GetRequest {
                path: vec![path("/a")],
                ..Default::default()
            })
            .await;
        assert_eq!(answer.err().map(|status| status.code()), refused, "{name}");
    }
}
