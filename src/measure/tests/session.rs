//! A session's report intervals: what is counted where.

use super::super::config::SequenceMode;
use super::super::session::Outcome;
use super::simulation::Journey;
use super::simulation::Simulation;
use super::simulation::clean;

fn network() -> Simulation {
    Simulation::new(SequenceMode::Stateful)
}

fn lost_forward() -> Journey {
    Journey {
        forward: vec![],
        back: vec![],
    }
}

fn lost_back() -> Journey {
    Journey {
        forward: vec![2],
        back: vec![],
    }
}

#[test]
fn packet_counts_in_the_interval_in_which_it_was_sent() {
    let mut network = network();
    for _ in 0..5 {
        network.send(&clean());
    }
    let first = network.report(3);
    assert_eq!(
        (first.number, first.sent, first.duration.as_millis()),
        (0, 5, 50)
    );
    network.send(&lost_back());
    let second = network.report(1);
    assert_eq!(
        (second.number, second.sent, second.duration.as_millis()),
        (1, 4, 140)
    );
    assert_eq!(second.round_trip.loss.unwrap().lost, 1);
    assert_eq!(second.back.loss.unwrap().lost, 1);
    assert_eq!(network.session.close(), None);
}

#[test]
fn cut_reports_what_was_not_reported() {
    let mut network = network();
    network.send(&clean());
    let now = first_report_end(&mut network);
    network.send(&clean());
    let report = network.session.cut(now).unwrap();
    assert_eq!((report.number, report.sent), (0, 1));
}

fn first_report_end(network: &mut Simulation) -> crate::model::Timestamp {
    let now = crate::model::Timestamp::from_secs(1_700_000_001);
    assert_eq!(network.session.cut(now), None);
    now
}

#[test]
fn late_packet_is_lost_and_too_late_in_its_interval() {
    let mut network = network();
    network.send(&Journey {
        forward: vec![2],
        back: vec![105],
    });
    for _ in 0..5 {
        network.send(&clean());
    }
    let report = network.report(1);
    assert!(network.outcomes.contains(&Outcome::TooLate));
    let loss = report.round_trip.loss.unwrap();
    assert_eq!(
        (loss.received, loss.lost, report.round_trip.too_late),
        (5, 1, Some(1))
    );
    assert_eq!(report.forward.loss.unwrap().lost, 0);
    assert_eq!(report.back.loss.unwrap().lost, 0);
}

#[test]
fn packet_later_than_its_report_counts_in_the_next() {
    let mut network = network();
    network.send(&Journey {
        forward: vec![2],
        back: vec![300, 310],
    });
    let first = network.report(1);
    assert_eq!(first.round_trip.too_late, Some(0));
    assert_eq!(first.back.loss.unwrap().lost, 1);
    network.pass(300);
    let second = network.report(1);
    assert_eq!(
        (second.round_trip.too_late, second.round_trip.duplicated),
        (Some(1), Some(1))
    );
    assert_eq!(second.round_trip.loss.unwrap().lost, 0);
}

#[test]
fn outage_has_no_direction_until_it_ends() {
    let mut network = network();
    network.send(&clean());
    for _ in 0..4 {
        network.send(&lost_forward());
    }
    let during = network.report(0);
    assert_eq!(
        during
            .round_trip
            .loss
            .map(|loss| (loss.received, loss.lost)),
        Some((1, 4))
    );
    assert_eq!((during.forward.loss, during.back.loss), (None, None));
    assert_eq!(during.back.bytes_received, Some(82));
    network.send(&lost_forward());
    network.send(&clean());
    let after = network.report(0);
    assert_eq!(
        after.forward.loss.map(|loss| (loss.received, loss.lost)),
        Some((1, 1))
    );
}

#[test]
fn interval_without_a_reply_has_no_times_and_full_loss() {
    let mut network = network();
    network.send(&lost_forward());
    network.send(&lost_forward());
    let report = network.report(0);
    assert_eq!(report.round_trip.times, None);
    assert_eq!(report.round_trip.quality, None);
    let loss = report.round_trip.loss.unwrap();
    assert_eq!((loss.lost, loss.burst_min, loss.burst_max), (2, 2, 2));
}

#[test]
fn restarted_reflector_costs_directions_not_the_round_trip() {
    let mut network = network();
    for _ in 0..20 {
        network.send(&clean());
    }
    network.restart_mirror();
    network.send(&lost_forward());
    for _ in 0..20 {
        network.send(&clean());
    }
    let report = network.report(1);
    assert_eq!(report.forward.loss, None);
    assert_eq!(report.round_trip.loss.unwrap().lost, 1);
}

#[test]
fn forged_and_foreign_replies_count_nothing() {
    let mut network = network();
    let mut datagram = vec![0; 82];
    network.session.probe(NOW).write(&mut datagram);
    // A reflected number and time that nobody sent.
    let mut reply = vec![0; 44];
    reply[13] = 1;
    reply[37] = 1;
    for forged in [&reply[..], &reply[..40], &datagram[..], &[]] {
        assert_eq!(network.session.receive(NOW, forged), Outcome::Foreign);
    }
    reply[24..28].copy_from_slice(&9_u32.to_be_bytes());
    assert_eq!(network.session.receive(NOW, &reply), Outcome::Foreign);
    // All of it right but the session id.
    reply[24..38].copy_from_slice(&datagram[..14]);
    reply[15] = 8;
    assert_eq!(network.session.receive(NOW, &reply), Outcome::Foreign);
    reply[15] = 7;
    assert_eq!(network.session.receive(NOW, &reply), Outcome::Received);
}

#[test]
fn free_clocks_give_variation_but_no_one_way_delay() {
    let mut network = network();
    let mut datagram = vec![0; 44];
    network.session.probe(NOW).write(&mut datagram);
    let mut reply = vec![0; 44];
    reply[24..38].copy_from_slice(&datagram[..14]);
    // Reflector: not synchronized.
    reply[13] = 1;
    assert_eq!(network.session.receive(NOW, &reply), Outcome::Received);
    network.session.cut(NOW);
    let report = network.session.close().unwrap();
    assert_eq!(report.forward.times.unwrap().delay, None);
    assert_eq!(report.forward.quality, None);
    assert!(report.round_trip.times.unwrap().delay.is_some());
}

const NOW: crate::model::Timestamp = crate::model::Timestamp::from_secs(1_700_000_000);
