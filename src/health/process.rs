//! What the system knows about this process, read from `/proc/self` when asked for.

use std::fmt::Display;
use std::fmt::Write;
use std::fs;

/// The process's metrics as Prometheus text. What cannot be read is left out.
///
/// Names are those of the Prometheus client libraries, so that ready-made dashboards work.
pub(super) fn metrics() -> String {
    let mut text = String::new();
    let version = env!("CARGO_PKG_VERSION");
    // Writing to a String cannot fail.
    let _ok = write!(
        text,
        "# HELP tollgate_build_info Version of the running binary.\n# TYPE tollgate_build_info gauge\n\
         tollgate_build_info{{version=\"{version}\"}} 1\n"
    );
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let resident = field(&status, "VmRSS:", 1).map(|kib| kib * KIB);
    gauge(
        &mut text,
        "process_resident_memory_bytes",
        "Resident memory.",
        resident,
    );
    gauge(
        &mut text,
        "process_threads",
        "Threads.",
        field(&status, "Threads:", 1),
    );
    gauge(
        &mut text,
        "process_open_fds",
        "Open file descriptors.",
        open_files(),
    );
    gauge(
        &mut text,
        "process_max_fds",
        "Limit of open file descriptors.",
        field(&limits, "Max open files", 3),
    );
    if let Some(seconds) = processor_seconds(&stat) {
        metric(
            &mut text,
            "process_cpu_seconds_total",
            "Processor time.",
            "counter",
            seconds,
        );
    }
    text
}

fn gauge(text: &mut String, name: &str, help: &str, value: Option<u64>) {
    if let Some(value) = value {
        metric(text, name, help, "gauge", value);
    }
}

fn metric(text: &mut String, name: &str, help: &str, kind: &str, value: impl Display) {
    // Writing to a String cannot fail.
    let _ok = write!(
        text,
        "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
    );
}

/// The number at a word's position in the line that starts with `label` (proc_pid_status(5), proc_pid_limits(5)).
fn field(text: &str, label: &str, position: usize) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(label))?;
    line.split_whitespace().nth(position)?.parse().ok()
}

fn open_files() -> Option<u64> {
    let entries = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the directory that is being read.
    u64::try_from(entries).ok()?.checked_sub(1)
}

/// User and system time (proc_pid_stat(5), fields 14 and 15). The name in field 2 may hold spaces.
#[expect(
    clippy::cast_precision_loss,
    reason = "2^53 ticks are three million years"
)]
fn processor_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(USER_TIME_AFTER_NAME);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

const KIB: u64 = 1_024;

/// Fields 3 to 13 stand between the name and the user time.
const USER_TIME_AFTER_NAME: usize = 11;

/// USER_HZ: the unit in which Linux shows times to processes, on every architecture that Rust supports.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_metrics_are_read_from_proc() {
        let text = metrics();
        for name in [
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
            "process_cpu_seconds_total",
        ] {
            assert!(text.contains(&format!("\n{name} ")), "{name} in {text}");
        }
        assert!(text.contains("tollgate_build_info{version="));
    }

    #[test]
    fn processor_time_survives_an_odd_process_name() {
        let stat = "1 (a) b) S 1 1 1 0 -1 4 0 0 0 0 250 50 0 0 20 0";
        assert_eq!(processor_seconds(stat), Some(3.0));
        assert_eq!(processor_seconds("garbage"), None);
    }
}
