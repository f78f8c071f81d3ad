//! Sender and reflector over real sockets on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::sync::DropGuard;

use crate::clock::Clock;

use super::super::config::SequenceMode;
use super::super::error::Error;
use super::super::reflector::Reflector;
use super::super::report::Report;
use super::super::sender::Sender;
use super::super::spread::Fixed;

async fn reflector(stop: &CancellationToken) -> SocketAddr {
    let config = super::reflector_config(SequenceMode::Stateful);
    let reflector = Reflector::bind(config, Clock::system()).await.unwrap();
    let address = reflector.local_addr();
    tokio::spawn(reflector.run(stop.clone()));
    address
}

/// Starts a sender; all ends when the guard drops.
async fn sender(
    destination: SocketAddr,
    times: [u64; 3],
    stop: CancellationToken,
) -> mpsc::Receiver<Report> {
    let config = super::sender_config(destination, times, SequenceMode::Stateful);
    let sender = Sender::bind(config, Clock::system()).await.unwrap();
    let (reports, received) = mpsc::channel(4);
    tokio::spawn(sender.run(reports, stop));
    received
}

fn stop() -> (CancellationToken, DropGuard) {
    let stop = CancellationToken::new();
    (stop.clone(), stop.drop_guard())
}

#[tokio::test]
async fn sender_measures_a_reflector_on_loopback() {
    let (stop, _guard) = stop();
    let address = reflector(&stop).await;
    let mut reports = sender(address, [5, 100, 100], stop).await;

    let report = reports.recv().await.unwrap();
    assert!(report.sent >= 2, "{}", report.sent);
    let loss = report.round_trip.loss.unwrap();
    assert_eq!((loss.received, loss.lost), (report.sent, 0));
    assert_eq!(report.forward.loss.unwrap().lost, 0);
    assert_eq!(report.back.loss.unwrap().lost, 0);
    for direction in [&report.forward, &report.back, &report.round_trip] {
        let delay = direction.times.unwrap().delay.unwrap();
        assert!(
            delay.min > Fixed(0) && delay.min <= delay.p50 && delay.p50 <= delay.max,
            "{delay:?}"
        );
        assert_eq!(direction.bytes_received, Some(report.sent * 82));
    }
}

/// What the relay does, by sequence number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    LoseForward,
    LoseBack,
    DoubleForward,
    DoubleBack,
    /// Held until the next reply has passed.
    SwapBack,
    /// Held until the loss timeout has passed.
    DelayBack,
}

const FAULTS: [(u32, Fault); 8] = [
    (1, Fault::LoseForward),
    (2, Fault::LoseForward),
    (4, Fault::LoseBack),
    (6, Fault::DoubleForward),
    (8, Fault::DoubleBack),
    (9, Fault::DoubleBack),
    (11, Fault::SwapBack),
    (13, Fault::DelayBack),
];

/// Stands between sender and reflector.
async fn relay(reflector: SocketAddr, timeout: Duration, stop: CancellationToken) -> SocketAddr {
    let (near, far) = (local().await, local().await);
    far.connect(reflector).await.unwrap();
    let address = near.local_addr().unwrap();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        let (mut out, mut home) = ([0; 2_048], [0; 2_048]);
        let mut sender = None;
        let mut held: Option<Vec<u8>> = None;
        let mut late: Option<(tokio::time::Instant, Vec<u8>)> = None;
        loop {
            let wait = late.as_ref().map_or(Duration::from_mins(1), |(due, _)| {
                due.saturating_duration_since(tokio::time::Instant::now())
            });
            tokio::select! {
                Ok((len, from)) = near.recv_from(&mut out) => {
                    sender = Some(from);
                    let copies = match fault(&out, 0) {
                        Some(Fault::LoseForward) => 0,
                        Some(Fault::DoubleForward) => 2,
                        _ => 1,
                    };
                    for _ in 0..copies {
                        far.send(&out[..len]).await.unwrap();
                    }
                }
                Ok(len) = far.recv(&mut home) => {
                    let mut copies = vec![home[..len].to_vec()];
                    match fault(&home, 24) {
                        Some(Fault::LoseBack) => copies.clear(),
                        Some(Fault::DoubleBack) => copies.push(home[..len].to_vec()),
                        Some(Fault::SwapBack) => held = copies.pop(),
                        Some(Fault::DelayBack) => {
                            late = copies.pop().map(|copy| (tokio::time::Instant::now() + timeout, copy));
                        }
                        _ => copies.extend(held.take()),
                    }
                    for copy in copies {
                        near.send_to(&copy, sender.unwrap()).await.unwrap();
                    }
                }
                () = tokio::time::sleep(wait), if late.is_some() => {
                    let (_, copy) = late.take().unwrap();
                    near.send_to(&copy, sender.unwrap()).await.unwrap();
                }
            }
        }
    }));
    address
}

fn fault(datagram: &[u8], at: usize) -> Option<Fault> {
    let number = u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap());
    FAULTS
        .iter()
        .find(|(faulty, _)| *faulty == number)
        .map(|(_, fault)| *fault)
}

async fn local() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn faults_of_the_path_are_counted_exactly() {
    let (stop, _guard) = stop();
    let address = reflector(&stop).await;
    let address = relay(address, Duration::from_millis(300), stop.clone()).await;
    // The late reply comes 300 ms after packet 13, whose interval is reported 550 ms after the first packet.
    let mut reports = sender(address, [5, 250, 300], stop).await;

    let report = reports.recv().await.unwrap();
    assert!(report.sent > 14, "{}", report.sent);
    let loss = report.round_trip.loss.unwrap();
    assert_eq!((loss.lost, loss.received), (4, report.sent - 4));
    assert_eq!((loss.burst_min, loss.burst_max), (1, 2));
    assert_eq!(report.round_trip.too_late, Some(1));
    assert_eq!(report.round_trip.duplicated, Some(3));
    assert_eq!(report.round_trip.misordered, Some(1));
    assert_eq!(report.forward.loss.map(|loss| loss.lost), Some(2));
    assert_eq!(
        (report.forward.duplicated, report.forward.misordered),
        (Some(1), Some(0))
    );
    assert_eq!(report.back.loss.map(|loss| loss.lost), Some(1));
    assert_eq!(
        (report.back.duplicated, report.back.misordered),
        (Some(2), Some(1))
    );
}

#[tokio::test]
async fn refused_packets_are_lost_and_the_sender_goes_on() {
    let (stop, _guard) = stop();
    // Nobody listens where a socket has just been closed.
    let closed = local().await.local_addr().unwrap();
    let mut reports = sender(closed, [5, 50, 50], stop).await;
    for number in 0..2 {
        let report = reports.recv().await.unwrap();
        assert_eq!(report.number, number);
        assert_eq!(
            report.round_trip.loss.map(|loss| loss.lost),
            Some(report.sent)
        );
        assert_eq!(report.round_trip.times, None);
    }
}

#[tokio::test]
async fn sender_ends_when_nobody_takes_reports() {
    let (stop, _guard) = stop();
    let config = super::sender_config(reflector(&stop).await, [5, 5, 10], SequenceMode::Stateful);
    let sender = Sender::bind(config, Clock::system()).await.unwrap();
    let (reports, received) = mpsc::channel(1);
    drop(received);
    sender.run(reports, stop).await;
}

#[tokio::test]
async fn taken_address_is_an_error() {
    let taken = local().await;
    let mut config = super::reflector_config(SequenceMode::Stateless);
    config.bind = taken.local_addr().unwrap();
    let error = Reflector::bind(config, Clock::system())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::Bind { address, .. } if address == taken.local_addr().unwrap()));
}
