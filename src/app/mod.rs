//! The composition root: makes every room from its settings, wires them, runs them, drains them.
//!
//! The one place that knows all rooms; it holds no logic of its own. Commands and tests start a [`Gateway`]
//! the same way.

mod certificate;
mod drivers;
mod error;
mod gateway;
mod issuer;
mod local;
mod measurement;
mod provisioning;
mod router;
mod webhook;

pub use error::Error;
pub use gateway::Gateway;
pub use local::Local;
