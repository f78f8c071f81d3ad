//! Reports against what a script did to the packets: the naive count.

use proptest::prelude::*;

use super::super::config::SequenceMode;
use super::super::report::Direction;
use super::super::report::Report;
use super::super::spread::Fixed;
use super::simulation::Journey;
use super::simulation::Simulation;

/// A delay out and one back are under 30 ms each, so that up to three packets overtake one.
fn journey() -> impl Strategy<Value = Journey> {
    let delay = 1..30_u64;
    let copies = prop_oneof![
        8 => Just((1, 1)),
        1 => Just((0, 1)),
        1 => Just((1, 0)),
        1 => Just((2, 1)),
        1 => Just((1, 2)),
    ];
    (
        copies,
        [delay.clone(), delay.clone()],
        [delay.clone(), delay],
    )
        .prop_map(|((forward, back), out, home)| Journey {
            forward: out[..forward].to_vec(),
            back: home[..back].to_vec(),
        })
}

fn sum(script: &[Journey], of: impl Fn(&Journey) -> bool) -> u64 {
    script
        .iter()
        .filter(|journey| of(journey))
        .count()
        .try_into()
        .unwrap()
}

fn run(mode: SequenceMode, script: &[Journey]) -> Report {
    let mut network = Simulation::new(mode);
    for journey in script {
        network.send(journey);
    }
    network.report(8)
}

fn counts(direction: &Direction) -> (u64, u64, Option<u64>) {
    let loss = direction.loss.unwrap();
    (loss.received, loss.lost, direction.duplicated)
}

/// How many of these arrivals (number, time) came after a later one.
fn overtaken<T: Ord>(arrivals: &[(usize, T)]) -> u64 {
    let is_overtaken =
        |(number, at): &&(usize, T)| arrivals.iter().any(|(n, t)| n > number && t < at);
    arrivals
        .iter()
        .filter(is_overtaken)
        .count()
        .try_into()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_by_direction_equal_the_script(script in prop::collection::vec(journey(), 1..60)) {
        let report = run(SequenceMode::Stateful, &script);
        let all: u64 = script.len().try_into().unwrap();
        let lost_forward = sum(&script, |journey| journey.forward.is_empty());
        let lost_back = sum(&script, |journey| journey.back.is_empty());
        let doubled_forward = sum(&script, |journey| journey.forward.len() == 2);
        let doubled_back = sum(&script, |journey| journey.back.len() == 2);
        let lost = lost_forward + lost_back;
        prop_assert_eq!(report.sent, all);
        prop_assert_eq!(counts(&report.forward), (all - lost_forward, lost_forward, Some(doubled_forward)));
        prop_assert_eq!(counts(&report.back), (all - lost, lost_back, Some(doubled_back)));
        prop_assert_eq!(counts(&report.round_trip), (all - lost, lost, Some(doubled_forward + doubled_back)));
        prop_assert_eq!(report.round_trip.too_late, Some(0));
        prop_assert_eq!(report.round_trip.bytes_received, Some((all - lost) * 82));
    }

    #[test]
    fn stateless_numbers_tell_the_round_trip_only(script in prop::collection::vec(journey(), 1..60)) {
        let report = run(SequenceMode::Stateless, &script);
        let lost = sum(&script, |journey| journey.forward.is_empty() || journey.back.is_empty());
        prop_assert_eq!(report.round_trip.loss.unwrap().lost, lost);
        prop_assert_eq!(report.forward.loss.is_some(), lost == 0);
        prop_assert_eq!(report.back.misordered, None);
    }

    #[test]
    fn order_by_direction_equals_the_script(delays in prop::collection::vec((1..30_u64, 1..30_u64), 1..60)) {
        let script: Vec<_> = delays.iter()
            .map(|(out, home)| Journey { forward: vec![*out], back: vec![*home] })
            .collect();
        let report = run(SequenceMode::Stateful, &script);
        let sent = |number: usize| 10 * u64::try_from(number).unwrap();
        let out: Vec<_> = delays.iter().enumerate().map(|(n, (out, _))| (n, sent(n) + out)).collect();
        let clean_out = (0..8).map(|n| (delays.len() + n, sent(delays.len() + n) + 2));
        let out: Vec<_> = out.into_iter().chain(clean_out).collect();
        prop_assert_eq!(report.forward.misordered, Some(overtaken(&out)));
        let trip: Vec<_> = delays.iter().zip(&out).map(|((_, home), (n, at))| (*n, (at + home, *at))).collect();
        let clean_trip = out[delays.len()..].iter().map(|(n, at)| (*n, (at + 3, *at)));
        let trip: Vec<_> = trip.into_iter().chain(clean_trip).collect();
        prop_assert_eq!(report.round_trip.misordered, Some(overtaken(&trip)));
    }
}

#[test]
fn delays_by_direction_equal_the_script() {
    let journey = |out, home| Journey {
        forward: vec![out],
        back: vec![home],
    };
    let report = run(
        SequenceMode::Stateful,
        &[journey(2, 3), journey(4, 3), journey(9, 4)],
    );
    let micros = |number: u64| Fixed::whole(number);
    let forward = report.forward.times.unwrap();
    let delay = forward.delay.unwrap();
    assert_eq!(
        (delay.min, delay.avg, delay.max),
        (micros(2_000), micros(5_000), micros(9_000))
    );
    assert_eq!((delay.p50, delay.high), (micros(4_000), micros(9_000)));
    assert_eq!(
        (forward.variation.min, forward.variation.max),
        (micros(0), micros(7_000))
    );
    let jitter = forward.jitter.unwrap();
    assert_eq!(
        (jitter.min, jitter.avg, jitter.max),
        (micros(2_000), micros(3_500), micros(5_000))
    );
    let back = report.back.times.unwrap().delay.unwrap();
    assert_eq!((back.min, back.max), (micros(3_000), micros(4_000)));
    let round_trip = report.round_trip.times.unwrap().delay.unwrap();
    assert_eq!(
        (round_trip.min, round_trip.p50, round_trip.max),
        (micros(5_000), micros(7_000), micros(13_000))
    );
    assert!(report.round_trip.quality.unwrap().r > Fixed::whole(93));
}
