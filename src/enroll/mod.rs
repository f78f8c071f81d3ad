//! Certificates over HTTP, on the gateway's port: the vendor's `/distribution/sign-csr`, EST (RFC 7030), the CA's
//! certificates and revocation lists, and the API by which operators revoke.
//!
//! Every decision leaves an audit event before it is answered. `decision` is where it is decided who gets what; what is
//! in a certificate is decided in [`crate::pki`].

mod admission;
mod asked;
mod attempt;
mod body;
mod config;
mod decision;
mod error;
mod est;
mod frame;
mod lists;
mod operations;
mod publish;
mod reply;
mod revoke;
mod routes;
mod service;
mod sign;
mod throttle;
mod view;

pub use config::Config;
pub use service::Service;
