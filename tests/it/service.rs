//! What surrounds the RPCs: Capabilities, reflection, health, metrics, TLS, drain.

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tollgate::wire::proto::gnmi as pb;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::client::in_time;
use crate::client::int;
use crate::client::on_change;
use crate::gateway::Gateway;

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_list_json_first_and_version_0_10_0() {
    let gateway = Gateway::start().await;
    let capabilities = gateway.client().await.capabilities().await.unwrap();
    assert_eq!(capabilities.g_nmi_version, "0.10.0");
    assert_eq!(
        capabilities.supported_encodings[0],
        i32::from(pb::Encoding::Json)
    );
    let mut encodings: Vec<_> = capabilities.supported_encodings().collect();
    encodings.sort();
    assert_eq!(
        encodings,
        [
            pb::Encoding::Json,
            pb::Encoding::Proto,
            pb::Encoding::JsonIetf
        ]
    );
    assert!(
        capabilities
            .supported_models
            .iter()
            .any(|model| model.name == "accedian-session")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_the_gnmi_service() {
    let gateway = Gateway::start().await;
    let mut client = ServerReflectionClient::new(gateway.channel().await);
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client
        .server_reflection_info(tokio_stream::once(list))
        .await
        .unwrap()
        .into_inner();
    let answer = in_time(answers.message()).await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(services)) = answer.message_response else {
        panic!("{answer:?}")
    };
    assert!(
        services
            .service
            .iter()
            .any(|service| service.name == "gnmi.gNMI")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_health_says_serving() {
    let gateway = Gateway::start().await;
    let mut client = HealthClient::new(gateway.channel().await);
    for service in ["", "gnmi.gNMI"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let status = client.check(request).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_rpc_is_unimplemented_and_unknown_page_is_not_found() {
    let gateway = Gateway::start().await;
    let mut grpc = tonic::client::Grpc::new(gateway.channel().await);
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<pb::Poll, pb::Poll>::default();
    let path = http::uri::PathAndQuery::from_static("/gnmi.gNMI/Nothing");
    let status = grpc
        .unary(tonic::Request::new(pb::Poll {}), path, codec)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);

    assert!(
        gateway
            .https_get("/nowhere")
            .await
            .starts_with("HTTP/1.1 404")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn health_pages_and_metrics_are_served() {
    let gateway = Gateway::start().await;
    gateway.client().await.capabilities().await.unwrap();
    assert!(
        gateway
            .https_get("/healthz")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        gateway
            .admin_get("/healthz")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        gateway
            .admin_get("/readyz")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let metrics = gateway.admin_get("/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(metrics.contains("tollgate_"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_and_old_tls_are_refused() {
    let gateway = Gateway::start().await;

    let mut plain = TcpStream::connect(gateway.address).await.unwrap();
    plain
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    // Either a TLS alert or a plain close: but no HTTP.
    let _ended = in_time(plain.read_to_end(&mut answer)).await;
    assert!(
        !answer.starts_with(b"HTTP") && !answer.windows(4).any(|window| window == b"SETT"),
        "{answer:?}"
    );

    // A TLS 1.1 ClientHello: version 3.2 and no supported_versions extension.
    let mut old = TcpStream::connect(gateway.address).await.unwrap();
    old.write_all(&tls11_client_hello()).await.unwrap();
    let mut answer = Vec::new();
    let _ended = in_time(old.read_to_end(&mut answer)).await;
    assert_eq!(
        answer.first(),
        Some(&21),
        "an alert record, not a ServerHello: {answer:?}"
    );

    gateway.client().await.capabilities().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_ends_streams_with_unavailable() {
    let gateway = Gateway::start().await;
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/a"])).await.unwrap();
    stream.until_sync().await;
    gateway.publish("", "/a/b", int(1));
    assert_eq!(stream.update().await.value, int(1));

    let drained = tokio::spawn(gateway.drain());
    assert_eq!(stream.end().await.code(), Code::Unavailable);
    drop((stream, client));
    in_time(drained).await.unwrap();
}

fn tls11_client_hello() -> Vec<u8> {
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 4, 0xc0, 0x13, 0x00, 0x2f]);
    body.extend([1, 0]);
    let mut handshake = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    handshake.extend(body);
    let mut record = vec![22, 3, 1, 0, u8::try_from(handshake.len()).unwrap()];
    record.extend(handshake);
    record
}
