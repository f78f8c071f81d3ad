//! The whole gateway in process, on loopback, over real TLS; and the tests that keep the tree in shape.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    clippy::too_many_lines,
    clippy::items_after_statements,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    missing_docs,
    unreachable_pub,
    reason = "helpers of an integration-test binary may fail loudly"
)]

mod accounts;
mod bootstrap;
mod breakable;
mod client;
mod contention;
mod credentials;
mod enroll;
mod gateway;
mod get;
mod hostile;
mod http;
mod identity;
mod ledger;
mod load;
mod load_generator;
mod malformed;
mod mtls;
mod nodes;
mod oauth;
mod one_tree;
mod openapi;
mod postgres;
mod process;
mod readme;
mod restconf;
mod scopes;
mod secrecy;
mod service;
mod set;
mod shape;
mod subscribe;
mod triggers;
mod zitadel;
