//! The Zitadel-compatible IAM API (iam 2.5): who am I, service users, their Personal Access Tokens and their
//! authorizations, in the wire form that scripts written for a Zitadel instance expect.
//!
//! The contract is that of the public protobuf sources as protojson; the error ids and texts are ours. Every call is
//! judged in one order: credential, permission, validation of the message, and only then what the store says.

mod call;
mod credential;
mod error;
mod grants;
mod json;
mod machine;
mod message;
mod operations;
mod org;
mod pats;
mod reply;
mod routes;
mod schemas;
mod secrets;
mod service;
mod status;
mod user_search;
mod users;
mod v2;

pub use service::Service;
