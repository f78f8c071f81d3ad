//! Sessions against reflectors, over a simulated network and over loopback.

mod model;
mod network;
mod object;
mod session;
mod simulation;
mod udp;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use super::config::Dscp;
use super::config::PacketSize;
use super::config::Percentiles;
use super::config::ReflectorConfig;
use super::config::Schedule;
use super::config::SenderConfig;
use super::config::SequenceMode;
use super::object::MonitoredObject;

fn object() -> MonitoredObject {
    MonitoredObject {
        id: "1".into(),
        name: "paris-rome".into(),
        service_id: "gold".into(),
        session_id: "s1".into(),
        labels: vec![("usage".into(), "europe-east".into())],
        source: None,
        destination: None,
        topology: Vec::new(),
    }
}

/// One packet per `interval` ms, lost after `timeout`, a report per `report`.
fn sender_config(destination: SocketAddr, times: [u64; 3], mode: SequenceMode) -> SenderConfig {
    let [interval, timeout, report] = times.map(Duration::from_millis);
    SenderConfig {
        object: object(),
        destination,
        bind: "127.0.0.1:0".parse().unwrap(),
        schedule: Schedule::new(interval, timeout, report).unwrap(),
        packet_size: PacketSize::new(82).unwrap(),
        dscp: Dscp::new(46).unwrap(),
        ssid: 7,
        reflector: mode,
        is_clock_synchronized: true,
        percentiles: Percentiles::DEFAULT,
    }
}

fn reflector_config(mode: SequenceMode) -> ReflectorConfig {
    ReflectorConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        mode,
        rate: NonZeroU32::new(10_000).unwrap(),
        allow: Vec::new(),
        is_clock_synchronized: true,
    }
}
