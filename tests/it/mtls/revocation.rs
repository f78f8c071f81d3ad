//! What a revocation ends, and how soon (restconf-pki 3.5).

use rustls::HandshakeKind;
use rustls::version::TLS12;
use rustls::version::TLS13;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tonic::Code;

use super::Device;
use super::VALIDATE;
use super::alert;
use super::certificates::revoke;
use super::config;
use super::connect;
use super::device;
use super::try_get;
use crate::client::assert_status;
use crate::client::in_time;
use crate::client::int;
use crate::client::on_change;
use crate::gateway::Gateway;
use crate::gateway::TENANT;

#[tokio::test(flavor = "multi_thread")]
async fn revoked_certificate_loses_streams_connections_and_handshakes() {
    let gateway = Gateway::start().await;
    let (device, other) = (
        device(&gateway, "probe", "tenant-admin").await,
        device(&gateway, "other", "tenant-admin").await,
    );
    let client = device.client(&gateway).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let mut kept = other
        .client(&gateway)
        .await
        .subscribe(on_change(&["/a"]))
        .await
        .unwrap();
    kept.until_sync().await;
    // An idle connection of each protocol, kept open.
    let mut idle = device.connect(&gateway, &[b"http/1.1"]).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: gw\r\n\r\n")
        .await
        .unwrap();
    let mut seen = [0; 12];
    in_time(idle.read_exact(&mut seen)).await.unwrap();
    assert_eq!(&seen, b"HTTP/1.1 200");
    let idle_h2 = device.client(&gateway).await;
    idle_h2.capabilities().await.unwrap();

    revoke(&gateway, device.serial).await;
    let status = stream.end().await;
    assert_status(&status, Code::Unauthenticated, "certificate revoked");
    assert_eq!(
        status.metadata().get("x-auth-reason").unwrap(),
        "certificate_revoked"
    );
    let serial = status.metadata().get("x-certificate-serial").unwrap();
    assert_eq!(*serial, device.serial.to_string());
    // The connections end by themselves.
    in_time(idle.read_to_end(&mut Vec::new())).await.ok();
    in_time(async { while idle_h2.capabilities().await.is_ok() {} }).await;
    let config = device.config(&gateway, &[b"http/1.1"]);
    assert!(alert(&gateway, config).await.contains("CertificateRevoked"));

    // Nobody else has lost anything.
    gateway.publish("", "/a/b", int(1));
    assert_eq!(kept.update().await.value, int(1));
    let metrics = gateway.admin_get("/metrics").await;
    assert!(
        metrics.contains("tollgate_connections_certificate_lost_total"),
        "{metrics}"
    );
}

/// The same configuration twice, so that the client offers to resume.
async fn connect_twice(gateway: &Gateway, config: &rustls::ClientConfig) -> HandshakeKind {
    let mut kind = None;
    for _ in 0..2 {
        let stream = connect(gateway, config.clone()).await.unwrap();
        kind = stream.get_ref().1.handshake_kind();
        let answer = try_get(stream, VALIDATE, "").await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    kind.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn session_is_not_resumed_after_a_revocation() {
    let gateway = Gateway::start().await;
    for (version, before) in [
        (&TLS12, HandshakeKind::Resumed),
        // No tickets are given: each handshake is a full one.
        (&TLS13, HandshakeKind::Full),
    ] {
        let device: Device = device(&gateway, &format!("{version:?}"), "tenant-user").await;
        let (chain, key) = (&device.chain, &device.key);
        let config = config(&gateway, chain, key, &[b"http/1.1"], &[version]);
        assert_eq!(connect_twice(&gateway, &config).await, before);
        revoke(&gateway, device.serial).await;
        gateway.until_revoked(device.serial).await;
        // Between the revocation and the new session store a session may still be resumed, and is worth nothing.
        in_time(async {
            loop {
                let answer = match connect(&gateway, config.clone()).await {
                    Ok(stream) => try_get(stream, VALIDATE, "").await,
                    Err(error) => Err(error),
                };
                match answer {
                    Ok(answer) => assert_ne!(answer.status, 200, "{version:?} {answer:?}"),
                    Err(error) if error.to_string().contains("CertificateRevoked") => return,
                    Err(_) => {}
                }
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_of_another_is_not_resumed_past_a_revocation_either() {
    let gateway = Gateway::start().await;
    let [revoked, kept] = ["revoked", "kept"];
    let (revoked, kept) = (
        device(&gateway, revoked, "tenant-user").await,
        device(&gateway, kept, "tenant-user").await,
    );
    let config = config(&gateway, &kept.chain, &kept.key, &[b"http/1.1"], &[&TLS12]);
    assert_eq!(
        connect_twice(&gateway, &config).await,
        HandshakeKind::Resumed
    );
    revoke(&gateway, revoked.serial).await;
    gateway.until_revoked(revoked.serial).await;
    // The session store is a new one: the next handshake is a full one, and succeeds.
    in_time(async {
        loop {
            let stream = connect(&gateway, config.clone()).await.unwrap();
            let kind = stream.get_ref().1.handshake_kind().unwrap();
            assert_eq!(try_get(stream, VALIDATE, "").await.unwrap().status, 200);
            if kind == HandshakeKind::Full {
                return;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_refuses_what_was_revoked_before_and_after_its_start() {
    let gateway = Gateway::start().await;
    let before = device(&gateway, "before", "tenant-user").await;
    let after = device(&gateway, "after", "tenant-user").await;
    revoke(&gateway, before.serial).await;
    let second = gateway.another_node().await;
    let refused = |device: Device| {
        let config = device.config(&gateway, &[b"http/1.1"]);
        let address = second.address();
        async move {
            let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            match super::over(tcp, config).await {
                Ok(stream) => try_get(stream, VALIDATE, "").await.is_err(),
                Err(_) => true,
            }
        }
    };
    assert!(refused(before).await);
    revoke(&gateway, after.serial).await;
    in_time(async {
        while !second.identity().revoked.contains(&after.serial) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(refused(after).await);
    second.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_ends_with_its_account() {
    let gateway = Gateway::start().await;
    let device = device(&gateway, "probe", "tenant-admin").await;
    let client = device.client(&gateway).await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    let tenant = tollgate::model::TenantId::new(TENANT);
    let operator = tollgate::iam::Caller::operator();
    let deleted = gateway
        .accounts()
        .delete(&operator, &tenant, device.account)
        .await;
    deleted.unwrap();
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    gateway.until_revoked(device.serial).await;
    let alert = alert(&gateway, device.config(&gateway, &[b"h2"])).await;
    assert!(alert.contains("CertificateRevoked"), "{alert}");
}
