//! `[measure]`: the gateway's own reflector and measurement sessions.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::measure::Dscp;
use crate::measure::Location;
use crate::measure::MonitoredObject;
use crate::measure::PacketSize;
use crate::measure::Percentiles;
use crate::measure::ReflectorConfig;
use crate::measure::Schedule;
use crate::measure::SenderConfig;
use crate::measure::SequenceMode;
use crate::measure::SettingError;
use crate::model::TenantId;

use super::Fault;
use super::raw::Given;
use super::section::Section;
use super::setting::Setting;
use super::setting::parsed;
use super::setting::quoted;
use super::setting::shown;
use super::setting::text;

/// What the gateway measures itself.
#[derive(Clone, Debug)]
pub struct Measure {
    /// Answers the senders of others.
    pub reflector: Option<ReflectorConfig>,
    /// The gateway's own senders.
    pub sessions: Vec<Session>,
}

/// One measurement session and whose data it makes.
#[derive(Clone, Debug)]
pub struct Session {
    /// The tenant in whose tree the reports enter.
    pub tenant: TenantId,
    /// The session.
    pub sender: SenderConfig,
}

/// Reads `[measure]` and its `[[measure.sessions]]`.
pub(super) fn measure(section: &mut Section<'_, '_>) -> Measure {
    let is_clock_synchronized = section.get(
        "clock_synchronized",
        false,
        "Whether this machine's clock is synchronized to UTC; only then one-way delays are reported.",
    );
    let reflector = reflector(section, is_clock_synchronized);
    let sessions = section.each("sessions", |section| {
        session(section, is_clock_synchronized)
    });
    Measure {
        reflector,
        sessions,
    }
}

fn reflector(
    section: &mut Section<'_, '_>,
    is_clock_synchronized: bool,
) -> Option<ReflectorConfig> {
    let bind = section.optional(
        "reflector_listen",
        "Where TWAMP-light and STAMP packets are reflected (UDP, well-known port 862). Without it there is no reflector.",
    );
    let rate = section.count(
        "reflector_rate",
        REFLECTOR_RATE,
        1..=1_000_000,
        "Packets per second of one address that are answered.",
    );
    let allow = section.get(
        "reflector_allow",
        Vec::new(),
        "Networks that are answered; empty: all.",
    );
    let mode = section.get("reflector_mode", SequenceMode::Stateful, MODE);
    Some(ReflectorConfig {
        bind: bind?,
        mode,
        rate: NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN),
        allow,
        is_clock_synchronized,
    })
}

/// One `[[measure.sessions]]`; `None` when it cannot be, which is then on the list.
fn session(section: &mut Section<'_, '_>, is_clock_synchronized: bool) -> Option<Session> {
    let tenant = section.required::<String>("tenant", "Whose data the reports are.");
    let object = object(section);
    let destination = section.required("destination", "The reflector, IP address and port (UDP).");
    let bind = section.get("bind", ANY, "The local address.");
    let schedule = schedule(section);
    let size = section.count(
        "packet_size",
        STAMP_SIZE,
        0..=1_472,
        "Octets of UDP payload.",
    );
    let packet_size = accepted(section, "packet_size", PacketSize::new(size));
    let code_point = section.count("dscp", 0, 0..=63, "Differentiated services code point.");
    let dscp = accepted(section, "dscp", Dscp::new(code_point));
    let ssid = section.count(
        "ssid",
        0,
        0..=65_535,
        "STAMP session identifier; 0 for TWAMP-light.",
    );
    let reflector = section.get("reflector_mode", SequenceMode::Stateful, MODE);
    let sender = SenderConfig {
        object: object?,
        destination: destination?,
        bind,
        schedule: schedule?,
        packet_size: packet_size?,
        dscp: dscp?,
        ssid,
        reflector,
        is_clock_synchronized,
        percentiles: Percentiles::DEFAULT,
    };
    Some(Session {
        tenant: TenantId::new(tenant?),
        sender,
    })
}

/// How the session appears in the tree.
fn object(section: &mut Section<'_, '_>) -> Option<MonitoredObject> {
    let id = section.required::<String>("id", "Key `monitored-object-id`.");
    let name =
        section.optional::<String>("name", "Key `monitored-object-name`; the id when left out.");
    let service =
        section.optional::<String>("service_id", "Key `service-id`; the id when left out.");
    let session =
        section.optional::<String>("session_id", "Leaf `session-id`; the id when left out.");
    let labels: Vec<Label> = section.get(
        "labels",
        Vec::new(),
        "Metadata by which subscribers select: \"name=value\".",
    );
    let source = location(
        section,
        "source_location",
        "Where the sender is: \"latitude,longitude\" in degrees.",
    );
    let destination = location(
        section,
        "reflector_location",
        "Where the reflector is: \"latitude,longitude\" in degrees.",
    );
    let topology: Vec<String> = section.get("topology", Vec::new(), "What lies between, in order.");
    let id: Arc<str> = Arc::from(id?);
    let or_id = |text: Option<String>| text.map_or_else(|| Arc::clone(&id), Arc::from);
    Some(MonitoredObject {
        name: or_id(name),
        service_id: or_id(service),
        session_id: or_id(session),
        labels: labels
            .into_iter()
            .map(|label| (label.name, label.value))
            .collect(),
        source,
        destination,
        topology: topology.into_iter().map(Arc::from).collect(),
        id,
    })
}

fn schedule(section: &mut Section<'_, '_>) -> Option<Schedule> {
    let range = Duration::from_millis(1)..=Duration::from_mins(15);
    let interval = section.duration("interval", INTERVAL, range.clone(), "Between two packets.");
    let timeout = section.duration(
        "loss_timeout",
        LOSS_TIMEOUT,
        range.clone(),
        "After how long a reply counts as lost.",
    );
    let report = section.duration(
        "report_interval",
        REPORT_INTERVAL,
        range,
        "Between two reports.",
    );
    let schedule = Schedule::new(interval, timeout, report);
    let name = match schedule {
        Err(SettingError::LossTimeout) => "loss_timeout",
        Err(SettingError::ReportInterval) => "report_interval",
        _ => "interval",
    };
    accepted(section, name, schedule)
}

fn location(
    section: &mut Section<'_, '_>,
    name: &'static str,
    doc: &'static str,
) -> Option<Location> {
    let degrees = section.optional::<Degrees>(name, doc)?;
    accepted(
        section,
        name,
        Location::from_degrees(degrees.latitude, degrees.longitude),
    )
}

/// What a room makes of a value, or its complaint at the value's place.
fn accepted<T, E: fmt::Display>(
    section: &mut Section<'_, '_>,
    name: &'static str,
    made: Result<T, E>,
) -> Option<T> {
    made.map_err(|error| section.mistake(name, Fault::Refused(error.to_string())))
        .ok()
}

/// `name=value`.
#[derive(Clone, Debug)]
pub(super) struct Label {
    name: Arc<str>,
    value: Arc<str>,
}

/// `latitude,longitude`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Degrees {
    latitude: f64,
    longitude: f64,
}

impl FromStr for Label {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or(())?;
        Ok(Self {
            name: Arc::from(name),
            value: Arc::from(value),
        })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl FromStr for Degrees {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (latitude, longitude) = text.split_once(',').ok_or(())?;
        let degrees = |text: &str| text.trim().parse().map_err(|_| ());
        Ok(Self {
            latitude: degrees(latitude)?,
            longitude: degrees(longitude)?,
        })
    }
}

impl fmt::Display for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.latitude, self.longitude)
    }
}

impl Setting for SequenceMode {
    const KIND: &'static str = "stateful or stateless";

    fn read(given: &Given) -> Result<Self, Fault> {
        match text(given) {
            Some("stateful") => Ok(Self::Stateful),
            Some("stateless") => Ok(Self::Stateless),
            _ => Err(Fault::Expected("\"stateful\" or \"stateless\"")),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Stateful => "stateful",
            Self::Stateless => "stateless",
        })
    }
}

impl Setting for Label {
    const KIND: &'static str = "name=value";

    fn read(given: &Given) -> Result<Self, Fault> {
        parsed(given, "labels of the form \"name=value\"")
    }

    fn write(&self) -> String {
        shown(self)
    }
}

impl Setting for Degrees {
    const KIND: &'static str = "location";

    fn read(given: &Given) -> Result<Self, Fault> {
        parsed(given, "latitude and longitude, such as \"48.2,16.37\"")
    }

    fn write(&self) -> String {
        shown(self)
    }
}

impl Setting for IpNet {
    const KIND: &'static str = "network";

    fn read(given: &Given) -> Result<Self, Fault> {
        parsed(given, "networks, such as \"192.0.2.0/24\"")
    }

    fn write(&self) -> String {
        shown(self)
    }
}

const MODE: &str =
    "How replies are numbered: `stateful` tells loss apart by direction, `stateless` does not.";

/// Ten sessions of the highest rate behind one address.
const REFLECTOR_RATE: u32 = 10_000;

const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// RFC 8762 4.2.1: the base packet.
const STAMP_SIZE: u16 = 44;

/// The vendor's usual rate.
const INTERVAL: Duration = Duration::from_millis(100);

/// No path on earth takes longer; what comes later is of no use to an application either.
const LOSS_TIMEOUT: Duration = Duration::from_secs(1);

/// Often enough to watch, long enough for 100 packets to rank.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);
