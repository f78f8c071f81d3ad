//! Tells a syslog server of audit events: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425).
//!
//! Syslog has no acknowledgement. A page that breaks on its way is sent again, and with it the one before, which may have
//! been lost in a buffer; each message says its number, by which a receiver tells a repetition. Over UDP what the network
//! loses is lost.

mod address;
mod config;
mod message;
mod sink;

#[cfg(test)]
mod tests;

pub use address::Address;
pub use address::NotAnAddress;
pub use address::Transport;
pub use config::Config;
pub use sink::NotAHost;
pub use sink::Syslog;
