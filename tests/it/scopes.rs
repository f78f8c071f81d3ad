//! Tokens that are narrowed to paths, targets and reading (gNMI rule 71), and bounds that change under open streams.

use std::time::Duration;

use tollgate::iam::AccountId;
use tollgate::iam::AccountPolicy;
use tollgate::iam::Caller;
use tollgate::iam::Limit;
use tollgate::iam::NewPat;
use tollgate::iam::TenantPolicy;
use tollgate::model::Expiry;
use tollgate::model::TenantId;
use tollgate::wire::proto::gnmi as pb;
use tonic::Code;
use tonic::Status;

use crate::client::Client;
use crate::client::Event;
use crate::client::Leaf;
use crate::client::assert_status;
use crate::client::depth;
use crate::client::first;
use crate::client::int;
use crate::client::list;
use crate::client::on_change;
use crate::client::once;
use crate::client::path;
use crate::client::prefix;
use crate::client::sample;
use crate::client::text;
use crate::client::update;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

/// A client whose token is narrowed so.
pub async fn narrowed(gateway: &Gateway, scopes: &[&str]) -> Client {
    let account = gateway.new_account(TENANT, "tenant-admin").await;
    let token = narrowed_token(gateway, account, scopes).await;
    gateway.anonymous().await.bearer(&token)
}

async fn narrowed_token(gateway: &Gateway, account: AccountId, scopes: &[&str]) -> String {
    let new = NewPat {
        scopes: scopes.iter().map(|text| text.parse().unwrap()).collect(),
        ..NewPat::until(Expiry::NEVER)
    };
    let tenant = TenantId::new(TENANT);
    let issued = gateway
        .accounts()
        .create_pat(&Caller::operator(), &tenant, account, new)
        .await;
    issued.unwrap().token.expose().to_owned()
}

fn paths(leaves: &[Leaf]) -> Vec<&str> {
    leaves.iter().map(|leaf| leaf.path.as_str()).collect()
}

async fn once_paths(client: &Client, asked: &[&str]) -> Vec<String> {
    let mut stream = client.subscribe(once(asked)).await.unwrap();
    let leaves = stream.until_sync().await;
    leaves.into_iter().map(|leaf| leaf.path).collect()
}

async fn refused(client: &Client, list: pb::SubscriptionList) -> Status {
    client.refused(first(list)).await
}

async fn get(client: &Client, target: &str, asked: &str) -> Result<Vec<String>, Status> {
    let request = pb::GetRequest {
        prefix: Some(prefix(target)),
        path: vec![path(asked)],
        encoding: pb::Encoding::Proto.into(),
        ..Default::default()
    };
    let answer = client.get(request).await?;
    let mut found = Vec::new();
    for notification in &answer.notification {
        for update in &notification.update {
            let target = notification
                .prefix
                .as_ref()
                .map_or("", |prefix| &prefix.target);
            found.push(format!(
                "{target}{}",
                text(None, update.path.as_ref().unwrap())
            ));
        }
    }
    found.sort();
    Ok(found)
}

async fn interfaces() -> Gateway {
    let gateway = Gateway::start().await;
    for name in ["eth0", "eth1", "lo"] {
        gateway.publish("", &format!("/if/i[name={name}]/in"), int(1));
        gateway.publish("", &format!("/if/i[name={name}]/out"), int(2));
    }
    gateway.publish("", "/sys/host/name", int(3));
    gateway.publish("", "/sys/secret", int(4));
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_token_reads_the_permitted_part_alone() {
    let gateway = interfaces().await;
    let scopes = [
        "path:/if/i[name=eth0]",
        "path:/if/i[name=eth1]/in",
        "path:/sys/host",
    ];
    let client = narrowed(&gateway, &scopes).await;
    let all = [
        "/if/i[name=eth0]/in",
        "/if/i[name=eth0]/out",
        "/if/i[name=eth1]/in",
        "/sys/host/name",
    ];
    for asked in ["/", "/*", "/..."] {
        assert_eq!(once_paths(&client, &[asked]).await, all, "{asked}");
        assert_eq!(get(&client, "", asked).await.unwrap(), all, "{asked}");
    }
    for (asked, expected) in [
        ("/if", &all[..3]),
        ("/if/i", &all[..3]),
        ("/if/i[name=eth1]", &all[2..3]),
        ("/if/i[name=*]/in", &[all[0], all[2]][..]),
        ("/.../in", &[all[0], all[2]]),
        ("/sys", &all[3..]),
    ] {
        assert_eq!(once_paths(&client, &[asked]).await, expected, "{asked}");
        assert_eq!(get(&client, "", asked).await.unwrap(), expected, "{asked}");
    }
    // Overlapping requests bring each leaf once.
    assert_eq!(
        once_paths(&client, &["/if", "/", "/if/i[name=eth0]"]).await,
        all
    );

    for asked in [
        "/sys/secret",
        "/if/i[name=lo]",
        "/if/i[name=eth1]/out",
        "/nowhere",
    ] {
        let status = refused(&client, once(&[asked])).await;
        assert_status(&status, Code::PermissionDenied, asked);
        let status = refused(&client, on_change(&["/if", asked])).await;
        assert_status(&status, Code::PermissionDenied, asked);
        let status = get(&client, "", asked).await.unwrap_err();
        assert_status(&status, Code::PermissionDenied, asked);
    }
    // What leaves something open and comes to nothing is refused where nothing else is asked for.
    let status = refused(&client, once(&["/if/i[name=lo]/*"])).await;
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(
        once_paths(&client, &["/if/i[name=lo]/*", "/sys"]).await,
        all[3..]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_stream_hears_of_nothing_outside() {
    let gateway = interfaces().await;
    let client = narrowed(&gateway, &["path:/if/i[name=eth0]", "path:/g/x"]).await;
    let mut changes = client.subscribe(on_change(&["/"])).await.unwrap();
    assert_eq!(paths(&changes.until_sync().await).len(), 2);
    let second = Duration::from_secs(1);
    let sampling = list(
        pb::subscription_list::Mode::Stream,
        [sample("/...", second)],
    );
    let mut samples = client.subscribe(sampling).await.unwrap();
    samples.until_sync().await;

    gateway.publish("", "/if/i[name=eth1]/in", int(7));
    gateway.publish("", "/sys/secret", int(8));
    gateway.publish_atomic("", "/g", &[("/g/x", int(5)), ("/g/y", int(6))]);
    gateway.publish("", "/if/i[name=eth0]/in", int(9));
    let mut heard = Vec::new();
    for _event in 0..2 {
        heard.push(match changes.next().await {
            Event::Update(leaf) => vec![leaf.path],
            Event::Atomic { leaves, .. } => leaves.into_iter().map(|(path, _)| path).collect(),
            other => panic!("{other:?}"),
        });
    }
    heard.sort();
    assert_eq!(heard, [["/g/x"], ["/if/i[name=eth0]/in"]]);
    gateway.delete("", "/if/i[name=eth1]");
    gateway.delete("", "/sys");
    gateway.delete("", "/if/i[name=eth0]/in");
    assert_eq!(
        changes.next().await,
        Event::Delete("/if/i[name=eth0]/in".to_owned())
    );

    gateway.pass(second);
    let mut delivered = Vec::new();
    for _leaf in 0..2 {
        match samples.next().await {
            Event::Update(leaf) => delivered.push(leaf.path),
            Event::Atomic { leaves, .. } => {
                delivered.extend(leaves.into_iter().map(|(path, _)| path));
            }
            other => panic!("{other:?}"),
        }
    }
    delivered.sort();
    assert_eq!(delivered, ["/g/x", "/if/i[name=eth0]/out"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_token_sees_its_targets_alone() {
    let gateway = Gateway::start().await;
    for target in ["", "r1", "r2", "r3"] {
        gateway.publish(target, "/a/b", int(1));
        gateway.publish(target, "/c", int(2));
    }
    let client = narrowed(
        &gateway,
        &["target:r1", "target:r3", "target:r4", "path:/a"],
    )
    .await;
    assert_eq!(get(&client, "*", "/").await.unwrap(), ["r1/a/b", "r3/a/b"]);
    assert_eq!(get(&client, "r3", "/").await.unwrap(), ["r3/a/b"]);
    for target in ["", "r2", "nobody"] {
        let status = get(&client, target, "/a").await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{target}");
    }
    let every = |paths: &[&str]| pb::SubscriptionList {
        prefix: Some(prefix("*")),
        ..on_change(paths)
    };
    let mut stream = client.subscribe(every(&["/"])).await.unwrap();
    assert_eq!(stream.until_sync().await.len(), 2);
    // A target that comes later is reached if it is named.
    for target in ["r2", "r5", "r4"] {
        gateway.publish(target, "/a/b", int(5));
    }
    gateway.publish("r4", "/c", int(6));
    gateway.publish("r1", "/a/b", int(7));
    assert_eq!(stream.update().await.target, "r4");
    assert_eq!(stream.update().await.target, "r1");

    let own = narrowed(&gateway, &["target:"]).await;
    assert_eq!(get(&own, "", "/").await.unwrap(), ["/a/b", "/c"]);
    let status = refused(&own, every(&["/"])).await;
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_token_writes_within_its_paths_alone() {
    let gateway = interfaces().await;
    let client = narrowed(&gateway, &["path:/if", "target:"]).await;
    let set = |request: pb::SetRequest| client.set(request);
    let request = pb::SetRequest {
        update: vec![update("/if/mtu", int(1_500))],
        replace: vec![update("/if/i[name=lo]/in", int(4))],
        delete: vec![path("/if/i[name=eth1]"), path("/if/*/out")],
        ..Default::default()
    };
    set(request.clone()).await.unwrap();
    let outside = [
        pb::SetRequest {
            update: vec![update("/sys/secret", int(0))],
            ..request.clone()
        },
        pb::SetRequest {
            replace: vec![update("/sys/host/name", int(0))],
            ..request.clone()
        },
        // Part of it would be within; a Set is all or nothing.
        pb::SetRequest {
            delete: vec![path("/*")],
            ..request.clone()
        },
        pb::SetRequest {
            delete: vec![path("/.../in")],
            ..request.clone()
        },
        pb::SetRequest {
            prefix: Some(prefix("r1")),
            ..request.clone()
        },
    ];
    let before = once_paths(&gateway.client().await, &["/"]).await;
    for request in outside {
        let status = set(request.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{request:?}");
    }
    assert_eq!(once_paths(&gateway.client().await, &["/"]).await, before);

    let reader = narrowed(&gateway, &["read-only", "path:/if"]).await;
    let status = reader.set(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    once_paths(&reader, &["/if"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_are_not_counted_from_above_what_a_token_reaches() {
    let gateway = interfaces().await;
    let client = narrowed(&gateway, &["path:/if/i"]).await;
    let with_depth = |asked: &str| pb::SubscribeRequest {
        extension: vec![depth(1)],
        ..first(once(&[asked]))
    };
    let status = client.refused(with_depth("/")).await;
    assert_status(&status, Code::InvalidArgument, "depth");
    let mut stream = client.open(with_depth("/if/i[name=lo]")).await.unwrap();
    assert_eq!(stream.until_sync().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_that_tighten_end_open_streams() {
    let gateway = interfaces().await;
    let tenant = TenantId::new(TENANT);
    let account = gateway.new_account(TENANT, "tenant-admin").await;
    let token = gateway.token_for(TENANT, &account).await;
    let client = gateway.anonymous().await.bearer(&token);
    let open = async || {
        let mut stream = client.subscribe(on_change(&["/"])).await.unwrap();
        stream.until_sync().await;
        stream
    };
    let (operator, accounts) = (Caller::operator(), gateway.accounts());
    let allow = async |network: &str| {
        let policy = AccountPolicy {
            networks: Some(vec![network.parse().unwrap()]),
            ..AccountPolicy::default()
        };
        let set = accounts.set_account_policy(&operator, &tenant, account, policy);
        set.await.unwrap();
    };
    let mut stream = open().await;
    allow("127.0.0.0/8").await;
    gateway.publish("", "/if/i[name=lo]/in", int(5));
    stream.update().await;
    allow("192.0.2.0/24").await;
    assert_status(&stream.end().await, Code::PermissionDenied, "address");
    let status = refused(&client, once(&["/"])).await;
    assert_status(&status, Code::PermissionDenied, "address");
    allow("::/0").await;
    assert_eq!(
        refused(&client, once(&["/"])).await.code(),
        Code::PermissionDenied
    );
    allow("127.0.0.1/32").await;

    let mut stream = open().await;
    gateway.pass(Duration::from_hours(2));
    let policy = TenantPolicy {
        max_pat_lifetime: Limit::Set(Duration::from_hours(1)),
        ..TenantPolicy::default()
    };
    accounts
        .set_tenant_policy(&operator, &tenant, policy)
        .await
        .unwrap();
    assert_status(&stream.end().await, Code::Unauthenticated, "expired");
    let policy = TenantPolicy {
        max_pat_lifetime: Limit::Lifted,
        ..TenantPolicy::default()
    };
    accounts
        .set_tenant_policy(&operator, &tenant, policy)
        .await
        .unwrap();

    let mut stream = open().await;
    let policy = TenantPolicy {
        tokens_not_before: Some(gateway.clock.now()),
        ..TenantPolicy::default()
    };
    accounts
        .set_tenant_policy(&operator, &tenant, policy)
        .await
        .unwrap();
    assert_status(&stream.end().await, Code::Unauthenticated, "revoked");
}
