//! Tells a web server of tokens that end, and of all audit events where it wants them. Each POST is signed.
//!
//! A notice is tried a few times, then dropped and counted: the audit trail has it all the same. Audit events are tried
//! until they are taken, a page at a time.

mod config;
mod endpoint;
mod error;
mod events;
mod message;
mod post;
mod sender;
mod signature;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use endpoint::Endpoint;
pub use endpoint::NotAnEndpoint;
pub use error::Error;
pub use events::Events;
pub use sender::Sender;
