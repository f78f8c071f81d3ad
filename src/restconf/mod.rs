//! RESTCONF (RFC 8040) on the gateway's port: the configuration of a tenant's endpoints, sessions, services and alert
//! policies, in JSON and XML.
//!
//! `admission` lets a request in before anything of its body is looked at. `target` turns its path into steps of the
//! schema, `query` its parameters into a view; `read` and `write` do, through [`crate::datastore::Datastore`]; `error`
//! turns what went wrong into the errors document of section 7.

mod admission;
mod body;
mod condition;
mod config;
mod description;
mod discovery;
mod error;
mod events;
mod fields;
mod filter;
mod form;
mod marked;
mod media;
mod operation;
mod origin;
mod patch;
mod prune;
mod query;
mod read;
mod render;
mod routes;
mod service;
mod state;
mod stream;
mod target;
mod write;
mod xml;

#[cfg(test)]
mod hostile;

pub use config::Config;
pub use service::Service;
