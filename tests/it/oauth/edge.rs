//! An edge gateway without tokens of its own: it asks another gateway about each.

use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use tempfile::TempDir;
use tollgate::config::Introspection;
use tollgate::iam::ForeignConfig;
use tollgate::oauth::Claims;
use tollgate::oauth::IssuerConfig;
use tollgate::wire::proto::gnmi as pb;
use tonic::Code;

use super::client;
use crate::client::Client;
use crate::client::first;
use crate::client::int;
use crate::client::on_change;
use crate::client::path;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

/// An edge gateway, and the folder in which its secret lies.
pub(super) struct Edge {
    pub(super) gateway: Gateway,
    _folder: TempDir,
}

/// Where an issuer is, with `client_id` and `secret` for it.
pub(super) fn introspection(
    folder: &TempDir,
    url: &str,
    ca_file: &std::path::Path,
    (client_id, secret): (&str, &str),
) -> Introspection {
    let file = folder.path().join("secret");
    let mut options = std::fs::OpenOptions::new();
    let mut opened = options
        .write(true)
        .create(true)
        .mode(0o600)
        .open(&file)
        .unwrap();
    std::io::Write::write_all(&mut opened, secret.as_bytes()).unwrap();
    Introspection {
        issuer: IssuerConfig {
            url: url.parse().unwrap(),
            client_id: client_id.to_owned(),
            timeout: Duration::from_secs(5),
            concurrency: 8,
            claims: Claims::default(),
        },
        foreign: ForeignConfig {
            all_tokens: true,
            recheck_interval: Duration::from_millis(10),
        },
        client_secret_file: file,
        ca_file: ca_file.to_owned(),
    }
}

impl Edge {
    async fn of(core: &Gateway) -> Self {
        Self::for_audience(core, None).await
    }

    async fn for_audience(core: &Gateway, audience: Option<&str>) -> Self {
        let (_, id, secret) = client(core, "skylight-admin").await;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("https://{}/oauth2/introspect", core.address);
        let mut settings = introspection(&folder, &url, core.ca_file(), (&id, &secret));
        settings.issuer.claims.audience = audience.map(str::to_owned);
        let gateway = Gateway::start_with(|all| {
            all.introspection = Some(settings);
        })
        .await;
        Self {
            gateway,
            _folder: folder,
        }
    }

    async fn client(&self, token: &str) -> Client {
        self.gateway.anonymous().await.bearer(token)
    }
}

fn get() -> pb::GetRequest {
    pb::GetRequest {
        path: vec![path("/a")],
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_the_core_opens_the_edge_until_it_is_revoked_there() {
    let core = Gateway::start().await;
    let edge = Edge::of(&core).await;
    edge.gateway.publish("", "/a", int(1));
    let (token, id) = core.new_token(TENANT, "tenant-user", None).await;
    let client = edge.client(&token).await;
    client.get(get()).await.unwrap();
    let status = client.set(pb::SetRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();

    core.revoke(TENANT, &id).await;
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    let status = client.refused(first(on_change(&["/a"]))).await;
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_takes_tokens_that_the_core_means_for_it_alone() {
    let core = Gateway::start_with(|all| all.oauth.audience = Some("edges".into())).await;
    let silent = Gateway::start().await;
    for (core, audience, is_in) in [
        (&core, Some("edges"), true),
        (&core, None, true),
        (&core, Some("others"), false),
        (&silent, Some("edges"), false),
    ] {
        let edge = Edge::for_audience(core, audience).await;
        let (token, _) = core.new_token(TENANT, "tenant-user", None).await;
        let answer = edge.client(&token).await.capabilities().await;
        assert_eq!(answer.is_ok(), is_in, "{audience:?}");
        if let Err(status) = answer {
            assert_eq!(status.code(), Code::Unauthenticated);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowing_roles_and_expiry_reach_the_edge() {
    let core = Gateway::start().await;
    let edge = Edge::of(&core).await;
    edge.gateway.publish("", "/a", int(1));
    let account = core.new_account(TENANT, "tenant-admin").await;
    let token = core.token_for(TENANT, &account).await;
    let mut stream = edge
        .client(&token)
        .await
        .subscribe(on_change(&["/a"]))
        .await
        .unwrap();
    core.set_roles(TENANT, &account, &["service-account-manager"])
        .await;
    assert_eq!(stream.end().await.code(), Code::PermissionDenied);

    let ttl = Some(Duration::from_mins(5));
    let (short, _) = core.new_token(TENANT, "tenant-user", ttl).await;
    let client = edge.client(&short).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    edge.gateway.pass(Duration::from_mins(5));
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);

    // The core narrows a session; the edge sees it narrowed.
    let (_, id, secret) = super::client(&core, "tenant-admin").await;
    let api = super::form::<super::Iam>(&core).with("Authorization", &super::basic(&id, &secret));
    let body = b"grant_type=client_credentials&scope=read-only";
    let body = api.send("POST", super::TOKEN, body).await.ok();
    let client = edge.client(body["access_token"].as_str().unwrap()).await;
    client.get(get()).await.unwrap();
    let status = client.set(pb::SetRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_of_the_core_that_the_edge_has_not_are_refused() {
    let core = Gateway::start().await;
    let edge = Edge::of(&core).await;
    let (token, _) = core.new_token("acme", "tenant-user", None).await;
    let status = edge.client(&token).await.capabilities().await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    // The edge's own tokens are none where all are the core's.
    let own = edge.gateway.token();
    let status = edge.client(&own).await.capabilities().await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_core_is_borne_for_the_grace_and_no_longer() {
    let core = Gateway::start().await;
    let edge = Edge::of(&core).await;
    edge.gateway.publish("", "/a", int(1));
    let (token, _) = core.new_token(TENANT, "tenant-user", None).await;
    let (other, _) = core.new_token(TENANT, "tenant-user", None).await;
    let client = edge.client(&token).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    core.drain().await;

    // Beyond the cache's time, within the grace.
    edge.gateway.pass(Duration::from_secs(40));
    client.get(get()).await.unwrap();
    let status = edge.client(&other).await.get(get()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(edge.gateway.live_sessions(), 1);

    edge.gateway.pass(Duration::from_secs(30));
    assert_eq!(stream.end().await.code(), Code::Unavailable);
    let status = client.get(get()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
