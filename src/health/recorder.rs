//! The process's one recorder of metrics.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::Matcher;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use super::process;

/// What all rooms have counted since the process started.
///
/// The metrics library has one recorder per process: several gateways in one process (tests) share it.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder, or takes the one that is installed. Call this before any room makes its metrics:
    /// what is made earlier counts into nothing.
    pub fn install() -> Self {
        Self(RECORDER.get_or_init(install).clone())
    }

    /// All metrics as Prometheus text, with those of the process itself read at this moment.
    pub fn text(&self) -> String {
        let mut text = self.0.render();
        text.push_str(&process::metrics());
        text
    }

    /// Keeps what histograms hold between two scrapes from growing, until cancelled.
    pub async fn drive_upkeep(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => self.0.run_upkeep(),
            }
        }
    }
}

fn install() -> PrometheusHandle {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new();
    // The only error is an empty list.
    let builder = builder
        .set_buckets_for_metric(seconds, SECONDS)
        .unwrap_or_default();
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!(
            "another recorder of metrics is installed: /metrics shows the process alone"
        );
    }
    handle
}

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// From a cached token lookup to a stalled handshake.
const SECONDS: &[f64] = &[
    0.000_01, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// As often as the library's own listener does it.
const UPKEEP: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorder_is_installed_once_and_shared() {
        let first = Metrics::install();
        let second = Metrics::install();
        crate::meter::counter("tollgate_recorder_test_total", "A test.").increment(3);
        for metrics in [first, second] {
            let text = metrics.text();
            assert!(
                text.contains("# TYPE tollgate_recorder_test_total counter"),
                "{text}"
            );
            assert!(text.contains("tollgate_recorder_test_total 3"), "{text}");
        }
    }

    #[test]
    fn histograms_of_seconds_have_buckets() {
        let metrics = Metrics::install();
        crate::meter::histogram("tollgate_recorder_test_seconds", "A test.").record(0.002);
        let text = metrics.text();
        assert!(
            text.contains(r#"tollgate_recorder_test_seconds_bucket{le="0.0025"} 1"#),
            "{text}"
        );
    }
}
