//! What well-behaved clients get.

use super::*;

#[tokio::test]
async fn server_speaks_http2_and_http1_and_says_who_asks() {
    let server = Harness::start().await;
    let (status, body) = http2(&server.channel().await, "/peer").await.unwrap();
    assert_eq!(status, 200);
    assert!(
        body.contains("alpn: H2") && body.contains("has_certificate: false"),
        "{body}"
    );

    let answer = server
        .http1("GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("alpn: Http11"),
        "{answer}"
    );
}

#[tokio::test]
async fn server_speaks_http1_to_those_who_name_no_protocol() {
    let server = Harness::start().await;
    let answer = exchange(server.tls(&[]).await, b"GET /peer HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.0 200") && answer.contains("alpn: Unsaid"),
        "{answer}"
    );
}

#[tokio::test]
async fn bare_handshake_shows_the_certificate() {
    let server = Harness::start().await;
    let mut config = Trust::Anybody.client_config(&[]).unwrap();
    config.enable_sni = false;
    let tls = server.tls_with(config).await.unwrap();
    let chain = tls.get_ref().1.peer_certificates().unwrap();
    assert_eq!(chain.last(), Some(&server.authority.certificate()));
    drop(tls);
    assert_eq!(
        http2(&server.channel().await, "/peer").await.unwrap().0,
        200
    );
}

#[tokio::test]
async fn tls12_is_spoken() {
    let server = Harness::start().await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(server.authority.certificate().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(crate::pki::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = server.tls_with(config).await.unwrap();
    assert_eq!(
        tls.get_ref().1.protocol_version(),
        Some(rustls::ProtocolVersion::TLSv1_2)
    );
}

#[tokio::test]
async fn panic_of_a_handler_ends_its_request_alone() {
    let server = Harness::start().await;
    let channel = server.channel().await;
    assert!(http2(&channel, "/panic").await.is_err());
    assert_eq!(http2(&channel, "/peer").await.unwrap().0, 200);

    let answer = server.http1("GET /panic HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(answer, "");
    assert_eq!(http2(&channel, "/peer").await.unwrap().0, 200);
}

#[tokio::test]
async fn plain_listener_serves_http1() {
    let server = Server::bind(config(), Security::Plain).await.unwrap();
    let address = server.local_addr();
    let _serving = tokio::spawn(server.serve(router(), CancellationToken::new()));
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(b"GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    in_time(tcp.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn taken_address_is_an_error_that_names_it() {
    let first = Server::bind(config(), Security::Plain).await.unwrap();
    let error = Server::bind(Config::new(first.local_addr()), Security::Plain)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", first.local_addr())
    );
}

/// A client that is answered before it has sent its body still gets the answer, and may ask again.
#[tokio::test]
async fn short_body_that_nobody_wants_costs_no_connection() {
    let server = Harness::start().await;
    let mut tls = server.tls(&[b"http/1.1"]).await;
    let body = "x".repeat(20_000);
    let head = format!(
        "POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    tls.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1_024];
    let count = in_time(tls.read(&mut answer)).await.unwrap();
    assert!(answer[..count].starts_with(b"HTTP/1.1 404"));
    let again = format!("{body}GET /peer HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let answer = exchange(tls, again.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
