//! The gNMI service: Capabilities, Get, Set, Subscribe (gNMI spec 0.10.0, atomic rules of 0.11.0).
//!
//! Each RPC goes the same way: metadata → credential → principal → permit → parsed request → telemetry. What is wrong
//! with a request is said when it is parsed; past `request` nothing is checked again. A Subscribe holds a live
//! session, which ends it when its credential does.

mod admission;
mod arbitration;
mod capabilities;
mod compression;
mod config;
mod credential;
mod error;
mod get;
mod model;
mod provisioned;
mod reach;
mod refusals;
mod request;
mod routes;
mod service;
mod set;
mod status;
mod stream;

pub use config::Config;
pub use service::Service;
