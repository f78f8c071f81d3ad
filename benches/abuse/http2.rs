//! Peers that use HTTP/2 itself: each writes what it has as fast as it is let, on one connection after the other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::Message as _;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tollgate::transport::Trust;

use crate::gateway::Running;
use crate::gateway::on_change;
use crate::streams::Flood;

/// What peers do, and the bytes that they do it with.
pub fn kinds(running: &Running) -> Vec<(&'static str, Vec<u8>)> {
    let token = running.token.expose();
    let streams = (1..20_000).step_by(2);
    let resets = streams
        .clone()
        .flat_map(|stream| [subscribe(stream, token), frame(3, 0, stream, &[0, 0, 0, 8])]);
    let many = streams.map(|stream| subscribe(stream, token));
    let big = [0x40, 0x7f, 0xff, 0x7e].repeat(4_000);
    vec![
        ("rapid resets", resets.flatten().collect()),
        ("streams without end", many.flatten().collect()),
        ("pings", frame(6, 0, 0, &[7; 8]).repeat(10_000)),
        ("settings", frame(4, 0, 0, &[]).repeat(10_000)),
        (
            "windows of one byte",
            [
                subscribe(1, token),
                frame(8, 0, 1, &[0, 0, 0, 1]).repeat(10_000),
            ]
            .concat(),
        ),
        ("huge headers", frame(1, 4, 1, &big)),
    ]
}

/// One such peer. `sent` counts its connections.
pub fn peer(running: &Running, bytes: &[u8], flood: &Flood) -> JoinHandle<()> {
    let trust = Trust::from_pem_file(running.gateway.ca_file()).unwrap();
    let config = trust.client_config(&[b"h2"]).unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let (address, bytes, flood) = (running.gateway.address(), bytes.to_vec(), flood.clone());
    tokio::spawn(async move {
        while !flood.stop.load(Ordering::Relaxed) {
            // The window of a reader begins with nothing: only what it grants is sent.
            let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
            let hello = [hello, frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])].concat();
            connect(&connector, address, &hello, &bytes, &flood).await;
            flood.sent.fetch_add(1, Ordering::Relaxed);
        }
    })
}

/// Until the gateway ends it.
async fn connect(
    connector: &TlsConnector,
    address: SocketAddr,
    hello: &[u8],
    bytes: &[u8],
    flood: &Flood,
) {
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = address.ip().into();
    let Ok(tls) = connector.connect(name, tcp).await else {
        return;
    };
    let (mut reading, mut writing) = tokio::io::split(tls);
    let floods = async {
        writing.write_all(hello).await?;
        while !flood.stop.load(Ordering::Relaxed) {
            writing.write_all(bytes).await?;
        }
        std::io::Result::Ok(())
    };
    let reads = async {
        let mut read = vec![0; 64 << 10];
        while reading.read(&mut read).await.is_ok_and(|count| count > 0) {}
    };
    tokio::select! {
        _cut = floods => {}
        () = reads => {}
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Opens Subscribe on a stream, with headers in plain (RFC 7541 6.2.2).
fn subscribe(stream: u32, token: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/gnmi.gNMI/Subscribe"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("authorization", &format!("Bearer {token}")),
    ] {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.bytes());
        }
    }
    let request = on_change().encode_to_vec();
    let mut message = vec![0];
    message.extend(u32::try_from(request.len()).unwrap().to_be_bytes());
    message.extend(request);
    [frame(1, 4, stream, &block), frame(0, 0, stream, &message)].concat()
}
