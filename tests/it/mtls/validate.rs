//! The page that proxies ask (restconf-pki 3.3).

use super::Answer;
use super::DAY;
use super::VALIDATE;
use super::account;
use super::certificates::Foreign;
use super::certificates::issue;
use super::connect;
use super::device;
use super::get;
use crate::gateway::Gateway;
use crate::gateway::TENANT;
use tollgate::transport::WithoutCrl;

#[tokio::test(flavor = "multi_thread")]
async fn certificate_is_described_in_headers_and_body() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let answer = device.get(&gateway, VALIDATE, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for (name, value) in [
        ("x-forwarded-tenant-id", TENANT),
        ("x-forwarded-user-id", &device.account.to_string()),
        ("x-forwarded-user-username", "probe"),
        ("x-forwarded-user-roles", "tenant-user"),
        ("x-forwarded-usergroups", "tenant-user"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let body = &answer.body;
    assert_eq!(body["serial"], device.serial.to_string());
    assert_eq!(body["username"], "probe");
    assert_eq!(body["tenant"], TENANT);
    assert_eq!(body["roles"], serde_json::json!(["tenant-user"]));
    assert_eq!(body["notAfter"], "2026-06-02T12:00:00Z");
    assert_eq!(body["remainingSeconds"], DAY.as_secs());
    assert!(
        body["subject"].as_str().unwrap().contains("probe"),
        "{body}"
    );
    assert!(
        body["issuer"].as_str().unwrap().contains("Tollgate"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_ask_with_any_method_and_below_the_page() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let path = format!("{VALIDATE}/restconf/data?depth=1");
    let below = device.get(&gateway, &path, "").await;
    assert_eq!(below.status, 200, "{below:?}");
    for method in ["HEAD", "POST", "DELETE"] {
        use tokio::io::AsyncReadExt as _;
        use tokio::io::AsyncWriteExt as _;
        let mut stream = device.connect(&gateway, &[b"http/1.1"]).await.unwrap();
        let request =
            format!("{method} {VALIDATE} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        crate::client::in_time(stream.read_to_string(&mut answer))
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {answer}");
        assert!(
            answer.contains("x-forwarded-user-username: probe"),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_is_401_and_one_without_account_403() {
    let foreign = Foreign::new("proxies");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.pem");
    std::fs::write(&file, foreign.0.pem()).unwrap();
    let gateway = Gateway::start_with(|settings| {
        settings.gateway.clients.ca_file = Some(file);
        settings.gateway.clients.without_crl = WithoutCrl::Accept;
    })
    .await;
    let trust = tollgate::transport::Trust::from_pem_file(gateway.ca_file()).unwrap();
    let config = trust.client_config(&[b"http/1.1"]).unwrap();
    let stream = connect(&gateway, config).await.unwrap();
    get(stream, VALIDATE, "")
        .await
        .is(401, "missing_certificate");

    let (leaf, key) = foreign.client(|_| {});
    let config = super::config(
        &gateway,
        &[leaf],
        &key,
        &[b"http/1.1"],
        rustls::ALL_VERSIONS,
    );
    let stream = connect(&gateway, config.clone()).await.unwrap();
    get(stream, VALIDATE, "").await.is(403, "no_account");
    // On the other pages it is as good as none, and a token does.
    let stream = connect(&gateway, config.clone()).await.unwrap();
    get(stream, "/api/v1/auth/session", "")
        .await
        .is(401, "missing_credentials");
    let bearer = format!("authorization: Bearer {}\r\n", gateway.token());
    let stream = connect(&gateway, config).await.unwrap();
    let answer = get(stream, "/api/v1/auth/session", &bearer).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn good_certificate_of_an_account_that_does_not_count_is_403() {
    let gateway = Gateway::start().await;
    let probe = device(&gateway, "probe", "tenant-user").await;
    gateway.disable(TENANT, &probe.account).await;
    probe
        .get(&gateway, VALIDATE, "")
        .await
        .is(403, "account_disabled");
    gateway.enable(TENANT, &probe.account).await;
    assert_eq!(probe.get(&gateway, VALIDATE, "").await.status, 200);
    gateway
        .set_roles(TENANT, &probe.account, &["tenant-portal"])
        .await;
    probe
        .get(&gateway, VALIDATE, "")
        .await
        .is(403, "roles_removed");

    let wide = account(&gateway, "wide", "tenant-user").await;
    let wide = issue(
        &gateway,
        wide,
        "wide",
        &["tenant-admin", "tenant-user"],
        DAY,
    )
    .await;
    let answer = wide.get(&gateway, VALIDATE, "").await;
    assert_eq!(answer.header("x-forwarded-user-roles"), Some("tenant-user"));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_beside_the_certificate_must_name_the_same_account() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let own = gateway.token_for(TENANT, &device.account).await;
    let ask = async |token: &str| -> Answer {
        let bearer = format!("authorization: Bearer {token}\r\n");
        device.get(&gateway, VALIDATE, &bearer).await
    };
    assert_eq!(ask(&own).await.status, 200);
    ask(&gateway.token()).await.is(403, "certificate_mismatch");
    ask("garbage").await.is(401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_asserts_of_itself_is_not_repeated() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-user").await;
    let claims = "X-Forwarded-User-Username: root\r\nx_forwarded_user_roles: skylight-admin\r\n\
                  X-Forwarded-JWT: a.b.c\r\n";
    let answer = device.get(&gateway, VALIDATE, claims).await;
    assert_eq!(answer.header("x-forwarded-user-username"), Some("probe"));
    assert_eq!(answer.header("x-forwarded-user-roles"), Some("tenant-user"));
    let foreign = device
        .get(&gateway, VALIDATE, "X-Forwarded-Tenant-Id: other\r\n")
        .await;
    foreign.is(403, "tenant_mismatch");
}
