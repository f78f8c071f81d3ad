//! Counters, gauges and histograms: the one face to the metrics library.
//!
//! Names follow `tollgate_<noun>_<unit>[_total]`; labels come from bounded sets only, never from a path,
//! a token or an address. Each room declares its metrics in one struct built from here.

pub use metrics::Counter;
pub use metrics::Gauge;
pub use metrics::Histogram;

/// A counter without labels.
pub fn counter(name: &'static str, help: &'static str) -> Counter {
    metrics::describe_counter!(name, help);
    metrics::counter!(name)
}

/// A counter with one label of a bounded set of values.
pub fn labelled_counter(name: &'static str, label: &'static str, value: &'static str) -> Counter {
    metrics::counter!(name, label => value)
}

/// Says what the counters of that name are.
pub fn describe_counter(name: &'static str, help: &'static str) {
    metrics::describe_counter!(name, help);
}

/// A gauge without labels.
pub fn gauge(name: &'static str, help: &'static str) -> Gauge {
    metrics::describe_gauge!(name, help);
    metrics::gauge!(name)
}

/// Says what the gauges of that name are.
pub fn describe_gauge(name: &'static str, help: &'static str) {
    metrics::describe_gauge!(name, help);
}

/// A gauge with labels, each of a set that its caller bounds.
pub fn labelled_gauge(name: &'static str, labels: &[(&'static str, String)]) -> Gauge {
    let labels = labels.iter();
    let labels: Vec<_> = labels
        .map(|(label, value)| metrics::Label::new(*label, value.clone()))
        .collect();
    metrics::gauge!(name, labels)
}

/// A histogram without labels.
pub fn histogram(name: &'static str, help: &'static str) -> Histogram {
    metrics::describe_histogram!(name, help);
    metrics::histogram!(name)
}
