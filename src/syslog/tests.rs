//! Against real servers on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::UdpSocket;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::audit::Link;
use crate::audit::Sink as _;
use crate::clock::Clock;
use crate::pki::Authority;
use crate::pki::provider;

const SOON: Duration = Duration::from_secs(10);

fn event(seq: u64) -> Link {
    let body = r#"{"at":"2026-06-01T12:00:00Z","event":"pat.created","outcome":"success","userAgent":"a\"b\\c]d\n\u001b[31m\u2028é"}"#;
    Link {
        seq,
        body: body.to_owned(),
        previous: [0; 32],
        hash: [0xab; 32],
    }
}

fn syslog(scheme: &str, at: SocketAddr, roots: RootCertStore) -> Syslog {
    let tls = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = format!("{scheme}://{at}").parse().unwrap();
    Syslog::new(address, Arc::new(tls), "gate way\n1").unwrap()
}

fn expected(seq: u64) -> String {
    let process = std::process::id();
    let hash = "ab".repeat(32);
    format!(
        "<110>1 2026-06-01T12:00:00Z gateway1 tollgate {process} pat.created [audit@32473 seq=\"{seq}\" \
         at=\"2026-06-01T12:00:00Z\" event=\"pat.created\" outcome=\"success\" \
         userAgent=\"a\\\"b\\\\c\\]d\\\\u000a\\\\u001b[31m\\\\u2028é\" hash=\"{hash}\"] \
         \u{feff}pat.created success"
    )
}

/// The next message of a stream: its length, a space, itself (RFC 6587 3.4.1).
async fn frame(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let read = async {
        let mut length = 0;
        loop {
            match stream.read_u8().await.unwrap() {
                b' ' => break,
                digit => length = length * 10 + usize::from(digit - b'0'),
            }
        }
        let mut message = vec![0; length];
        stream.read_exact(&mut message).await.unwrap();
        String::from_utf8(message).unwrap()
    };
    tokio::time::timeout(SOON, read).await.unwrap()
}

#[tokio::test]
async fn event_is_one_datagram_and_nothing_in_it_is_raw() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let mut syslog = syslog("udp", at, RootCertStore::empty());
    syslog.deliver(&[event(7), event(8)]).await.unwrap();
    for seq in [7, 8] {
        let mut datagram = vec![0; 4_096];
        let received = tokio::time::timeout(SOON, server.recv(&mut datagram)).await;
        datagram.truncate(received.unwrap().unwrap());
        assert_eq!(String::from_utf8(datagram).unwrap(), expected(seq));
    }
}

#[tokio::test]
async fn page_before_comes_again_after_the_connection_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let mut syslog = syslog("tcp", at, RootCertStore::empty());
    syslog.deliver(&[event(1)]).await.unwrap();
    let (mut first, _) = listener.accept().await.unwrap();
    assert_eq!(frame(&mut first).await, expected(1));
    syslog.deliver(&[event(2)]).await.unwrap();
    // Closed with a message unread: the sender may learn of it only with a later one.
    drop(first);
    while syslog.deliver(&[event(3)]).await.is_err() {}
    let second = tokio::time::timeout(SOON, listener.accept()).await;
    let (mut second, _) = second.unwrap().unwrap();
    let mut seen = vec![frame(&mut second).await];
    while *seen.last().unwrap() != expected(3) {
        seen.push(frame(&mut second).await);
    }
    assert_eq!(seen[0], expected(2));
}

#[tokio::test]
async fn server_that_is_not_there_takes_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let mut syslog = syslog("tcp", at, RootCertStore::empty());
    assert!(syslog.deliver(&[event(1)]).await.is_err());
}

#[tokio::test]
async fn tls_server_must_show_a_certificate_that_is_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open_or_create(dir.path(), &Clock::system()).unwrap();
    let names = ["127.0.0.1".parse().unwrap()];
    let identity = authority.server_identity(&names).unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain().to_vec(), identity.key())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (refused, _) = listener.accept().await.unwrap();
        assert!(acceptor.accept(refused).await.is_err());
        let (tcp, _) = listener.accept().await.unwrap();
        frame(&mut acceptor.accept(tcp).await.unwrap()).await
    });
    let mut distrusting = syslog("tls", at, RootCertStore::empty());
    assert!(distrusting.deliver(&[event(1)]).await.is_err());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let mut trusting = syslog("tls", at, roots);
    trusting.deliver(&[event(2)]).await.unwrap();
    assert_eq!(server.await.unwrap(), expected(2));
}
