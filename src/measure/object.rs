//! A monitored object of the vendor's gNMI model (`accedian-session`, 2023-10-23): what a report becomes in the tree.

use std::sync::Arc;

use crate::model::Elem;
use crate::model::Nature;
use crate::model::Notification;
use crate::model::Origin;
use crate::model::Path;
use crate::model::Pattern;
use crate::model::Target;
use crate::model::Timestamp;
use crate::model::Update;
use crate::model::Value;

use super::config::SettingError;
use super::leaves;
use super::report::Direction;
use super::report::Report;

/// What a measurement session is about. Any text is a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitoredObject {
    /// Key `monitored-object-id`.
    pub id: Arc<str>,
    /// Key `monitored-object-name`.
    pub name: Arc<str>,
    /// Key `service-id`.
    pub service_id: Arc<str>,
    /// Leaf `session-id`.
    pub session_id: Arc<str>,
    /// Names and values of `meta/data`, by which subscribers select objects.
    pub labels: Vec<(Arc<str>, Arc<str>)>,
    /// Where the sender is.
    pub source: Option<Location>,
    /// Where the reflector is.
    pub destination: Option<Location>,
    /// Leaf-list `Topology`: what lies between, in order.
    pub topology: Vec<Arc<str>>,
}

/// A place on earth, in 10^-7 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    latitude: i64,
    longitude: i64,
}

impl MonitoredObject {
    /// The measured values: one notification per direction, at the end of the interval. With the first report
    /// comes [`MonitoredObject::describe`].
    ///
    /// A leaf that this report does not have is deleted, so that no value of an earlier interval looks current.
    pub fn notifications(&self, report: &Report) -> Vec<Notification> {
        let mut notifications = if report.number == 0 {
            self.describe(report.ended)
        } else {
            Vec::new()
        };
        notifications.extend([
            self.measured(FORWARD, &report.forward, report),
            self.measured(BACK, &report.back, report),
            self.measured(ROUND_TRIP, &report.round_trip, report),
        ]);
        notifications
    }

    /// Session, labels, locations and topology, which do not change: one notification per direction.
    pub fn describe(&self, at: Timestamp) -> Vec<Notification> {
        [FORWARD, BACK, ROUND_TRIP]
            .into_iter()
            .map(|direction| {
                let updates = self
                    .facts()
                    .into_iter()
                    .map(|(elems, value)| Update {
                        path: self.path(direction, elems),
                        value,
                    })
                    .collect();
                notification(at, Vec::new(), updates)
            })
            .collect()
    }

    fn measured(&self, direction: &str, values: &Direction, report: &Report) -> Notification {
        let (mut deletes, mut updates) = (Vec::new(), Vec::new());
        for (leaf, value) in leaves::of(values, report.duration) {
            let path = self.path(direction, vec![Elem::new("metrics"), Elem::new(leaf)]);
            match value {
                Some(fixed) => updates.push(Update {
                    path,
                    value: Value::Decimal {
                        digits: fixed.0,
                        precision: METRIC_DIGITS,
                    },
                }),
                None => deletes.push(Pattern::from(&path)),
            }
        }
        notification(report.ended, deletes, updates)
    }

    fn facts(&self) -> Vec<(Vec<Elem>, Value)> {
        let mut facts = vec![(
            vec![Elem::new("session-id")],
            Value::String(Arc::clone(&self.session_id)),
        )];
        if !self.topology.is_empty() {
            let hops = self
                .topology
                .iter()
                .map(|hop| Value::String(Arc::clone(hop)));
            facts.push((vec![Elem::new("Topology")], Value::LeafList(hops.collect())));
        }
        for (name, location) in [
            ("source-location", self.source),
            ("destination-location", self.destination),
        ] {
            let Some(location) = location else { continue };
            for (leaf, digits) in [("lat", location.latitude), ("lon", location.longitude)] {
                let elems = vec![Elem::new("location"), Elem::new(name), Elem::new(leaf)];
                let precision = LOCATION_DIGITS;
                facts.push((elems, Value::Decimal { digits, precision }));
            }
        }
        for (name, value) in &self.labels {
            let data = Elem::with_keys("data", [("name", Arc::clone(name))]);
            let elems = vec![Elem::new("meta"), data, Elem::new("val")];
            facts.push((elems, Value::String(Arc::clone(value))));
        }
        facts
    }

    fn path(&self, direction: &str, below: Vec<Elem>) -> Path {
        let object = Elem::with_keys(
            "monitored-object",
            [
                ("monitored-object-id", Arc::clone(&self.id)),
                ("monitored-object-name", Arc::clone(&self.name)),
                ("direction", Arc::from(direction)),
                ("service-id", Arc::clone(&self.service_id)),
            ],
        );
        let above = ["object-type", "twamp-sf", "monitored-objects"].map(Elem::new);
        let elems = above.into_iter().chain([object]).chain(below).collect();
        Path::new(Origin::new(ORIGIN), elems)
    }
}

impl Location {
    /// Takes degrees, rounded to 10^-7.
    ///
    /// # Errors
    ///
    /// [`SettingError::Location`] beyond 90 degrees of latitude or 180 of longitude.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Result<Self, SettingError> {
        if !(latitude.abs() <= 90.0 && longitude.abs() <= 180.0) {
            return Err(SettingError::Location);
        }
        Ok(Self {
            latitude: digits(latitude),
            longitude: digits(longitude),
        })
    }
}

fn notification(timestamp: Timestamp, deletes: Vec<Pattern>, updates: Vec<Update>) -> Notification {
    Notification {
        timestamp,
        target: Target::own(),
        nature: Nature::State,
        atomic: None,
        deletes,
        updates,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most 180 x 10^7")]
fn digits(degrees: f64) -> i64 {
    (degrees * 1e7).round() as i64
}

const ORIGIN: &str = "accedian";
/// Names of the enumeration `direction`.
const FORWARD: &str = "0";
const BACK: &str = "1";
const ROUND_TRIP: &str = "2";
/// Fraction digits of every leaf below `metrics`.
const METRIC_DIGITS: u8 = 5;
/// Fraction digits of `lat` and `lon`.
const LOCATION_DIGITS: u8 = 7;
