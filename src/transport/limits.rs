//! How many connections there may be, in all and from one place.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

/// Counts open connections. Holds at most one entry per open connection.
#[derive(Debug)]
pub(super) struct Limits {
    max_total: usize,
    max_per_source: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_source: HashMap<Source, usize>,
}

/// What counts as one place: whoever has one IPv6 address has the 2^64 of its network too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    V4([u8; 4]),
    V6Network(u128),
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too many connections from this address.
    Address,
    /// Too many connections.
    Total,
    /// Others from this address have broken HTTP/2's rules, again and again.
    CoolOff,
}

/// The right to one open connection; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Slot {
    limits: Arc<Limits>,
    /// `None` while a balancer has not said whose connection it is.
    source: Option<Source>,
}

impl Limits {
    pub(super) fn new(max_total: usize, max_per_source: usize) -> Self {
        Self {
            max_total,
            max_per_source,
            open: Mutex::default(),
        }
    }

    /// Takes a place for a connection from `address`.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Slot, Refusal> {
        let mut slot = self.admit_balancer()?;
        slot.charge(address)?;
        Ok(slot)
    }

    /// Takes a place for a connection from a balancer, which is not yet anybody's.
    pub(super) fn admit_balancer(self: &Arc<Self>) -> Result<Slot, Refusal> {
        let mut open = self.open.lock();
        if open.total >= self.max_total {
            return Err(Refusal::Total);
        }
        open.total += 1;
        Ok(Slot {
            limits: Arc::clone(self),
            source: None,
        })
    }
}

impl Slot {
    /// Counts the connection as one from `address`, if it is nobody's yet.
    pub(super) fn charge(&mut self, address: IpAddr) -> Result<(), Refusal> {
        if self.source.is_some() {
            return Ok(());
        }
        let source = Source::of(address);
        let mut open = self.limits.open.lock();
        let here = open.by_source.get(&source).copied().unwrap_or(0);
        if here >= self.limits.max_per_source {
            return Err(Refusal::Address);
        }
        open.by_source.insert(source, here + 1);
        self.source = Some(source);
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.limits.open.lock();
        open.total = open.total.saturating_sub(1);
        let Some(source) = self.source else { return };
        match open.by_source.get_mut(&source) {
            Some(here) if *here > 1 => *here -= 1,
            _ => {
                open.by_source.remove(&source);
            }
        }
    }
}

impl Source {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => Self::V6Network(v6.to_bits() >> 64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn limits_hold_per_address_and_in_total_and_forget_what_closed() {
        let limits = Arc::new(Limits::new(3, 2));
        let first = limits.admit(ip("192.0.2.1")).unwrap();
        let second = limits.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(limits.admit(ip("192.0.2.1")).unwrap_err(), Refusal::Address);
        let third = limits.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(limits.admit(ip("192.0.2.3")).unwrap_err(), Refusal::Total);
        drop(first);
        let again = limits.admit(ip("192.0.2.1")).unwrap();
        drop((again, second, third));
        assert_eq!(limits.open.lock().total, 0);
        assert!(limits.open.lock().by_source.is_empty());
    }

    #[test]
    fn limits_count_an_ipv6_network_as_one_address() {
        let limits = Arc::new(Limits::new(9, 1));
        let _one = limits.admit(ip("2001:db8::1")).unwrap();
        assert_eq!(
            limits.admit(ip("2001:db8::ffff:2")).unwrap_err(),
            Refusal::Address
        );
        let _other = limits.admit(ip("2001:db8:0:1::1")).unwrap();
    }
}
