//! HTTP/2 frame by frame, and with a client that does only what it is told.

use std::convert::Infallible;
use std::pin::Pin;

use axum::body::Body;
use axum::routing::post;
use bytes::Bytes;
use futures_util::stream;
use h2::Reason;
use h2::RecvStream;
use h2::client::SendRequest;
use http::HeaderMap;
use http::Response;
use http::header::CONTENT_LENGTH;
use http::header::DATE;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::mpsc;

use crate::model::Timestamp;

use super::*;

/// PING (RFC 9113 6.7) in a frame's header: its length, its type, and that it is no answer.
const PING: &[u8] = &[0, 0, 8, 6, 0];

/// HTTP/2 over a connection.
async fn client(tls: TlsStream<TcpStream>) -> SendRequest<Bytes> {
    let (requests, connection) = in_time(h2::client::handshake(tls)).await.unwrap();
    tokio::spawn(connection);
    requests
}

async fn get(requests: &mut SendRequest<Bytes>, path: &str) -> Response<RecvStream> {
    let (response, _) = requests.send_request(request(path), true).unwrap();
    in_time(response).await.unwrap()
}

fn request(path: &str) -> Request<()> {
    Request::get(format!("https://gateway{path}"))
        .body(())
        .unwrap()
}

async fn read(mut body: RecvStream) -> (Vec<u8>, Option<HeaderMap>) {
    let mut read = Vec::new();
    while let Some(data) = in_time(body.data()).await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        read.extend(data);
    }
    (read, in_time(body.trailers()).await.unwrap())
}

/// Tells when it is dropped, by closing the channel.
type Held = mpsc::Sender<Infallible>;

async fn is_dropped(mut held: mpsc::Receiver<Infallible>) {
    assert!(in_time(held.recv()).await.is_none());
}

#[tokio::test]
async fn http2_is_spoken_to_those_who_name_no_protocol_and_begin_with_it() {
    let server = Harness::start().await;
    let mut requests = client(server.tls(&[]).await).await;
    let (body, _) = read(get(&mut requests, "/peer").await.into_body()).await;
    assert!(String::from_utf8_lossy(&body).contains("alpn: Unsaid"));
}

#[tokio::test]
async fn answers_are_dated_and_say_their_length() {
    let server = Harness::start().await;
    let mut requests = client(server.tls(&[b"h2"]).await).await;
    let response = get(&mut requests, "/peer").await;
    let date = response.headers()[DATE].to_str().unwrap();
    let age = Clock::system()
        .now()
        .since(Timestamp::parse_http_date(date).unwrap());
    assert!(age < Duration::from_mins(1), "{date}");
    let length = response.headers()[CONTENT_LENGTH].clone();
    let (body, _) = read(response.into_body()).await;
    assert_eq!(length, body.len().to_string());
    assert_eq!(get(&mut requests, "/nothing").await.status(), 404);
}

#[tokio::test]
async fn bodies_larger_than_the_windows_go_both_ways_with_their_trailers() {
    let echo = Router::new().route("/echo", post(|body: Body| async { body }));
    let server = Harness::serving(config(), echo).await;
    let mut requests = client(server.tls(&[b"h2"]).await).await;
    let (mut head, sent) = (request("/echo"), vec![7; 3 << 20]);
    *head.method_mut() = http::Method::POST;
    let (response, mut body) = requests.send_request(head, false).unwrap();
    body.send_data(sent.clone().into(), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-end", "here".parse().unwrap());
    body.send_trailers(trailers).unwrap();
    let response = in_time(response).await.unwrap();
    let (received, trailers) = read(response.into_body()).await;
    assert!(received == sent, "{} bytes came back", received.len());
    assert_eq!(trailers.unwrap()["x-end"], "here");
}

#[tokio::test]
async fn request_that_the_peer_resets_is_given_up() {
    let (held, dropped) = mpsc::channel(1);
    let held: Arc<parking_lot::Mutex<Option<Held>>> = Arc::new(parking_lot::Mutex::new(Some(held)));
    let (begun, mut begins) = mpsc::channel(1);
    let handler = move || {
        let (held, begun) = (held.lock().take(), begun.clone());
        async move {
            begun.send(()).await.unwrap();
            pending::<()>().await;
            drop(held);
        }
    };
    let router = Router::new().route("/held", axum::routing::get(handler));
    let server = Harness::serving(config(), router).await;
    let mut requests = client(server.tls(&[b"h2"]).await).await;
    let (_response, mut stream) = requests.send_request(request("/held"), false).unwrap();
    in_time(begins.recv()).await.unwrap();
    stream.send_reset(Reason::CANCEL);
    is_dropped(dropped).await;
}

#[tokio::test]
async fn answer_that_the_peer_resets_is_given_up() {
    let (held, dropped) = mpsc::channel(1);
    let held: Arc<parking_lot::Mutex<Option<Held>>> = Arc::new(parking_lot::Mutex::new(Some(held)));
    let handler = move || {
        let held = held.lock().take();
        let frames = stream::unfold(held, |held| async move {
            pending::<()>().await;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::new())), held))
        });
        async move { Body::new(StreamBody::new(Pin::from(Box::new(frames)))) }
    };
    let router = Router::new().route("/endless", axum::routing::get(handler));
    let server = Harness::serving(config(), router).await;
    let mut requests = client(server.tls(&[b"h2"]).await).await;
    let (response, mut stream) = requests.send_request(request("/endless"), false).unwrap();
    let _body = in_time(response).await.unwrap();
    stream.send_reset(Reason::CANCEL);
    is_dropped(dropped).await;
}

#[tokio::test]
async fn body_that_fails_resets_its_stream() {
    let handler = || async {
        let frames = stream::iter([
            Ok(Frame::data(Bytes::from_static(b"begun"))),
            Err(std::io::Error::other("as asked")),
        ]);
        Body::new(StreamBody::new(frames))
    };
    let router = Router::new().route("/fails", axum::routing::get(handler));
    let server = Harness::serving(config(), router).await;
    let mut requests = client(server.tls(&[b"h2"]).await).await;
    let (response, _) = requests.send_request(request("/fails"), true).unwrap();
    // The reset takes along what has not been sent, be it the head.
    let error = match in_time(response).await {
        Ok(mut response) => loop {
            if let Some(Err(error)) = in_time(response.body_mut().data()).await {
                break error;
            }
        },
        Err(error) => error,
    };
    assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
}

#[tokio::test]
async fn peer_that_answers_no_ping_is_ended() {
    let hasty = Config {
        keepalive_interval: Duration::from_millis(1),
        keepalive_timeout: Duration::from_millis(1),
        ..config()
    };
    let server = Harness::with(hasty, &[]).await;
    let mut tls = server.tls(&[b"h2"]).await;
    tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _end = in_time(tls.read_to_end(&mut answer)).await;
    assert!(answer.windows(PING.len()).any(|bytes| bytes == PING));
}

#[tokio::test]
async fn peer_that_answers_pings_stays() {
    let hasty = Config {
        keepalive_interval: Duration::from_millis(1),
        ..config()
    };
    let server = Harness::with(hasty, &[]).await;
    let mut requests = client(server.tls(&[b"h2"]).await).await;
    for _ in 0..100 {
        assert_eq!(get(&mut requests, "/peer").await.status(), 200);
    }
}
