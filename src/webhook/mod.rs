//! Tells a web server of tokens that end: one signed POST per notice, tried a few times, and never in anybody's way.
//!
//! What cannot be delivered is dropped and counted; the audit trail has it all the same.

mod config;
mod endpoint;
mod error;
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
pub use sender::Sender;
