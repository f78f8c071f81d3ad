//! The end of a server.

use tokio::sync::oneshot;

use super::*;

#[tokio::test]
async fn drain_closes_idle_connections_and_the_listener() {
    // No other deadline shall close what the drain does not.
    let patient = Config {
        header_deadline: Duration::from_mins(10),
        drain_deadline: Duration::from_mins(10),
        ..config()
    };
    let server = Harness::with(patient, &[]).await;
    let channel = server.channel().await;
    assert_eq!(http2(&channel, "/peer").await.unwrap().0, 200);
    let _silent = server.tls(&[b"http/1.1"]).await;
    let _without_preface = server.tls(&[b"h2"]).await;
    let _mid_handshake = TcpStream::connect(server.address).await.unwrap();

    server.drain.cancel();
    in_time(server.serving).await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn drain_lets_a_request_finish() {
    let (finish, finished) = oneshot::channel::<()>();
    let (begin, started) = oneshot::channel::<()>();
    let both = Arc::new(parking_lot::Mutex::new(Some((begin, finished))));
    let slow = move || async move {
        let (begin, finished) = both.lock().take().unwrap();
        begin.send(()).unwrap();
        finished.await.unwrap();
        "done"
    };
    let server = Server::bind(config(), Security::Plain).await.unwrap();
    let (address, drain) = (server.local_addr(), CancellationToken::new());
    let router = Router::new().route("/slow", get(slow));
    let serving = tokio::spawn(server.serve(router, drain.clone()));

    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    in_time(started).await.unwrap();
    drain.cancel();
    while TcpStream::connect(address).await.is_ok() {}
    finish.send(()).unwrap();
    let mut answer = String::new();
    in_time(tcp.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    in_time(serving).await.unwrap();
}

#[tokio::test]
async fn drain_cuts_off_what_does_not_end() {
    let short = Config {
        drain_deadline: Duration::from_millis(50),
        ..config()
    };
    let server = Harness::with(short, &[]).await;
    let channel = server.channel().await;
    assert_eq!(http2(&channel, "/peer").await.unwrap().0, 200);
    let forever = tokio::spawn(async move { http2(&channel, "/forever").await });
    let mut tls = server.tls(&[b"http/1.1"]).await;
    tls.write_all(b"GET /forever HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();

    server.drain.cancel();
    in_time(server.serving).await.unwrap();
    assert!(in_time(forever).await.unwrap().is_err());
}
