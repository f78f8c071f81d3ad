//! Delays, and how they are told.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::gateway::millis;

/// How long things took.
#[derive(Default)]
pub struct Times(pub Vec<Duration>);

impl Times {
    /// In milliseconds.
    pub fn quantile(&self, quantile: f64) -> f64 {
        let mut times = self.0.clone();
        times.sort_unstable();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let at = ((times.len() as f64 * quantile) as usize).min(times.len().saturating_sub(1));
        millis(times.get(at).copied().unwrap_or_default())
    }

    pub fn report(&self, name: &str, sent: &AtomicU64, time: Duration, alone: Option<&Self>) {
        let rate = sent.load(Ordering::Relaxed) as f64 / time.as_secs_f64();
        let (p50, p99) = (self.quantile(0.5), self.quantile(0.99));
        let ratio = alone.map_or(String::new(), |alone| {
            format!("{:>6.1} x", p99 / alone.quantile(0.99))
        });
        println!("  {name:<16} {rate:>8.0}/s   p50 {p50:>7.2} ms   p99 {p99:>7.2} ms {ratio}");
    }
}
