//! The report as a plain table.

use std::fmt;

use super::report::Latency;
use super::report::Report;
use super::report::float;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "connections", self.connections)?;
        row(f, "subscriptions", self.subscriptions)?;
        row(f, "connects/s", format_args!("{:.0}", self.connect_rate))?;
        row(f, "sync time", Times(self.sync_time))?;
        row(
            f,
            "measured",
            format_args!("{:.1} s", self.measured_seconds),
        )?;
        if self.offered_rate > 0 {
            row(f, "offered updates/s", self.offered_rate)?;
        }
        row(
            f,
            "ingested updates/s",
            format_args!("{:.0}", self.ingest_rate),
        )?;
        row(f, "deliveries/s", format_args!("{:.0}", self.delivery_rate))?;
        row(
            f,
            "bytes/message",
            format_args!("{:.0}", self.bytes_per_message),
        )?;
        row(f, "latency", Times(self.latency))?;
        if self.laggard_coalesced > 0 {
            row(f, "latency, laggards", Times(self.laggard_latency))?;
            row(f, "coalesced, laggards", self.laggard_coalesced)?;
        }
        row(f, "coalesced", self.coalesced)?;
        row(f, "missing", self.missing)?;
        row(f, "reordered", self.reordered)?;
        row(f, "lost leaves", self.lost_leaves)?;
        if self.reconnects > 0 {
            row(f, "reconnects", self.reconnects)?;
        }
        self.errors(f)?;
        self.processes(f)?;
        let verdict = if self.clean { "clean" } else { "NOT CLEAN" };
        row(f, "result", verdict)
    }
}

impl Report {
    fn errors(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            return row(f, "errors", 0);
        }
        for (code, count) in &self.errors {
            row(f, "errors", format_args!("{count} x {code}"))?;
        }
        Ok(())
    }

    fn processes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "generator cores", format_args!("{:.2}", self.own_cores))?;
        if let Some(cores) = self.server_cores {
            row(f, "server cores", format_args!("{cores:.2}"))?;
        }
        row(f, "other cores", format_args!("{:.2}", self.other_cores))?;
        row(f, "idle cores", format_args!("{:.2}", self.idle_cores))?;
        if let Some(nanos) = self.server_nanos_per_delivery {
            row(f, "server ns/delivery", format_args!("{nanos:.0}"))?;
        }
        let memory = [
            ("server MiB, before", self.server_bytes_before),
            ("server MiB, connected", self.server_bytes_connected),
            ("server MiB, subscribed", self.server_bytes_idle),
            ("server MiB, a sixth on", self.server_bytes_settled),
            ("server MiB, after load", self.server_bytes_after),
        ];
        for (name, bytes) in memory {
            if let Some(bytes) = bytes {
                row(f, name, format_args!("{:.1}", float(bytes) / MIB))?;
            }
        }
        let notes = [
            (
                self.generator_limited,
                "the machine was full, and the generator used most of it",
            ),
            (
                self.machine_limited,
                "the machine had no processor left: rates and latencies are its limit",
            ),
            (
                self.behind_offered_rate,
                "the publishers fell behind the offered rate",
            ),
        ];
        for (_, note) in notes.iter().filter(|(holds, _)| *holds) {
            row(f, "note", note)?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<24} {value}")
}

/// Milliseconds in one line.
struct Times(Latency);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency {
            p50,
            p90,
            p99,
            p999,
            max,
        } = self.0;
        let [p50, p90, p99, p999, max] = [p50, p90, p99, p999, max].map(|seconds| seconds * 1e3);
        write!(
            f,
            "p50 {p50:.2}  p90 {p90:.2}  p99 {p99:.2}  p99.9 {p999:.2}  max {max:.2} ms"
        )
    }
}

const MIB: f64 = 1_048_576.0;
