//! The whole gateway in process, on loopback, over real TLS; and the tests that keep the tree in shape.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::too_many_lines,
    missing_docs,
    unreachable_pub,
    reason = "helpers of an integration-test binary may fail loudly"
)]

mod client;
mod credentials;
mod gateway;
mod get;
mod ledger;
mod load;
mod load_generator;
mod malformed;
mod service;
mod set;
mod shape;
mod subscribe;
mod triggers;
