//! Listening, TLS and the life of a connection.
//!
//! A [`Server`] accepts connections within limits, speaks TLS (or, for the admin port, plain HTTP), serves one
//! router over HTTP/2 and HTTP/1.1, and says in every request's extensions who is at the other end ([`Peer`](crate::model::Peer)).
//! It knows no credentials, no gRPC and no pages. [`dial()`] is the calling side, for the small client and the
//! agents.

mod backoff;
mod client;
mod client_cert;
mod config;
mod connection;
mod cool_off;
mod cork;
mod dial;
mod ending;
mod error;
mod exchange;
mod flood;
mod forwarded;
mod handshake;
mod http2;
mod keepalive;
mod limits;
mod linger;
mod metrics;
mod opening;
mod peer;
mod protocol;
mod proxies;
mod proxy_protocol;
mod received;
mod requests;
mod server;
mod socket;
mod standing;
mod streams;
mod tls;
mod trust;
mod xfcc;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use dial::CONNECT_TIMEOUT;
pub use dial::DialError;
pub use dial::Trust;
pub use dial::dial;
pub use dial::dial_with;
pub use error::Error;
pub use proxies::Networks;
pub use proxies::Proxies;
pub use server::Security;
pub use server::Server;
pub use tls::Tls;
pub use trust::Authorities;
pub use trust::ClientTrust;
pub use trust::WithoutCrl;
