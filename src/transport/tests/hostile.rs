//! Clients that are slow, silent, many or malicious: each loses its own connection, nobody else's.

use super::*;

#[tokio::test]
async fn connection_over_the_limit_is_closed_at_once() {
    let limited = Config {
        max_connections_per_address: 2,
        ..config()
    };
    let server = Harness::with(limited, &[]).await;
    let first = server.tls(&[b"h2"]).await;
    let _second = server.tls(&[b"h2"]).await;
    let config = server.trust().client_config(&[]).unwrap();
    assert!(server.tls_with(config.clone()).await.is_err());
    drop(first);
    // The place is free again once the server has seen the end of the first.
    while server.tls_with(config.clone()).await.is_err() {}
}

#[tokio::test]
async fn handshake_that_does_not_end_is_cut_off() {
    let hasty = Config {
        handshake_deadline: Duration::from_millis(50),
        ..config()
    };
    let server = Harness::with(hasty, &[]).await;
    let mut tcp = TcpStream::connect(server.address).await.unwrap();
    tcp.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    let mut answer = Vec::new();
    let _end = in_time(tcp.read_to_end(&mut answer)).await;
    assert_eq!(answer, b"");
}

#[tokio::test]
async fn peer_that_says_nothing_after_the_handshake_is_cut_off() {
    let hasty = Config {
        header_deadline: Duration::from_millis(50),
        ..config()
    };
    let server = Harness::with(hasty, &[]).await;
    for beginning in ["", "PRI * HTTP/2.0\r\n", "GET /peer HTTP/1.1\r\nhost"] {
        for alpn in ["h2", "http/1.1", ""] {
            let alpn: &[&[u8]] = if alpn.is_empty() {
                &[]
            } else {
                &[alpn.as_bytes()]
            };
            let answer = exchange(server.tls(alpn).await, beginning.as_bytes()).await;
            assert!(!answer.contains("200"), "{beginning} {answer}");
        }
    }
}

#[tokio::test]
async fn idle_http2_connection_outlives_the_header_deadline() {
    let hasty = Config {
        header_deadline: Duration::from_millis(20),
        ..config()
    };
    let server = Harness::with(hasty, &[]).await;
    let channel = server.channel().await;
    // Longer than the deadline, without a sleep: another connection runs into it.
    let silent = exchange(server.tls(&[b"http/1.1"]).await, b"").await;
    assert_eq!(silent, "");
    assert_eq!(http2(&channel, "/peer").await.unwrap().0, 200);
}

#[tokio::test]
async fn plain_http_on_the_tls_port_gets_no_http() {
    let server = Harness::start().await;
    for request in [
        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut tcp = TcpStream::connect(server.address).await.unwrap();
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _end = in_time(tcp.read_to_end(&mut answer)).await;
        assert!(
            answer.first().is_none_or(|kind| *kind == TLS_ALERT),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn unknown_application_protocol_is_an_alert() {
    let server = Harness::start().await;
    let config = server.trust().client_config(&[b"spdy/3"]).unwrap();
    let error = server.tls_with(config).await.unwrap_err();
    assert!(
        error.to_string().contains("NoApplicationProtocol"),
        "{error}"
    );
}

#[tokio::test]
async fn oversize_head_is_answered_431() {
    let server = Harness::start().await;
    let long = "x".repeat(40_000);
    let answer = server
        .http1(&format!(
            "GET /peer HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    let channel = server.channel().await;
    let request = Request::get("https://a/peer").header("x", &long);
    let answer = in_time(
        channel
            .clone()
            .oneshot(request.body(tonic::body::Body::empty()).unwrap()),
    )
    .await;
    assert_eq!(answer.unwrap().status(), 431);
    assert_eq!(http2(&channel, "/peer").await.unwrap().0, 200);
}

/// CVE-2023-44487: streams that are reset before they are served.
#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let server = Harness::start().await;
    let mut flood =
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".to_vec();
    for stream in (1..4_000_u32).step_by(2) {
        // HEADERS with END_STREAM and END_HEADERS: GET, https, `/`; then RST_STREAM with CANCEL.
        flood.extend([0, 0, 3, 1, 5]);
        flood.extend(stream.to_be_bytes());
        flood.extend([0x82, 0x87, 0x84, 0, 0, 4, 3, 0]);
        flood.extend(stream.to_be_bytes());
        flood.extend([0, 0, 0, 8]);
    }
    let mut tls = server.tls(&[b"h2"]).await;
    // The server may close before it has read everything.
    let _sent = tls.write_all(&flood).await;
    let mut answer = Vec::new();
    let _end = in_time(tls.read_to_end(&mut answer)).await;
    assert!(
        answer.windows(4).any(|code| code == ENHANCE_YOUR_CALM),
        "no GOAWAY: {answer:?}"
    );
    assert_eq!(
        http2(&server.channel().await, "/peer").await.unwrap().0,
        200
    );
}

/// Record type of an alert (RFC 8446 5.1).
const TLS_ALERT: u8 = 21;

/// Error code of the GOAWAY frame (RFC 9113 7).
const ENHANCE_YOUR_CALM: [u8; 4] = [0, 0, 0, 0x0b];
