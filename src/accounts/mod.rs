//! The vendor's account API on the gateway's port: service accounts and their tokens, login.
//!
//! Handlers are thin: `request` and `search` read, [`crate::iam::Accounts`] does, `view` renders, and `error` turns
//! what went wrong into a status and a stable code (iam 2.3, 2.4). Every request passes `frame` first, and
//! `admission` before anything of its body is looked at (iam 2.2).

mod account;
mod admission;
mod assertion;
mod audit;
mod certificate;
mod config;
mod credential;
mod error;
mod fields;
mod forward;
mod frame;
mod idempotency;
mod json;
mod lockout;
mod login;
mod media;
mod operations;
mod page;
mod password;
mod pat;
mod policy;
mod problem;
mod request;
mod revoke;
mod routes;
mod schemas;
mod search;
mod service;
mod sweep;
mod view;

pub use config::Config;
pub use service::Service;
