//! The composition root: makes every room from its settings, wires them, runs them, drains them.
//!
//! The one place that knows all rooms; it holds no logic of its own. Commands and tests start a [`Gateway`]
//! the same way.

mod authorities;
mod bootstrap;
mod certificate;
mod description;
mod drivers;
mod enrolment;
mod error;
mod faces;
mod gateway;
mod issuer;
mod local;
mod measurement;
mod outlets;
mod provisioning;
mod reload;
mod revoked;
mod router;
mod watched;
mod webhook;

pub use description::gateway_description;
pub use description::iam_description;
pub use error::Error;
pub use gateway::Gateway;
pub use local::Local;
pub use provisioning::open_datastore;
pub use reload::Reloader;
