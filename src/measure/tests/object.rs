//! What a report becomes in the tree.

use crate::model::Nature;
use crate::model::Notification;
use crate::model::Value;

use super::super::config::SequenceMode;
use super::super::config::SettingError;
use super::super::object::Location;
use super::super::report::Report;
use super::simulation::Journey;
use super::simulation::Simulation;
use super::simulation::clean;

fn reports() -> (Report, Report) {
    let mut network = Simulation::new(SequenceMode::Stateful);
    network.send(&clean());
    let first = network.report(0);
    network.send(&Journey {
        forward: vec![],
        back: vec![],
    });
    (first, network.report(0))
}

fn leaf(notification: &Notification, path: &str) -> Option<Value> {
    let ends = |update: &&crate::model::Update| update.path.to_string().ends_with(path);
    notification
        .updates
        .iter()
        .find(ends)
        .map(|update| update.value.clone())
}

fn fixed(digits: i64, precision: u8) -> Value {
    Value::Decimal { digits, precision }
}

#[test]
fn report_becomes_one_notification_per_direction() {
    let (first, second) = reports();
    let object = super::object();
    let notifications = object.notifications(&first);
    assert_eq!(notifications.len(), 6);
    let measured = &notifications[3..];
    for (direction, notification) in measured.iter().enumerate() {
        assert_eq!(notification.timestamp, first.ended);
        assert_eq!(notification.nature, Nature::State);
        assert!(notification.target.is_own());
        for update in &notification.updates {
            let prefix = format!(
                "accedian:/object-type/twamp-sf/monitored-objects/monitored-object[direction={direction}]\
                 [monitored-object-id=1][monitored-object-name=paris-rome][service-id=gold]/metrics/"
            );
            assert!(
                update.path.to_string().starts_with(&prefix),
                "{}",
                update.path
            );
        }
    }
    let delays = measured.iter().map(|one| leaf(one, "/delay-avg"));
    let expected = [2_000, 3_000, 5_000].map(|micros| Some(fixed(micros * 100_000, 5)));
    assert_eq!(delays.collect::<Vec<_>>(), expected);
    assert_eq!(
        leaf(&measured[2], "/packets-received"),
        Some(fixed(100_000, 5))
    );
    assert_eq!(leaf(&measured[2], "/duration"), Some(fixed(1_000_000, 5)));
    assert_eq!(object.notifications(&second).len(), 3);
}

#[test]
fn leaf_without_a_value_is_deleted() {
    let (_, second) = reports();
    let measured = super::object().notifications(&second);
    let round_trip = &measured[2];
    assert_eq!(
        leaf(round_trip, "/packets-lost-pct"),
        Some(fixed(10_000_000, 5))
    );
    assert_eq!(leaf(round_trip, "/delay-avg"), None);
    let deleted: Vec<_> = round_trip.deletes.iter().map(ToString::to_string).collect();
    assert!(
        deleted
            .iter()
            .any(|path| path.ends_with("/metrics/delay-avg")),
        "{deleted:?}"
    );
    assert_eq!(round_trip.deletes.len() + round_trip.updates.len(), 44);
    assert!(
        round_trip
            .deletes
            .iter()
            .all(|pattern| pattern.as_path().is_some())
    );
}

#[test]
fn description_holds_labels_place_and_topology() {
    let mut object = super::object();
    object.source = Some(Location::from_degrees(48.856_6, -2.352_2).unwrap());
    object.topology = vec!["edge".into(), "core".into()];
    let described = object.describe(crate::model::Timestamp::EPOCH);
    assert_eq!(described.len(), 3);
    for one in &described {
        assert_eq!(
            leaf(one, "/meta/data[name=usage]/val"),
            Some(Value::string("europe-east"))
        );
        assert_eq!(leaf(one, "/session-id"), Some(Value::string("s1")));
        assert_eq!(
            leaf(one, "/location/source-location/lat"),
            Some(fixed(488_566_000, 7))
        );
        assert_eq!(
            leaf(one, "/location/source-location/lon"),
            Some(fixed(-23_522_000, 7))
        );
        assert_eq!(leaf(one, "/location/destination-location/lat"), None);
        let hops = Value::LeafList(["edge", "core"].map(Value::string).into());
        assert_eq!(leaf(one, "/Topology"), Some(hops));
    }
}

#[test]
fn location_is_on_earth() {
    for (latitude, longitude) in [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0)] {
        assert_eq!(
            Location::from_degrees(latitude, longitude),
            Err(SettingError::Location)
        );
    }
}
