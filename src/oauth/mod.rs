//! OAuth 2.0: short-lived bearer tokens for clients and people (RFC 6749), and what a token is worth (RFC 7662), which
//! this gateway tells others of its own tokens, and asks another issuer of its.
//!
//! A service account shows its client secret, a person its password where that is allowed; what is issued is a session
//! of [`crate::iam`], good on every face. Requests are forms, refusals are those of RFC 6749 5.2 and RFC 6750 3.1.

mod caller;
mod claims;
mod config;
mod connection;
mod error;
mod frame;
mod introspect;
mod issuer;
mod operations;
mod request;
mod routes;
mod service;
mod token;

pub use claims::Claims;
pub use config::Config;
pub use issuer::HttpIssuer;
pub use issuer::IssuerConfig;
pub use issuer::NotAnAddress;
pub use service::Service;
