//! The leaves below `metrics`.
//!
//! Not here, because not measured: `ttl-*`, `ip-tos-*`, `vlan-pbit-*` (the header of a received packet is not seen),
//! `sync-*` and `periods-lost` (their meaning is not published).

use std::time::Duration;

use super::report::Direction;
use super::spread::Fixed;
use super::spread::Spread;

/// Every leaf that a direction can have, with its value where there is one.
pub(super) fn of(values: &Direction, duration: Duration) -> Vec<(&'static str, Option<Fixed>)> {
    let delay = values.times.and_then(|times| times.delay);
    let variation = values.times.map(|times| times.variation);
    let jitter = values.times.and_then(|times| times.jitter);
    let mut leaves = vec![
        ("duration", Some(millis(duration))),
        ("delay-std-dev-avg", delay.map(|delay| delay.std_dev)),
        ("jitter-std-dev", jitter.map(|jitter| jitter.std_dev)),
        ("mos", values.quality.map(|quality| quality.mos)),
        ("rvalue", values.quality.map(|quality| quality.r)),
    ];
    leaves.extend(spread(&DELAY, delay));
    leaves.extend(spread(&DELAY_VARIATION, variation));
    leaves.extend(spread(&JITTER, jitter));
    leaves.extend(packets(values));
    leaves
}

fn packets(values: &Direction) -> [(&'static str, Option<Fixed>); 9] {
    let loss = values.loss;
    let whole = |number: Option<u64>| number.map(Fixed::whole);
    [
        ("packets-received", whole(loss.map(|loss| loss.received))),
        ("packets-lost", whole(loss.map(|loss| loss.lost))),
        ("packets-lost-pct", loss.and_then(|loss| loss.lost_percent)),
        ("lost-burst-min", whole(loss.map(|loss| loss.burst_min))),
        ("lost-burst-max", whole(loss.map(|loss| loss.burst_max))),
        ("packets-duplicated", whole(values.duplicated)),
        ("packets-misordered", whole(values.misordered)),
        ("packets-too-late", whole(values.too_late)),
        ("bytes-received", whole(values.bytes_received)),
    ]
}

fn spread(
    names: &[&'static str; 10],
    spread: Option<Spread>,
) -> impl Iterator<Item = (&'static str, Option<Fixed>)> {
    let values = spread.map(|s| {
        [
            s.min, s.avg, s.max, s.p25, s.p50, s.p75, s.p95, s.low, s.middle, s.high,
        ]
    });
    let values: [Option<Fixed>; 10] = values.map_or([None; 10], |values| values.map(Some));
    names.iter().copied().zip(values)
}

/// The unit of `duration` is not published; the vendor's exports have milliseconds.
fn millis(duration: Duration) -> Fixed {
    let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    // A nanosecond is 10^-6 ms, a tenth of the last digit.
    Fixed(nanos / 10)
}

const DELAY: [&str; 10] = [
    "delay-min",
    "delay-avg",
    "delay-max",
    "delay-p25",
    "delay-p50",
    "delay-p75",
    "delay-p95",
    "delay-plo",
    "delay-pmi",
    "delay-phi",
];

const DELAY_VARIATION: [&str; 10] = [
    "delay-var-min",
    "delay-var-avg",
    "delay-var-max",
    "delay-var-p25",
    "delay-var-p50",
    "delay-var-p75",
    "delay-var-p95",
    "delay-var-plo",
    "delay-var-pmi",
    "delay-var-phi",
];

const JITTER: [&str; 10] = [
    "jitter-min",
    "jitter-avg",
    "jitter-max",
    "jitter-p25",
    "jitter-p50",
    "jitter-p75",
    "jitter-p95",
    "jitter-plo",
    "jitter-pmi",
    "jitter-phi",
];
