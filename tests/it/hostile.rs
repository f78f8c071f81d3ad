//! Peers that use HTTP/2 against the gateway: each loses its own streams or connection, is counted, and a stream of somebody
//! else goes on.

use std::future::pending;
use std::time::Duration;

use prost::Message as _;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::ReadHalf;
use tokio::io::WriteHalf;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::client::Stream;
use crate::client::first;
use crate::client::in_time;
use crate::client::int;
use crate::client::on_change;
use crate::gateway::Gateway;

// Types and flags of frames (RFC 9113 6), and codes of errors (7).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 0xb;

const FLOODED: &str = "tollgate_connections_flooded_total";
const DELAYED: &str = "tollgate_connections_delayed_total";

/// A connection on which frames are written by hand.
struct Peer {
    reading: ReadHalf<TlsStream<TcpStream>>,
    writing: WriteHalf<TlsStream<TcpStream>>,
}

struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Peer {
    /// Connects, with these settings.
    async fn connect(gateway: &Gateway, settings: &[(u16, u32)]) -> Self {
        let (reading, writing) = tokio::io::split(gateway.connect_http2().await);
        let mut peer = Self { reading, writing };
        let mut payload = Vec::new();
        for (name, value) in settings {
            payload.extend(name.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        let hello = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(SETTINGS, 0, 0, &payload),
        ];
        peer.writing.write_all(&hello.concat()).await.unwrap();
        peer
    }

    /// Writes the same again and again until GOAWAY comes. Its error code.
    async fn flood(&mut self, bytes: &[u8]) -> u32 {
        let Self { reading, writing } = self;
        let flooding = async {
            while writing.write_all(bytes).await.is_ok() {}
            // What was sent before the end can still be read.
            pending::<()>().await;
        };
        in_time(async {
            tokio::select! {
                code = goaway(reading) => code,
                () = flooding => unreachable!(),
            }
        })
        .await
    }
}

async fn goaway(reading: &mut ReadHalf<TlsStream<TcpStream>>) -> u32 {
    loop {
        let frame = next(reading).await;
        if frame.kind == GOAWAY {
            return u32::from_be_bytes(frame.payload[4..8].try_into().unwrap());
        }
    }
}

async fn next(reading: &mut ReadHalf<TlsStream<TcpStream>>) -> Frame {
    let mut header = [0; 9];
    reading.read_exact(&mut header).await.unwrap();
    let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
    let mut payload = vec![0; length as usize];
    reading.read_exact(&mut payload).await.unwrap();
    let stream = u32::from_be_bytes(header[5..].try_into().unwrap());
    Frame {
        kind: header[3],
        stream,
        payload,
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Headers without Huffman coding and without a table (RFC 7541 6.2.2).
fn headers(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    let text = |text: &str| {
        // More than 126 bytes take a second one for the length.
        let (short, rest) = match text.len().checked_sub(127) {
            None => (text.len(), None),
            Some(rest) => (127, Some(rest)),
        };
        let mut out = vec![u8::try_from(short).unwrap()];
        out.extend(rest.map(|rest| u8::try_from(rest).unwrap()));
        out.extend(text.bytes());
        out
    };
    for (name, value) in fields {
        block.push(0);
        block.extend(text(name));
        block.extend(text(value));
    }
    block
}

fn get(stream: u32) -> Vec<u8> {
    let fields = headers(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/healthz"),
    ]);
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields)
}

/// Opens Subscribe on a stream.
fn subscribe(stream: u32, bearer: &str, path: &str) -> Vec<u8> {
    let fields = headers(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/gnmi.gNMI/Subscribe"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("authorization", bearer),
    ]);
    let request = first(on_change(&[path])).encode_to_vec();
    let mut message = vec![0];
    message.extend(u32::try_from(request.len()).unwrap().to_be_bytes());
    message.extend(request);
    [
        frame(HEADERS, END_HEADERS, stream, &fields),
        frame(DATA, 0, stream, &message),
    ]
    .concat()
}

/// Somebody whom all of it is nothing to.
async fn bystander(gateway: &Gateway) -> Stream {
    gateway.publish("", "/bystander", int(0));
    let client = gateway.client().await;
    let mut stream = client.subscribe(on_change(&["/bystander"])).await.unwrap();
    stream.until_sync().await;
    stream
}

async fn still_served(gateway: &Gateway, stream: &mut Stream) {
    gateway.publish("", "/bystander", int(1));
    assert_eq!(stream.update().await.value, int(1));
}

/// Of the whole process, in which other tests count too.
async fn count(gateway: &Gateway, metric: &str) -> u64 {
    let metrics = gateway.admin_get("/metrics").await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(metric));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_empty_frames_end_with_goaway_and_are_counted() {
    let gateway = Gateway::start().await;
    let mut stream = bystander(&gateway).await;
    let before = count(&gateway, FLOODED).await;
    let empty = frame(DATA, 0, 1, &[]);
    for flood in [
        frame(PING, 0, 0, &[7; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
    ] {
        let mut peer = Peer::connect(&gateway, &[]).await;
        assert_eq!(peer.flood(&flood.repeat(500)).await, NO_ERROR);
    }
    let mut peer = Peer::connect(&gateway, &[]).await;
    let bearer = format!("Bearer {}", gateway.token());
    let open = subscribe(1, &bearer, "/nothing");
    peer.writing.write_all(&open).await.unwrap();
    assert_eq!(peer.flood(&empty.repeat(500)).await, ENHANCE_YOUR_CALM);
    assert!(count(&gateway, FLOODED).await >= before + 3);
    still_served(&gateway, &mut stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_come_back_after_a_flood_begin_later_and_are_counted() {
    let gateway = Gateway::start().await;
    let before = count(&gateway, DELAYED).await;
    let pings = frame(PING, 0, 0, &[7; 8]).repeat(500);
    // Again, if this machine has taken longer to come back than there is to wait.
    in_time(async {
        while count(&gateway, DELAYED).await <= before {
            let mut peer = Peer::connect(&gateway, &[]).await;
            assert_eq!(peer.flood(&pings).await, NO_ERROR);
        }
    })
    .await;
    let mut stream = bystander(&gateway).await;
    still_served(&gateway, &mut stream).await;
}

/// A window that grows by single bytes makes a DATA frame of each.
#[tokio::test(flavor = "multi_thread")]
async fn reader_that_takes_single_bytes_is_cut_off() {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    // No other deadline shall end what the flood does not.
    let gateway = Gateway::start_with(|settings| {
        settings.gateway.transport.header_deadline = Duration::from_mins(10);
    })
    .await;
    let mut stream = bystander(&gateway).await;
    for leaf in 0..2_000 {
        gateway.publish("", &format!("/crumbs/leaf[name={leaf}]"), int(leaf));
    }
    let mut peer = Peer::connect(&gateway, &[(INITIAL_WINDOW_SIZE, 0)]).await;
    let bearer = format!("Bearer {}", gateway.token());
    let open = subscribe(1, &bearer, "/crumbs");
    peer.writing.write_all(&open).await.unwrap();
    let before = count(&gateway, FLOODED).await;
    let crumb = frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]);
    assert_eq!(peer.flood(&crumb.repeat(100)).await, NO_ERROR);
    assert!(count(&gateway, FLOODED).await > before);
    // Its stream would go on for ever; whether the end comes with a reset does not matter.
    let _ended = in_time(peer.reading.read_to_end(&mut Vec::new())).await;
    still_served(&gateway, &mut stream).await;
}

/// CVE-2023-44487.
#[tokio::test(flavor = "multi_thread")]
async fn rapid_resets_end_with_goaway_and_are_counted() {
    let gateway = Gateway::start().await;
    let mut stream = bystander(&gateway).await;
    let mut peer = Peer::connect(&gateway, &[]).await;
    let violations = "tollgate_http2_violations_total{reason=\"enhance_your_calm\"}";
    let before = count(&gateway, violations).await;
    let flood: Vec<u8> = (1..8_000)
        .step_by(2)
        .flat_map(|number| {
            [
                get(number),
                frame(RST_STREAM, 0, number, &CANCEL.to_be_bytes()),
            ]
        })
        .flatten()
        .collect();
    let _cut = peer.writing.write_all(&flood).await;
    assert_eq!(in_time(goaway(&mut peer.reading)).await, ENHANCE_YOUR_CALM);
    in_time(async { while count(&gateway, violations).await <= before {} }).await;
    still_served(&gateway, &mut stream).await;
}

/// A client that does not care how many streams it may have.
#[tokio::test(flavor = "multi_thread")]
async fn streams_beyond_the_limit_of_a_connection_are_refused() {
    let gateway = Gateway::start_with(|settings| {
        settings.gateway.transport.max_streams_per_connection = 10;
    })
    .await;
    let mut stream = bystander(&gateway).await;
    let mut peer = Peer::connect(&gateway, &[]).await;
    let bearer = format!("Bearer {}", gateway.token());
    // All at once, before the gateway has said how many it allows.
    let all: Vec<u8> = (1..40)
        .step_by(2)
        .flat_map(|number| subscribe(number, &bearer, "/nothing"))
        .collect();
    peer.writing.write_all(&all).await.unwrap();
    let mut refused = Vec::new();
    while refused.len() < 10 {
        let frame = in_time(next(&mut peer.reading)).await;
        if frame.kind == RST_STREAM {
            assert_eq!(frame.payload, REFUSED_STREAM.to_be_bytes());
            refused.push(frame.stream);
        }
    }
    assert_eq!(refused, (21..40).step_by(2).collect::<Vec<_>>());
    gateway.until(|gateway| gateway.live_sessions() == 11).await;
    still_served(&gateway, &mut stream).await;
}

/// 10,000 streams that nobody allowed.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_streams_on_one_connection_end_it() {
    let gateway = Gateway::start().await;
    let mut stream = bystander(&gateway).await;
    let mut peer = Peer::connect(&gateway, &[]).await;
    let bearer = format!("Bearer {}", gateway.token());
    let all: Vec<u8> = (1..20_000)
        .step_by(2)
        .flat_map(|number| subscribe(number, &bearer, "/nothing"))
        .collect();
    assert_eq!(peer.flood(&all).await, ENHANCE_YOUR_CALM);
    still_served(&gateway, &mut stream).await;
}
