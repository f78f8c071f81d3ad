//! What a process of this machine uses, as Linux tells.

use std::fs;
use std::io;
use std::time::Duration;

/// One reading.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Processor time since the process began, of all its threads.
    pub(super) processor: Duration,
    /// Resident memory.
    pub(super) resident_bytes: u64,
}

/// Which process.
#[derive(Clone, Copy, Debug)]
pub(super) enum Process {
    Own,
    Other(u32),
}

impl Process {
    pub(super) fn read(self) -> io::Result<Usage> {
        let folder = match self {
            Self::Own => "/proc/self".to_owned(),
            Self::Other(pid) => format!("/proc/{pid}"),
        };
        let stat = fs::read_to_string(format!("{folder}/stat"))?;
        let statm = fs::read_to_string(format!("{folder}/statm"))?;
        parse(&stat, &statm).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }
}

/// The name, in parentheses, may hold anything; what follows does not (proc(5)).
fn parse(stat: &str, statm: &str) -> Option<Usage> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(Usage {
        processor: Duration::from_millis((user + system) * MILLIS_PER_TICK),
        resident_bytes: pages * PAGE_BYTES,
    })
}

/// Processor time that nobody used since the machine began, of all its cores.
pub(super) fn machine_idle() -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    parse_idle(&stat).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// The fourth and fifth number: idle, and idle while a disk works (proc(5)).
fn parse_idle(stat: &str) -> Option<Duration> {
    let mut numbers = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace();
    let idle: u64 = numbers.nth(3)?.parse().ok()?;
    let waiting: u64 = numbers.next()?.parse().ok()?;
    Some(Duration::from_millis((idle + waiting) * MILLIS_PER_TICK))
}

/// USER_HZ is 100 on every processor that Linux runs on today.
const MILLIS_PER_TICK: u64 = 10;

/// The page of x86-64, and the default of the others.
const PAGE_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_parentheses_does_not_confuse() {
        let stat = "7 (a) b) S 1 1 1 0 -1 0 0 0 0 0 250 50 0 0 20 0";
        let usage = parse(stat, "100 25 3").unwrap();
        assert_eq!(usage.processor, Duration::from_secs(3));
        assert_eq!(usage.resident_bytes, 25 * 4096);
    }

    #[test]
    fn idle_time_of_the_machine_is_read() {
        let idle = parse_idle("cpu  10 0 10 250 50 0 0 9\ncpu0 1 1 1 1 1");
        assert_eq!(idle, Some(Duration::from_secs(3)));
        assert!(machine_idle().is_ok());
    }

    #[test]
    fn own_process_can_be_read() {
        assert!(Process::Own.read().unwrap().resident_bytes > 0);
    }
}
