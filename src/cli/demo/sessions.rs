//! The demo's measurements: real packets over loopback, between a sender and the gateway's reflector.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Session;
use crate::measure::Dscp;
use crate::measure::MonitoredObject;
use crate::measure::PacketSize;
use crate::measure::Percentiles;
use crate::measure::Schedule;
use crate::measure::SenderConfig;
use crate::measure::SequenceMode;
use crate::measure::SettingError;
use crate::model::TenantId;

/// Two sessions, told apart by their label `usage`.
pub(super) fn sessions(
    tenant: &TenantId,
    reflector: SocketAddr,
) -> Result<Vec<Session>, SettingError> {
    let session = |(id, name, usage): (&str, &str, &str)| {
        Ok(Session {
            tenant: tenant.clone(),
            sender: SenderConfig {
                object: object(id, name, usage),
                destination: reflector,
                bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
                schedule: Schedule::new(INTERVAL, LOSS_TIMEOUT, REPORT_INTERVAL)?,
                packet_size: PacketSize::new(PACKET_OCTETS)?,
                dscp: Dscp::BEST_EFFORT,
                ssid: 0,
                reflector: SequenceMode::Stateful,
                // Both ends read one clock.
                is_clock_synchronized: true,
                percentiles: Percentiles::DEFAULT,
            },
        })
    };
    [
        ("demo-1", "Loopback east", "europe-east"),
        ("demo-2", "Loopback west", "europe-west"),
    ]
    .into_iter()
    .map(session)
    .collect()
}

fn object(id: &str, name: &str, usage: &str) -> MonitoredObject {
    MonitoredObject {
        id: Arc::from(id),
        name: Arc::from(name),
        service_id: Arc::from("demo"),
        session_id: Arc::from(id),
        labels: vec![(Arc::from("usage"), Arc::from(usage))],
        source: None,
        destination: None,
        topology: Vec::new(),
    }
}

/// Fifty packets per second and session.
const INTERVAL: Duration = Duration::from_millis(20);
/// Loopback answers within microseconds.
const LOSS_TIMEOUT: Duration = Duration::from_millis(500);
/// A visitor shall see values change.
const REPORT_INTERVAL: Duration = Duration::from_secs(2);
/// STAMP's shortest symmetric packet.
const PACKET_OCTETS: u16 = 44;
