//! A load generator for any gNMI server: many subscriptions over few connections, publishers that write growing
//! counters, and an account of everything that arrived, late or not at all.
//!
//! The receiving side reads the bytes of a message without decoding it, so that the generator is not the limit of
//! what it measures; where it is, the report says so. It knows no trust: its caller brings the TLS configuration.

mod codec;
mod config;
mod connect;
mod crowd;
mod error;
mod histogram;
mod leaves;
mod process;
mod publisher;
mod report;
mod request;
mod run;
mod subscriber;
mod table;
mod tally;

pub use config::Config;
pub use config::Credential;
pub use config::MAX_WINDOW_BYTES;
pub use config::Mode;
pub use config::Readers;
pub use config::STREAM_WINDOW_BYTES;
pub use config::Sampling;
pub use config::Writers;
pub use error::Error;
pub use report::Latency;
pub use report::Report;
pub use run::Progress;
pub use run::run;
